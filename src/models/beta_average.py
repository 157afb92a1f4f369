"""Means over a beta-distributed dropout probability, to full accuracy for any parameters.

BG/NBD's closed forms divide by a - 1 and a + b + x - 1 and subtract hypergeometric series of
alternating sign; they fail at a = 1, a + b + x = 1, large x and long horizons. The same quantities
are means over p of positive functions, and those a trapezoidal sum over u = ln(p / (1 - p)) gives
to rounding error: the integrand is analytic in a strip around the line and falls off exponentially.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from patronage.models.groups import distinct_rows
from patronage.models.rfm_input import FloatArray

Kernel: TypeAlias = Callable[[FloatArray, slice], FloatArray]

STEP, STEP_GROWTH = 0.27, 0.165
"""Spacing in u for a smooth peak, and how it narrows as the peak does (see `_spacing`)."""
SHARP = 40.0
"""A kernel that is sharp where p^a is narrower than this is below rounding there."""
NEGLIGIBLE = 42.0
"""exp(-42) is below rounding."""
FARTHEST = 600.0
"""In u; exp of it is finite, and no sum goes as far."""
CELLS = 400_000
"""Rows x nodes worked at a time: a bound on memory."""


class BetaAverage:
    """Mean of functions of p ~ Beta(a, b), for one a and a b per row.

    Parameters
    ----------
    a, b
        Parameters of the beta distribution, > 0.
    sharpness
        The functions change by no more than a fixed factor while p changes by 1 / sharpness, and
        do not vary by more than a factor 1 + sharpness over all p.
    """

    def __init__(self, a: float, b: FloatArray, sharpness: float) -> None:
        distinct = distinct_rows(b)
        self._codes = distinct.codes
        self._p, self._weight = _nodes(a, b[distinct.first], sharpness)

    def mean(self, kernel: Kernel) -> FloatArray:
        """Mean of `kernel(p, rows)`: p has a line of nodes for each of the `rows`."""
        means = np.empty(len(self._codes))
        for rows in self._chunks():
            code = self._codes[rows]
            values = kernel(self._p[code], rows)
            means[rows] = np.sum(values * self._weight[code], axis=1)
        return means

    def _chunks(self) -> Iterator[slice]:
        size = max(1, CELLS // self._p.shape[1])
        for start in range(0, len(self._codes), size):
            yield slice(start, start + size)


def _nodes(a: float, b: FloatArray, sharpness: float) -> tuple[FloatArray, FloatArray]:
    """Nodes p and weights, one line for each b."""
    near_a = np.full_like(b, a)
    peak = np.log(near_a / b)
    drop = NEGLIGIBLE + np.log1p(sharpness)
    left = np.maximum(peak - _reach(near_a, b, drop), -NEGLIGIBLE - np.log(1 + b + sharpness))
    right = np.minimum(peak + _reach(b, near_a, drop), NEGLIGIBLE + np.log(1 + a + sharpness))
    count = int(np.ceil(np.max((right - left) / _spacing(a, b)))) + 1
    step = (right - left) / (count - 1)
    u = left[:, None] + step[:, None] * np.arange(count)
    weight = np.exp(-_fall(u - peak[:, None], near_a[:, None], b[:, None]))
    # Past the ends the function is constant and the weight geometric: the rest of the sum is known.
    weight[:, 0] /= -np.expm1(-a * step)
    weight[:, -1] /= -np.expm1(-b * step)
    return 1 / (1 + np.exp(-u)), weight / weight.sum(axis=1, keepdims=True)


def _spacing(a: float, b: FloatArray) -> FloatArray:
    """Spacing at which the sum is exact: |Gamma(s + 2 pi i / spacing)| / Gamma(s) < 1e-15.

    That ratio is the error for a peak of shape s: s = ab / (a+b) for the weight alone, and a where
    a kernel cuts it off at small p.
    """
    shape = np.maximum(min(a, SHARP), a * b / (a + b))
    spacing: FloatArray = STEP / np.sqrt(1 + STEP_GROWTH * shape)
    return spacing


def _fall(distance: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """How far ln(p^a (1-p)^b) lies below its peak at this signed distance in u.

    Measured from the nearer end of (0, 1), so that nothing cancels however rare p is.
    """
    small, total = np.minimum(a, b), a + b
    away = np.where(a <= b, distance, -distance)
    fall: FloatArray = total * np.log1p(small / total * np.expm1(away)) - small * away
    return fall


def _reach(near: FloatArray, far: FloatArray, drop: float) -> FloatArray:
    """Distance towards p = 0 (near = a) at which the weight has fallen by `drop`.

    By Newton steps from above: the fall is convex. Towards p = 1 with near = b.
    """
    total = near + far
    distance = np.minimum((drop + total * np.log1p(near / far)) / near, FARTHEST)
    for _ in range(100):
        excess = _fall(-distance, near, far) - drop
        if np.all(excess < 0.5):
            break
        kept = far + near * np.exp(-distance)
        slope = near * far * -np.expm1(-distance) / kept
        distance = distance - np.maximum(excess, 0) / slope
    return distance


def as_column(values: FloatArray, rows: slice) -> NDArray[np.float64]:
    """The rows' values, ready to meet their lines of nodes."""
    return values[rows, None]
