"""P(a customer makes more than n purchases), tabulated, and its inverse for each customer."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from patronage.models.compiling import compiled
from patronage.models.rfm_input import FloatArray

Shares: TypeAlias = NDArray[np.float32]
Places: TypeAlias = NDArray[np.int64]

COUNT_EDGES = 256
SINGLE = 64
"""Counts below this have an edge each; edges above grow by a factor."""
GROWTH = 1.05


@compiled
def fill_count_table(found: FloatArray, above: Shares) -> None:
    """Tabulate draws of counts: above[k, g] becomes P(count > the count at edge g)."""
    for k in range(found.shape[0]):
        _fill_counts(found[k], above[k])


@compiled
def _count_edge(index: int) -> float:
    """The count at an edge."""
    if index < SINGLE:
        return float(index)
    return float(np.floor(SINGLE * GROWTH ** (index - SINGLE)))


@compiled
def _fill_counts(draws: FloatArray, above: Shares) -> None:
    above[:] = 0
    share = np.float32(1 / draws.size)
    for value in draws:
        edge = _edge_at_or_above(value)
        if edge > 0:
            above[min(edge, COUNT_EDGES) - 1] += share
    for edge in range(COUNT_EDGES - 2, -1, -1):
        above[edge] += above[edge + 1]


@compiled
def _edge_at_or_above(count: float) -> int:
    """First edge that is not below the count."""
    if count < SINGLE:
        return int(count)
    low, high = SINGLE - 1, COUNT_EDGES
    while high - low > 1:
        middle = (low + high) // 2
        if _count_edge(middle) < count:
            low = middle
        else:
            high = middle
    return high


@compiled
def _count_above(count: float, above: Shares) -> float:
    """P(more than `count`), interpolated between edges."""
    edge = min(_edge_at_or_above(count), COUNT_EDGES - 1)
    high = _count_edge(edge)
    if count >= high:
        return float(above[edge])
    low = _count_edge(edge - 1)
    return float(above[edge - 1] + (above[edge] - above[edge - 1]) * (count - low) / (high - low))


@compiled
def count_intervals(
    tables: Shares,
    place: Places,
    share: FloatArray,
    weight: FloatArray,
    level: float,
    found: FloatArray,
) -> None:
    """Fill found[i] = low, high, P(held) of customer i, as `money_intervals`."""
    tail = (1 - level) / 2
    for i in range(place.shape[0]):
        arguments = (tables, place[i], share[i], weight[i])
        low = _count(1 - tail, *arguments)
        below = 1 - _buys_more(low - 1, *arguments) if low > 0 else 0.0
        high = max(low, _count(1 - level - below, *arguments))
        found[i, 0], found[i, 1] = low, high
        found[i, 2] = 1 - _buys_more(high, *arguments) - below


@compiled
def _buys_more(
    count: float, tables: Shares, place: NDArray[np.int64], share: FloatArray, weight: FloatArray
) -> float:
    total = 0.0
    for corner in range(place.size):
        if share[corner] == 0:
            continue
        table, part = tables[place[corner]], 0.0
        for k in range(weight.size):
            part += weight[k] * _count_above(count, table[k])
        total += share[corner] * part
    return total


@compiled
def _count(
    target: float, tables: Shares, place: NDArray[np.int64], share: FloatArray, weight: FloatArray
) -> float:
    """Smallest count that is exceeded with probability `target` at most."""
    arguments = (tables, place, share, weight)
    if _buys_more(0.0, *arguments) <= target:
        return 0.0
    low, high = 0.0, 1.0
    while high < _count_edge(COUNT_EDGES - 1) and _buys_more(high, *arguments) > target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = np.floor((low + high) / 2)
        if _buys_more(middle, *arguments) > target:
            low = middle
        else:
            high = middle
    return high
