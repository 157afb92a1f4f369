"""Gamma-Gamma's compiled loops over customers; imported where they are used."""

import numpy as np

from patronage.compiling import FLOATS, NUMBER, compiled
from patronage.models.rfm_input import FloatArray


@compiled(FLOATS, FLOATS, *[NUMBER] * 3)
def expected_spend(x: FloatArray, mean: FloatArray, p: float, q: float, v: float) -> FloatArray:
    """Spend per future purchase (eq. 5); a mean below 0 counts as 0."""
    spend = np.empty(x.size)
    for i in range(x.size):
        px = p * x[i]
        spend[i] = (px * max(mean[i], 0.0) + p * v) / (px + (q - 1.0))
    return spend


@compiled(*[FLOATS] * 5, *[NUMBER] * 3, any_order=True)
def totals_sums(
    n: FloatArray,
    x: FloatArray,
    y: FloatArray,
    over: FloatArray,
    under: FloatArray,
    p: float,
    q: float,
    v: float,
) -> FloatArray:
    """Weighted sums over customers of x over, under, y/(v+y), x v/(v+y) and the slope by v.

    `over` is ln(1 + v/y), `under` ln(1 + y/v); the slope (q + p x) y v / (v+y)^2.
    """
    by_x = by_1 = paid = x_kept = bend = 0.0
    for i in range(n.size):
        both = 1.0 / (v + y[i])
        share, kept, nx = y[i] * both, v * both, n[i] * x[i]
        by_x += nx * over[i]
        by_1 += n[i] * under[i]
        paid += n[i] * share
        x_kept += nx * kept
        bend += (n[i] * q + p * nx) * share * kept
    return np.array([by_x, by_1, paid, x_kept, bend])
