"""Compiled loops over customers' (frequency, recency, T); imported where they are used."""

import math

import numpy as np
from numba import types
from numpy.typing import NDArray

from patronage.compiling import FLOATS, NUMBER, compiled
from patronage.models.rfm_input import FloatArray

WORDS = types.Array(types.uint64, 1, "C")
WEIGHTS = types.Array(types.float64, 1, "A", readonly=True)
INTEGERS = types.Array(types.int64, 1, "C")
FIELD = 21
"""Bits for each of three whole numbers in one key."""
LIMIT = float(1 << FIELD)
EMPTY = -1
BLOCK = 4096
"""Rows whose keys are made at a time; no hash table has less room."""
LONGEST_T = 1e30
"""No unit of time makes a history longer: the age of the world in nanoseconds is 4e26."""
SPREAD = np.int64(-7046029254386353131)
"""2^64 / golden ratio, odd: a multiple of a key spreads its bits."""


@compiled(FLOATS, FLOATS, FLOATS)
def timing_is_valid(x: FloatArray, t_x: FloatArray, T: FloatArray) -> bool:
    """Whether no row breaks a rule of the customer table; NaN breaks all."""
    wrong = 0
    for i in range(x.size):  # without a branch, so that the rows are worked in packs
        ordered = (t_x[i] >= 0.0) & (t_x[i] <= T[i]) & (T[i] > 0.0) & (T[i] <= LONGEST_T)
        counted = (x[i] >= 0.0) & (x[i] < math.inf) & (x[i] == np.floor(x[i]))
        wrong += 1 - (ordered & counted & ((x[i] > 0.0) == (t_x[i] > 0.0)))
    return wrong == 0


@compiled(FLOATS, FLOATS)
def spend_is_valid(x: FloatArray, mean: FloatArray) -> bool:
    """The same of the rules for frequency and mean spend."""
    wrong = 0
    for i in range(x.size):
        counted = (x[i] >= 0.0) & (x[i] < math.inf) & (x[i] == np.floor(x[i]))
        wrong += 1 - (counted & (np.abs(mean[i]) < math.inf))
    return wrong == 0


@compiled(FLOATS, FLOATS, FLOATS, NUMBER, INTEGERS)
def grid_keys(
    x: FloatArray, t_x: FloatArray, T: FloatArray, per_unit: float, keys: NDArray[np.int64]
) -> bool:
    """Fill `keys` with each row as one whole number >= 0; whether that holds all of every row.

    It does where times are whole numbers / `per_unit` (days, or days / 7) of modest size.
    """
    off = 0
    for i in range(x.size):
        a, b = np.floor(t_x[i] * per_unit + 0.5), np.floor(T[i] * per_unit + 0.5)
        whole = (a / per_unit == t_x[i]) & (b / per_unit == T[i]) & (x[i] == np.floor(x[i]))
        low = (a >= 0.0) & (b >= 0.0) & (x[i] >= 0.0)
        off += 1 - (whole & low & (a < LIMIT) & (b < LIMIT) & (x[i] < LIMIT))
        keys[i] = (((np.int64(x[i]) << FIELD) | np.int64(a)) << FIELD) | np.int64(b)
    return off == 0


@compiled(*[FLOATS] * 3, WEIGHTS, NUMBER, types.int64, INTEGERS)
def group_on_grid(
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    weights: FloatArray,
    per_unit: float,
    size: int,
    codes: NDArray[np.int64],
) -> tuple[NDArray[np.int64], FloatArray, bool, bool]:
    """First row and weight of each distinct row; whether all are on the grid, and all fitted.

    Fills `codes` with which distinct one each row is. Empty `codes` are not wanted; with empty
    `weights`, neither are weights. `size`, a power of 2, is that of the open hash table; it may
    fill to a half. A column of keys would take longer to store than to make.
    """
    weighted, coded = weights.size > 0, codes.size > 0
    table, places = np.full(size, EMPTY, np.int64), np.empty(size, np.int32)
    first = np.empty(size // 2 + 1, np.int64)
    total = np.zeros(len(first) * weighted)
    keys = np.empty(BLOCK, np.int64)
    found = 0
    for start in range(0, x.size, BLOCK):
        stop = min(start + BLOCK, x.size)
        exact = grid_keys(x[start:stop], t_x[start:stop], T[start:stop], per_unit, keys)
        if not exact or 2 * (found + BLOCK) > size:
            return first[:0].copy(), total, exact, False
        for i in range(start, stop):
            key = keys[i - start]
            mixed = key * SPREAD
            slot = (mixed ^ (mixed >> 32)) & (size - 1)
            while table[slot] != EMPTY and table[slot] != key:
                slot = (slot + 1) & (size - 1)
            if table[slot] == EMPTY:
                table[slot], places[slot], first[found] = key, found, i
                found += 1
            if coded:
                codes[i] = places[slot]
            if weighted:
                total[places[slot]] += weights[i]
    return first[:found].copy(), total[:found].copy(), True, True


@compiled(types.uint64)
def _scattered(word: np.uint64) -> np.uint64:
    """A word whose bits all depend on all bits of `word`, as splitmix64 and pandas do it."""
    word ^= word >> np.uint64(30)
    word *= np.uint64(0xBF58476D1CE4E5B9)
    word ^= word >> np.uint64(27)
    word *= np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@compiled(WORDS, WORDS)
def mix_in(mixed: NDArray[np.uint64], column: NDArray[np.uint64]) -> None:
    """Let each row's word depend on a further column."""
    for i in range(mixed.size):
        mixed[i] = mixed[i] * np.uint64(0x9E3779B97F4A7C15) + _scattered(column[i])


@compiled(WORDS)
def mixed_sum(words: NDArray[np.uint64]) -> np.uint64:
    """Sum of the scattered words, modulo 2^64."""
    total = np.uint64(0)
    for i in range(words.size):
        total += _scattered(words[i])
    return total
