"""P(more than c) given an active customer, tabulated: for money on a log scale, for counts.

One table holds, for each set of parameters, the share of the draws above each of its edges.
"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from patronage.models.active_future import draw_futures
from patronage.models.random_draws import compiled
from patronage.models.rfm_input import FloatArray

Shares: TypeAlias = NDArray[np.float32]

MONEY_EDGES = 160
COUNT_EDGES = 256
SINGLE = 64
"""Counts below this have an edge each; edges above grow by a factor."""
GROWTH = 1.05
RANGE_BINS = 2048
DEEPEST = 60.0
"""Draws this far below the largest, in logarithms, do not set the edges."""
LOWEST_SHARE = 0.005
"""Share of the positive draws below the lowest edge."""


@compiled
def count_edge(index: int) -> float:
    """The count at an edge."""
    if index < SINGLE:
        return float(index)
    return math.floor(SINGLE * GROWTH ** (index - SINGLE))


@compiled
def money_tables(
    traits: FloatArray,
    spend: FloatArray,
    latent: FloatArray,
    frequency: float,
    times: FloatArray,
    discount: float,
    seed: int,
    highest_share: float,
    first: int,
    step: int,
    above: Shares,
    frame: FloatArray,
) -> None:
    """Fill the tables of every `step`-th time from `first`.

    above[t, k] holds the share above 0, then above each edge; frame[t] the lowest edge, the
    spacing, and the largest draw, as logarithms.
    """
    found = np.empty((latent.shape[0], latent.shape[1]))
    for t in range(first, times.size, step):
        draw_futures(traits, spend, latent, frequency, times[t], discount, seed, found)
        _set_frame(found, highest_share, frame[t])
        for k in range(found.shape[0]):
            _fill_money(found[k], frame[t], above[t, k])


@compiled
def _set_frame(found: FloatArray, highest_share: float, frame: FloatArray) -> None:
    """Edges from the `LOWEST_SHARE` to the `highest_share` quantile of the positive draws."""
    top = found.max()
    if top == -math.inf:
        frame[:] = (-1.0, 1.0, 0.0)
        return
    bottom = top
    for value in found.flat:
        if value > top - DEEPEST:
            bottom = min(bottom, value)
    width = (top - bottom) / RANGE_BINS + 1e-12
    bins = np.zeros(RANGE_BINS + 1)
    for value in found.flat:
        if value >= bottom:
            bins[int((value - bottom) / width)] += 1
    passed = np.cumsum(bins) / bins.sum()
    low = bottom + np.searchsorted(passed, LOWEST_SHARE) * width
    high = bottom + (np.searchsorted(passed, highest_share) + 1) * width
    frame[0], frame[2] = low, top + 1e-9
    frame[1] = max(min(high, top) - low, 1e-9) / (MONEY_EDGES - 1)


@compiled
def _fill_money(draws: FloatArray, frame: FloatArray, above: Shares) -> None:
    above[:] = 0
    share = np.float32(1 / draws.size)
    for value in draws:
        if value == -math.inf:
            continue
        cell = (value - frame[0]) / frame[1]
        passed = 1 + int(cell) if cell >= 0 else 0
        above[min(passed, MONEY_EDGES)] += share
    for edge in range(MONEY_EDGES - 1, -1, -1):
        above[edge] += above[edge + 1]


@compiled
def money_above(log_amount: float, above: Shares, frame: FloatArray) -> float:
    """P(more than the amount), interpolated; below the edges towards P(more than 0)."""
    cell = (log_amount - frame[0]) / frame[1]
    if cell < 0:
        return float(above[1] + (above[0] - above[1]) * -math.expm1(log_amount - frame[0]))
    edge = int(cell)
    if edge < MONEY_EDGES - 1:
        return float(above[edge + 1] + (above[edge + 2] - above[edge + 1]) * (cell - edge))
    high = frame[0] + (MONEY_EDGES - 1) * frame[1]
    left = (frame[2] - log_amount) / max(frame[2] - high, 1e-9)
    return float(above[MONEY_EDGES] * min(max(left, 0.0), 1.0))


@compiled
def count_tables(
    traits: FloatArray,
    spend: FloatArray,
    latent: FloatArray,
    frequency: float,
    times: FloatArray,
    seed: int,
    first: int,
    step: int,
    above: Shares,
) -> None:
    """Fill above[t, k, g], P(count > the count at edge g), for every `step`-th time."""
    found = np.empty((latent.shape[0], latent.shape[1]))
    for t in range(first, times.size, step):
        draw_futures(traits, spend, latent, frequency, times[t], 0.0, seed, found)
        for k in range(found.shape[0]):
            _fill_counts(found[k], above[t, k])


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
        if count_edge(middle) < count:
            low = middle
        else:
            high = middle
    return high


@compiled
def count_above(count: float, above: Shares) -> float:
    """P(more than `count`), interpolated between edges."""
    edge = min(_edge_at_or_above(count), COUNT_EDGES - 1)
    high = count_edge(edge)
    if count >= high:
        return float(above[edge])
    low = count_edge(edge - 1)
    return float(above[edge - 1] + (above[edge] - above[edge - 1]) * (count - low) / (high - low))
