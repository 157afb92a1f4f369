"""Means over a beta-distributed dropout probability, to full accuracy for any parameters.

BG/NBD's closed forms divide by a - 1 and a + b + x - 1 and subtract hypergeometric series of
alternating sign; they fail at a = 1, a + b + x = 1, large x and long horizons. The same quantities
are means over p of positive functions, and those a trapezoidal sum over u = ln(p / (1 - p)) gives
to rounding error: the integrand is analytic in a strip around the line and falls off exponentially.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from patronage.models.groups import Distinct, distinct_rows
from patronage.models.rfm_input import FloatArray

Rows: TypeAlias = NDArray[np.intp]
Kernel: TypeAlias = Callable[[FloatArray, Rows], FloatArray]

STEP, STEP_GROWTH = 0.27, 0.165
"""Spacing in u for a smooth peak, and how it narrows as the peak does (see `_spacing`)."""
SHARP = 40.0
"""A kernel that is sharp where p^a is narrower than this is below rounding there."""
DEPTH, DEEPEST = 50.0, 600.0
"""A fall is raised to the next multiple; exp(-600) is as good as 0."""
NEGLIGIBLE = 42.0
"""exp(-42) is below rounding."""
FARTHEST = 600.0
"""In u; exp of it is finite, and no sum goes as far."""
RUNG = 8.0
"""Sharpness is raised to the next power of it, so that many rows share their nodes."""
FEW_NODES = 16
"""Numbers of nodes are rounded up to its multiples, so that few shapes of work arise."""
CELLS = 400_000
"""Rows x nodes worked at a time: a bound on memory."""


class BetaAverage:
    """Mean of functions of p ~ Beta(a, b), for one a and a b per row.

    Parameters
    ----------
    a, b
        Parameters of the beta distribution, > 0.
    sharpness
        One per row: the functions change by no more than a fixed factor while p changes by
        1 / sharpness, and do not vary by more than a factor (1 + sharpness) exp(fall) over all p.
    fall
        See there, one per row: where functions fall far, the rarest p may make up their mean.

    Notes
    -----
    A row's nodes follow from its own a, b and sharpness alone, so that its mean is the same to the
    last bit whatever rows it is worked with.
    """

    def __init__(
        self, a: float, b: FloatArray, sharpness: FloatArray, fall: FloatArray | None = None
    ) -> None:
        rung = RUNG ** np.ceil(np.log(1 + sharpness) / np.log(RUNG))
        depth = np.zeros_like(b) if fall is None else np.minimum(fall, DEEPEST)
        depth = DEPTH * np.ceil(depth / DEPTH)
        distinct = distinct_rows(b, rung, depth)
        first = distinct.first
        left, step, count = _lines(a, b[first], rung[first], depth[first])
        self._blocks = [
            _block(distinct, count == nodes, a, b, left, step, int(nodes))
            for nodes in np.unique(count)
        ]
        self._size = len(b)

    def mean(self, kernel: Kernel) -> FloatArray:
        """Mean of `kernel(p, rows)`: p has a line of nodes for each of the `rows`."""
        means = np.empty(self._size)
        for block in self._blocks:
            for chunk in block.chunks():
                rows, line = block.rows[chunk], block.line[chunk]
                values = kernel(block.p[line], rows)
                means[rows] = np.sum(values * block.weight[line], axis=1)
        return means


class _Block(NamedTuple):
    """Rows whose lines have equally many nodes: `line` is each row's line of `p` and `weight`."""

    rows: Rows
    line: Rows
    p: FloatArray
    weight: FloatArray

    def chunks(self) -> Iterator[slice]:
        size = max(1, CELLS // self.p.shape[1])
        for start in range(0, len(self.rows), size):
            yield slice(start, start + size)


def _block(
    distinct: Distinct,
    chosen: NDArray[np.bool_],
    a: float,
    b: FloatArray,
    left: FloatArray,
    step: FloatArray,
    nodes: int,
) -> _Block:
    """The rows whose distinct line is among the `chosen`, with these lines' nodes."""
    rows = np.flatnonzero(chosen[distinct.codes])
    line = (np.cumsum(chosen) - 1)[distinct.codes[rows]]
    p, weight = _nodes(a, b[distinct.first[chosen]], left[chosen], step[chosen], nodes)
    return _Block(rows, line, p, weight)


def _lines(
    a: float, b: FloatArray, sharpness: FloatArray, depth: FloatArray
) -> tuple[FloatArray, FloatArray, Rows]:
    """Where each line of nodes begins in u, its spacing, and how many nodes it has."""
    near_a = np.full_like(b, a)
    peak = np.log(near_a / b)
    drop = NEGLIGIBLE + np.log1p(sharpness) + depth
    left = np.maximum(peak - _reach(near_a, b, drop), -NEGLIGIBLE - np.log(1 + b + sharpness))
    right = np.minimum(peak + _reach(b, near_a, drop), NEGLIGIBLE + np.log(1 + a + sharpness))
    wanted = np.ceil((right - left) / _spacing(a, b, depth)) + 1
    count = (np.ceil(wanted / FEW_NODES) * FEW_NODES).astype(np.intp)
    return left, (right - left) / (count - 1), count


def _nodes(
    a: float, b: FloatArray, left: FloatArray, step: FloatArray, count: int
) -> tuple[FloatArray, FloatArray]:
    """Nodes p and weights, one line for each b."""
    near_a = np.full_like(b, a)
    peak = np.log(near_a / b)
    u = left[:, None] + step[:, None] * np.arange(count)
    weight = np.exp(-_fall(u - peak[:, None], near_a[:, None], b[:, None]))
    # Past the ends the function is constant and the weight geometric: the rest of the sum is known.
    weight[:, 0] /= -np.expm1(-a * step)
    weight[:, -1] /= -np.expm1(-b * step)
    return 1 / (1 + np.exp(-u)), weight / weight.sum(axis=1, keepdims=True)


def _spacing(a: float, b: FloatArray, depth: FloatArray) -> FloatArray:
    """Spacing at which the sum is exact: |Gamma(s + 2 pi i / spacing)| / Gamma(s) < 1e-15.

    That ratio is the error for a peak of shape s: s = ab / (a+b) for the weight alone, and a where
    a kernel cuts it off at small p.
    """
    shape = np.maximum(np.minimum(a, SHARP + depth), a * b / (a + b))
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


def _reach(near: FloatArray, far: FloatArray, drop: FloatArray) -> FloatArray:
    """Distance towards p = 0 (near = a) at which the weight has fallen by `drop`.

    By Newton steps from above: the fall is convex. Towards p = 1 with near = b.
    """
    total = near + far
    distance = np.minimum((drop + total * np.log1p(near / far)) / near, FARTHEST)
    for _ in range(100):
        excess = _fall(-distance, near, far) - drop
        open_still = excess >= 0.5
        if not open_still.any():
            break
        kept = far + near * np.exp(-distance)
        slope = near * far * -np.expm1(-distance) / kept
        # A row that has settled stays, however long the others take.
        distance = np.where(open_still, distance - excess / slope, distance)
    return distance


def as_column(values: FloatArray, rows: Rows) -> NDArray[np.float64]:
    """The rows' values, ready to meet their lines of nodes."""
    return values[rows, None]
