"""The weak prior of BG/NBD and its relatives."""

import numpy as np

from patronage.models.fitting import Evaluation
from patronage.models.prior import Prior, Term, linear, logit_uniform, normal
from patronage.models.rfm_input import FloatArray


def _polarisation(log_params: FloatArray) -> Evaluation:
    """-ln(a + b), the log-odds of the polarisation index 1 / (a + b + 1)."""
    total = float(np.logaddexp(log_params[2], log_params[3]))
    gradient, hessian = np.zeros(4), np.zeros((4, 4))
    share = np.exp(log_params[2:] - total)
    gradient[2:] = -share
    hessian[2:, 2:] = np.outer(share, share) - np.diag(share)
    return Evaluation(-total, gradient, hessian)


WEAK_PRIOR = Prior(
    (
        Term("the mean purchase rate", linear(1, -1, 0, 0), normal(3.0)),
        Term("how customers' purchase rates vary", linear(-0.5, 0, 0, 0), normal(1.0)),
        Term("the mean dropout", linear(0, 0, 1, -1), logit_uniform),
        Term("how customers' dropout varies", _polarisation, logit_uniform),
    ),
    4,
)
"""Purchases within the longest T at the mean rate: lognormal around 1, spread 3 in the logarithm;
coefficient of variation of the rates: lognormal around 1, spread 1; mean dropout E(p) and
polarisation index 1 / (a + b + 1): uniform."""
