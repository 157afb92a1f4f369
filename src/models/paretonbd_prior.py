"""The weak prior of the Pareto/NBD."""

from patronage.models.prior import Prior, Term, linear, normal

WEAK_PRIOR = Prior(
    (
        Term("the mean purchase rate", linear(1, -1, 0, 0), normal(3.0)),
        Term("how customers' purchase rates vary", linear(-0.5, 0, 0, 0), normal(1.0)),
        Term("the mean rate of leaving", linear(0, 0, 1, -1), normal(3.0)),
        Term("how customers' rates of leaving vary", linear(0, 0, -0.5, 0), normal(1.0)),
    ),
    4,
)
"""Purchases, and departures, within the longest T at the mean rate: lognormal around 1, spread 3 in
the logarithm; coefficient of variation of the rates: lognormal around 1, spread 1."""
