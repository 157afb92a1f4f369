"""Compiled loops behind Variety: rows of customer, day and code, in the order of time.

The state after the last row of a day does not depend on the order of the rows within it.
"""

import numpy as np
from numba import types

from patronage.compiling import FLOATS, WHOLES, compiled
from patronage.features.arrays import DayArray, FloatArray, Places
from patronage.features.event_kernels import CODES
from patronage.features.kernels import DAYS
from patronage.features.records import Codes

NEVER = -(2.0**31)


@compiled(CODES, FLOATS, DAYS, WHOLES, types.int64)
def running_spread(
    code: Codes, lines: FloatArray, day: DayArray, offsets: Places, n_codes: int
) -> tuple[
    FloatArray, FloatArray, FloatArray, Codes, FloatArray, FloatArray, FloatArray, FloatArray
]:
    """The fields of `patronage.features.variety.Spread`; every row must have a code."""
    size = code.size
    entropy, distinct, top_share = np.empty(size), np.empty(size), np.empty(size)
    top, top_day, new = np.empty(size, np.int32), np.empty(size), np.zeros(size)
    new_day, before = np.empty(size), np.empty(size)
    count, last = np.zeros(n_codes), np.full(n_codes, NEVER)
    for c in range(offsets.size - 1):
        n, weighted, kinds, best, newest = 0.0, 0.0, 0.0, -1, 0.0
        for i in range(offsets[c], offsets[c + 1]):
            k = code[i]
            if last[k] == NEVER:
                new[i], newest = 1.0, float(day[i])
                kinds += 1.0
            else:
                weighted -= count[k] * np.log(count[k])
            before[i], last[k] = last[k], float(day[i])
            count[k] += lines[i]
            n += lines[i]
            weighted += count[k] * np.log(count[k])
            if best < 0 or count[k] > count[best] or (count[k] == count[best] and k < best):
                best = k
            entropy[i] = max(np.log(n) - weighted / n, 0.0)
            distinct[i], new_day[i] = kinds, newest
            top[i], top_share[i], top_day[i] = best, count[best] / n, last[best]
        for i in range(offsets[c], offsets[c + 1]):
            count[code[i]], last[code[i]] = 0.0, NEVER
    return entropy, distinct, top_share, top, top_day, new, new_day, before


@compiled(DAYS, FLOATS, WHOLES, WHOLES, DAYS, DAYS)
def distinct_between(
    day: DayArray,
    before: FloatArray,
    offsets: Places,
    customer: Places,
    start: DayArray,
    end: DayArray,
) -> FloatArray:
    """Distinct codes of the days from start to before end: rows whose code is new in them."""
    found = np.zeros(customer.size)
    for r in range(customer.size):
        low, high = offsets[customer[r]], offsets[customer[r] + 1]
        while low < high:
            middle = (low + high) // 2
            if day[middle] < end[r]:
                low = middle + 1
            else:
                high = middle
        i = low - 1
        while i >= offsets[customer[r]] and day[i] >= start[r]:
            if before[i] < start[r]:
                found[r] += 1.0
            i -= 1
    return found
