"""Compiled pieces of the Pareto/NBD's integrals over the time of leaving.

Every integrand is a product of powers (alpha + u)^-k (beta + u)^-s. In v = ln(m + u), m the smaller
of alpha and beta, it falls ever more steeply, so that Gauss-Legendre panels cut to its slope follow
it from steep to flat; each panel is worked as a ratio to the integrand at the start, and nothing
over- or underflows.
"""

import numpy as np

from patronage.compiling import NUMBER, compiled
from patronage.models.rfm_input import FloatArray

RULES = (4, 6, 12)
"""Gauss-Legendre nodes for panels of small, middling and large change."""
NEGLIGIBLE = 1e-17
"""Where less than this share of an integral is still to come, it is cut off."""


def _rules() -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.zeros((3, 12)), np.zeros((3, 12))
    for row, count in enumerate(RULES):
        node, weight = np.polynomial.legendre.leggauss(count)
        nodes[row, :count], weights[row, :count] = (node + 1) / 2, weight / 2
    return nodes, weights


NODES, WEIGHTS = _rules()
COUNTS = np.array(RULES)


@compiled(*[NUMBER] * 6)
def panel(
    y: float, end: float, near: float, far: float, near_scale: float, far_scale: float
) -> tuple[float, int]:
    """Length of the panel of v that starts y after the start of the integral, and its rule.

    `near` is the power of the smaller scale, `far` that of the larger.
    """
    grown = near_scale * np.exp(y)
    slope = near + far * grown / (far_scale - near_scale + grown)
    length = min(1.0, 3.0 / slope, end - y)
    change = slope * np.exp(length) * length
    if change <= 0.15 and length <= 0.1:
        return length, 0
    if change <= 0.8 and length <= 0.5:
        return length, 1
    return length, 2
