"""Compiled loops over customers' (frequency, recency, T); imported where they are used."""

import math

import numpy as np
from numpy.typing import NDArray

from patronage.compiling import FLOATS, NUMBER, WHOLE, WHOLES, compiled
from patronage.models.rfm_input import FloatArray

FIELD = 21
"""Bits for each of three whole numbers in one key."""
LIMIT = float(1 << FIELD)
EMPTY = -1
SPREAD = np.int64(-7046029254386353131)
"""2^64 / golden ratio, odd: a multiple of a key spreads its bits."""


@compiled(FLOATS, FLOATS, FLOATS)
def timing_is_valid(x: FloatArray, t_x: FloatArray, T: FloatArray) -> bool:
    """Whether no row breaks a rule of the customer table; NaN breaks all."""
    wrong = 0
    for i in range(x.size):  # without a branch, so that the rows are worked in packs
        ordered = (t_x[i] >= 0.0) & (t_x[i] <= T[i]) & (T[i] > 0.0) & (T[i] < math.inf)
        counted = (x[i] >= 0.0) & (x[i] < math.inf) & (x[i] == np.floor(x[i]))
        wrong += 1 - (ordered & counted & ((x[i] > 0.0) | (t_x[i] == 0.0)))
    return wrong == 0


@compiled(FLOATS, FLOATS, FLOATS, NUMBER)
def grid_keys(
    x: FloatArray, t_x: FloatArray, T: FloatArray, per_unit: float
) -> tuple[NDArray[np.int64], bool]:
    """Each row as one whole number, and whether that holds all of every row.

    It does where times are whole numbers / `per_unit` (days, or days / 7) of modest size.
    """
    keys = np.empty(x.size, np.int64)
    off = 0
    for i in range(x.size):
        a, b = np.floor(t_x[i] * per_unit + 0.5), np.floor(T[i] * per_unit + 0.5)
        whole = (a / per_unit == t_x[i]) & (b / per_unit == T[i]) & (x[i] == np.floor(x[i]))
        low = (a >= 0.0) & (b >= 0.0) & (x[i] >= 0.0)
        off += 1 - (whole & low & (a < LIMIT) & (b < LIMIT) & (x[i] < LIMIT))
        keys[i] = (((np.int64(x[i]) << FIELD) | np.int64(a)) << FIELD) | np.int64(b)
    return keys, off == 0


@compiled(WHOLES, WHOLE)
def key_codes(
    keys: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """First row of each distinct key >= 0, which distinct one each row is, and whether all fitted.

    `size`, a power of 2, is that of the open hash table; it may fill to a half.
    """
    table = np.full(size, EMPTY, np.int64)
    places = np.empty(size, np.int64)
    first = np.empty(size // 2 + 1, np.int64)
    codes = np.empty(keys.size, np.int64)
    found = 0
    for i in range(keys.size):
        key = keys[i]
        mixed = key * SPREAD
        slot = (mixed ^ (mixed >> 32)) & (size - 1)
        while table[slot] != EMPTY and table[slot] != key:
            slot = (slot + 1) & (size - 1)
        if table[slot] == EMPTY:
            if 2 * found >= size:
                return first[:0].copy(), codes, False
            table[slot], places[slot], first[found] = key, found, i
            found += 1
        codes[i] = places[slot]
    return first[:found].copy(), codes, True
