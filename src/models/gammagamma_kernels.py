"""Gamma-Gamma's compiled loops over customers; imported where they are used."""

import numpy as np

from patronage.models.rfm_input import FloatArray
from patronage.models.timing_kernels import FLOATS, NUMBER, compiled


@compiled(FLOATS, FLOATS, *[NUMBER] * 3)
def expected_spend(x: FloatArray, mean: FloatArray, p: float, q: float, v: float) -> FloatArray:
    """Spend per future purchase (eq. 5); a mean below 0 counts as 0."""
    spend = np.empty(x.size)
    for i in range(x.size):
        px = p * x[i]
        spend[i] = (px * max(mean[i], 0.0) + p * v) / (px + (q - 1.0))
    return spend
