"""P(a customer brings more than c), tabulated on a log scale, and its inverse for each customer."""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from patronage.compiling import compiled
from patronage.models.rfm_input import FloatArray

Shares: TypeAlias = NDArray[np.float32]
Places: TypeAlias = NDArray[np.int64]

MONEY_EDGES = 160
RANGE_BINS = 2048
DEEPEST = 60.0
"""Draws this far below the largest, in logarithms, do not set the edges."""
LOWEST_SHARE = 0.005
"""Share of the positive draws below the lowest edge."""
PRECISION = 1e-7
"""Of the logarithm of an amount."""
ROUNDS = 100


@compiled()
def fill_money_table(
    found: FloatArray, highest_share: float, above: Shares, frame: FloatArray
) -> None:
    """Tabulate draws of ln(amount / scale), a row for each set of parameters.

    above[k] becomes the share above 0, then above each edge; `frame` the lowest edge, the spacing,
    and the largest draw, as logarithms.
    """
    _set_frame(found, highest_share, frame)
    for k in range(found.shape[0]):
        _fill_money(found[k], frame, above[k])


@compiled()
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


@compiled()
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


@compiled()
def _money_above(log_amount: float, above: Shares, frame: FloatArray) -> float:
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


@compiled()
def money_intervals(
    tables: Shares,
    frames: FloatArray,
    place: Places,
    share: FloatArray,
    weight: FloatArray,
    log_scale: FloatArray,
    level: float,
    found: FloatArray,
) -> None:
    """Fill found[i] = low, high, P(held) of customer i.

    Her tables are those at the `place`s, mixed by `share`; `weight` and `log_scale` have a column
    for each set of parameters and stage.
    """
    tail = (1 - level) / 2
    for i in range(place.shape[0]):
        arguments = (tables, frames, place[i], share[i], weight[i], log_scale[i])
        none = 1 - _spends_more(-math.inf, *arguments)
        low, below = 0.0, 0.0
        if none < tail:
            low, below = math.exp(_amount(1 - tail, *arguments)), tail
        high, held = 0.0, none
        if none < level:
            high, held = math.exp(_amount(1 - level - below, *arguments)), level
        found[i, 0], found[i, 1], found[i, 2] = low, high, held


@compiled()
def _spends_more(
    log_amount: float,
    tables: Shares,
    frames: FloatArray,
    place: NDArray[np.int64],
    share: FloatArray,
    weight: FloatArray,
    log_scale: FloatArray,
) -> float:
    total = 0.0
    for corner in range(place.size):
        if share[corner] == 0:
            continue
        table, frame, part = tables[place[corner]], frames[place[corner]], 0.0
        for k in range(weight.size):
            part += weight[k] * _money_above(log_amount - log_scale[k], table[k], frame)
        total += share[corner] * part
    return total


@compiled()
def _amount(
    target: float,
    tables: Shares,
    frames: FloatArray,
    place: NDArray[np.int64],
    share: FloatArray,
    weight: FloatArray,
    log_scale: FloatArray,
) -> float:
    """Logarithm of the amount that is exceeded with probability `target`, by Illinois steps."""
    arguments = (tables, frames, place, share, weight, log_scale)
    low, high = math.inf, -math.inf
    for corner in range(place.size):
        if share[corner] > 0:
            low = min(low, frames[place[corner], 0])
            high = max(high, frames[place[corner], 2])
    low, high = low + log_scale.min(), high + log_scale.max()
    above, below = _spends_more(low, *arguments) - target, -target
    while above < 0 and low > -700:
        low -= 5
        above = _spends_more(low, *arguments) - target
    for _ in range(ROUNDS):
        if high - low < PRECISION:
            break
        middle = low + (high - low) * min(max(above / (above - below), 1e-3), 1 - 1e-3)
        value = _spends_more(middle, *arguments) - target
        if value > 0:
            low, above, below = middle, value, below / 2
        else:
            high, below, above = middle, value, above / 2
    return float((low + high) / 2)
