"""P(a customer makes more than n purchases), tabulated, and its inverse for each customer."""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from patronage.compiling import compiled
from patronage.models.rfm_input import FloatArray

Shares: TypeAlias = NDArray[np.float32]
Places: TypeAlias = NDArray[np.int64]

COUNT_EDGES = 256
SINGLE = 64
"""Counts below this have an edge each; edges above grow by a factor."""
GROWTH = 1.05
NEGLIGIBLE = 1e-9
"""Of the weight of the likeliest number of events."""
ENDS = 8
SPREAD = 0.6180339887498949
"""The golden ratio's: its multiples, less whole numbers, are spread evenly over (0, 1)."""
LONGEST = 3000.0
"""Events per unit of shape that are counted one by one; beyond, draws are quicker."""


@compiled()
def fill_count_table(found: FloatArray, above: Shares) -> None:
    """Tabulate draws of counts: above[g, k] becomes P(count > the count at edge g)."""
    above[:] = 0
    share = np.float32(1 / found.shape[1])
    for k in range(found.shape[0]):
        for value in found[k]:
            edge = _edge_at_or_above(value)
            if edge > 0:
                above[min(edge, COUNT_EDGES) - 1, k] += share
    for edge in range(COUNT_EDGES - 2, -1, -1):
        for k in range(found.shape[0]):
            above[edge, k] += above[edge + 1, k]


@compiled()
def fill_timed_counts(
    traits: FloatArray, frequency: float, T: float, stages: int, above: Shares
) -> None:
    """The same, computed, of `future_draws.draw_futures`: above[g, k] for row k of the traits.

    Events in a time are negative binomial; purchases end with the one after which she leaves, or
    with a time whose distribution is taken at `ENDS` places, others for each row.
    """
    parts = traits.shape[0]
    events, shares = np.empty(COUNT_EDGES), np.empty(COUNT_EDGES)
    for k in range(parts):
        shape, scale = traits[k, 0] + stages * frequency, traits[k, 1] + T
        passed = int(traits[k, 6])
        hazard, hazard_scale = traits[k, 4], traits[k, 5] + T
        gone = -math.expm1(-hazard * math.log1p(1 / hazard_scale)) if hazard > 0 else 0.0
        _events_above(shape, scale, stages, passed, events)
        shares[:] = (1 - gone) * events
        if gone > 0:
            offset = (0.5 + k // stages * SPREAD) % 1.0
            for place in range(ENDS):
                left = math.log1p(-gone * (place + offset) / ENDS)
                end = min(hazard_scale * math.expm1(-left / hazard), 1.0)
                if end > 0:
                    _events_above(shape, scale / end, stages, passed, events)
                    shares += gone / ENDS * events
        _leave_after(traits[k, 2], traits[k, 3] + frequency, shares)
        for edge in range(COUNT_EDGES):
            above[edge, k] = shares[edge]


@compiled()
def _events_above(shape: float, scale: float, stages: int, passed: int, shares: FloatArray) -> None:
    """P(more purchases than at each edge), by the events in one unit of time.

    They are negative binomial; summed from where they are too few to matter to where too many.
    """
    z, mode = 1 / (1 + scale), np.floor(max(0.0, (shape - 1) / scale))
    events, weight = mode, 1.0
    while events > 0 and weight > NEGLIGIBLE:
        weight *= events / ((shape + (events - 1)) * z)
        events -= 1
    total, edge = 0.0, 0
    due = (_count_edge(0) + 1) * stages - passed
    while True:
        while edge < COUNT_EDGES and due <= events:
            shares[edge] = total
            edge += 1
            due = (_count_edge(edge) + 1) * stages - passed
        total += weight
        ratio = (shape + events) / (events + 1) * z
        weight *= ratio
        events += 1
        if events > mode and weight < NEGLIGIBLE * total * (1 - max(ratio, z)):
            break
    shares[edge:] = total
    shares[:] = 1 - shares / total


@compiled()
def _leave_after(a: float, b: float, shares: FloatArray) -> None:
    """Times P(she does not leave with one of so many purchases), P(leave) ~ Beta(a, b)."""
    if a == 0:
        return
    stay, made = 1.0, 0.0
    for edge in range(COUNT_EDGES):
        count = _count_edge(edge)
        while made < count and shares[edge] > 0:
            stay *= (b + made) / (a + b + made)
            made += 1
        shares[edge] *= stay


@compiled()
def _count_edge(index: int) -> float:
    """The count at an edge."""
    if index < SINGLE:
        return float(index)
    return float(np.floor(SINGLE * GROWTH ** (index - SINGLE)))


@compiled()
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


@compiled()
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


@compiled()
def _buys_more(
    count: float, tables: Shares, place: NDArray[np.int64], share: FloatArray, weight: FloatArray
) -> float:
    """P(more than `count`), interpolated between edges."""
    edge = min(_edge_at_or_above(count), COUNT_EDGES - 1)
    high, low = _count_edge(edge), _count_edge(max(edge - 1, 0))
    back = (high - count) / (high - low) if count < high else 0.0
    total = 0.0
    for corner in range(place.size):
        if share[corner] == 0:
            continue
        above = tables[place[corner]]
        part = _dot(weight, above[edge])
        if back > 0:
            part += back * (_dot(weight, above[edge - 1]) - part)
        total += share[corner] * part
    return total


@compiled()
def _dot(weight: FloatArray, shares: Shares) -> float:
    total = 0.0
    for k in range(weight.size):
        total += weight[k] * shares[k]
    return total


@compiled()
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
