"""Interval of a customer's future from tables of survival, mixed over parameters and activity.

Left out is (1 - level) / 2 at either end. Where nothing (or a whole number) is so likely that less
than that lies below, the rest is left out above, so that no more than `level` is held if it can be.
"""

import math

import numpy as np
from numpy.typing import NDArray

from patronage.models.random_draws import compiled
from patronage.models.rfm_input import FloatArray
from patronage.models.survival_tables import (
    COUNT_EDGES,
    count_above,
    count_edge,
    money_above,
)

PRECISION = 1e-7
"""Of the logarithm of an amount."""
ROUNDS = 100

Tables = NDArray[np.float32]
Places = NDArray[np.int64]


@compiled
def money_intervals(
    tables: Tables,
    frames: FloatArray,
    place: Places,
    share: FloatArray,
    alive: FloatArray,
    log_scale: FloatArray,
    level: float,
    found: FloatArray,
) -> None:
    """Fill found[i] = low, high, P(held) of customer i.

    Her tables are those at the four `place`s, of weight `share`; `alive` and `log_scale` have a
    column for each set of parameters.
    """
    tail = (1 - level) / 2
    for i in range(place.shape[0]):
        arguments = (tables, frames, place[i], share[i], alive[i], log_scale[i])
        none = 1 - _spends_more(-math.inf, *arguments)
        low, below = 0.0, 0.0
        if none < tail:
            low, below = math.exp(_amount(1 - tail, *arguments)), tail
        high, held = 0.0, none
        if none < level:
            high, held = math.exp(_amount(1 - level - below, *arguments)), level
        found[i, 0], found[i, 1], found[i, 2] = low, high, held


@compiled
def _spends_more(
    log_amount: float,
    tables: Tables,
    frames: FloatArray,
    place: NDArray[np.int64],
    share: FloatArray,
    alive: FloatArray,
    log_scale: FloatArray,
) -> float:
    total = 0.0
    for corner in range(place.size):
        if share[corner] == 0:
            continue
        table, frame, part = tables[place[corner]], frames[place[corner]], 0.0
        for k in range(alive.size):
            part += alive[k] * money_above(log_amount - log_scale[k], table[k], frame)
        total += share[corner] * part
    return total / alive.size


@compiled
def _amount(
    target: float,
    tables: Tables,
    frames: FloatArray,
    place: NDArray[np.int64],
    share: FloatArray,
    alive: FloatArray,
    log_scale: FloatArray,
) -> float:
    """Logarithm of the amount that is exceeded with probability `target`, by Illinois steps."""
    arguments = (tables, frames, place, share, alive, log_scale)
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


@compiled
def count_intervals(
    tables: Tables,
    place: Places,
    share: FloatArray,
    alive: FloatArray,
    level: float,
    found: FloatArray,
) -> None:
    """Fill found[i] = low, high, P(held) of customer i, as `money_intervals`."""
    tail = (1 - level) / 2
    for i in range(place.shape[0]):
        arguments = (tables, place[i], share[i], alive[i])
        low = _count(1 - tail, *arguments)
        below = 1 - _buys_more(low - 1, *arguments) if low > 0 else 0.0
        high = max(low, _count(1 - level - below, *arguments))
        found[i, 0], found[i, 1] = low, high
        found[i, 2] = 1 - _buys_more(high, *arguments) - below


@compiled
def _buys_more(
    count: float, tables: Tables, place: NDArray[np.int64], share: FloatArray, alive: FloatArray
) -> float:
    total = 0.0
    for corner in range(place.size):
        if share[corner] == 0:
            continue
        table, part = tables[place[corner]], 0.0
        for k in range(alive.size):
            part += alive[k] * count_above(count, table[k])
        total += share[corner] * part
    return total / alive.size


@compiled
def _count(
    target: float, tables: Tables, place: NDArray[np.int64], share: FloatArray, alive: FloatArray
) -> float:
    """Smallest count that is exceeded with probability `target` at most."""
    arguments = (tables, place, share, alive)
    if _buys_more(0.0, *arguments) <= target:
        return 0.0
    low, high = 0.0, 1.0
    while high < count_edge(COUNT_EDGES - 1) and _buys_more(high, *arguments) > target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = math.floor((low + high) / 2)
        if _buys_more(middle, *arguments) > target:
            low = middle
        else:
            high = middle
    return high
