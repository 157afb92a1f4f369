"""Compiled loops over the rows of the optional tables; each value is of its row and the past."""

import numpy as np
from numba import types

from patronage.compiling import FLOATS, WHOLES, compiled
from patronage.features.arrays import DayArray, FloatArray, Places
from patronage.features.kernels import DAYS
from patronage.features.records import Mask

MASK = types.Array(types.boolean, 1, "C", readonly=True)
CODES = types.Array(types.int32, 1, "C", readonly=True)


@compiled(DAYS, MASK, WHOLES)
def first_in_first_out(
    day: DayArray, opened: Mask, offsets: Places
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """State of a queue after each row, which opens a case or else closes the oldest open one.

    Cases open, day of the oldest of them (NaN with none), sum of the days that closed cases were
    open, their number, and the days of the one closed last (NaN with none).
    """
    waiting, total, closed = np.zeros(day.size), np.zeros(day.size), np.zeros(day.size)
    oldest, last = np.full(day.size, np.nan), np.full(day.size, np.nan)
    queue = np.empty(day.size, np.int64)
    for c in range(offsets.size - 1):
        head, tail, days, took = 0, 0, 0.0, np.nan
        for i in range(offsets[c], offsets[c + 1]):
            if opened[i]:
                queue[tail] = day[i]
                tail += 1
            elif head < tail:
                took = float(day[i] - queue[head])
                days += took
                head += 1
            waiting[i], closed[i], total[i], last[i] = tail - head, head, days, took
            if head < tail:
                oldest[i] = queue[head]
    return waiting, oldest, total, closed, last


@compiled(FLOATS, WHOLES, types.int64)
def running_answers(
    score: FloatArray, offsets: Places, n_recent: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Per answer, what was answered so far to the same question; answers g at offsets[g] on.

    Mean up to and with it, its difference to the mean before it (NaN on the first), and the slope
    of a straight line through the last `n_recent` answers at most (NaN with fewer than two).
    """
    mean, change = np.full(score.size, np.nan), np.full(score.size, np.nan)
    slope = np.full(score.size, np.nan)
    for g in range(offsets.size - 1):
        total = 0.0
        for i in range(offsets[g], offsets[g + 1]):
            before = i - offsets[g]
            if before > 0:
                change[i] = score[i] - total / before
                n = min(before + 1, n_recent)
                middle, across, squares = (n - 1) / 2, 0.0, 0.0
                for step in range(n):
                    across += (middle - step) * score[i - step]
                    squares += (middle - step) ** 2
                slope[i] = across / squares
            total += score[i]
            mean[i] = total / (before + 1)
    return mean, change, slope
