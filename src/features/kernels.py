"""Compiled loops over customer-ordered arrays.

Customer c owns the positions offsets[c] to offsets[c + 1] - 1. The signatures are declared, so
that read-only arrays out of Arrow do not compile each kernel a second time. All running statistics
pass over NaN and are NaN until there is a value; none looks ahead.
"""

import numpy as np
from numba import types

from patronage.compiling import FLOATS, WHOLES, compiled
from patronage.features.arrays import DayArray, FloatArray, Places

DAYS = types.Array(types.int32, 1, "C", readonly=True)


@compiled(FLOATS, DAYS, WHOLES)
def chosen_rows(
    chosen: FloatArray, day: DayArray, offsets: Places
) -> tuple[Places, DayArray, Places]:
    """Rows that are chosen, not 0, their days, and where those of each customer begin."""
    rows, days = np.empty(day.size, np.int64), np.empty(day.size, np.int32)
    starts = np.zeros(offsets.size, np.int64)
    n = 0
    for c in range(offsets.size - 1):
        for i in range(offsets[c], offsets[c + 1]):
            if chosen[i] != 0:
                rows[n], days[n] = i, day[i]
                n += 1
        starts[c + 1] = n
    return rows[:n], days[:n], starts


@compiled(DAYS, WHOLES, WHOLES, DAYS)
def positions(day: DayArray, offsets: Places, customer: Places, target: DayArray) -> Places:
    """First position of each customer whose day is not before the target."""
    found = np.empty(customer.size, np.int64)
    for i in range(customer.size):
        low, high = offsets[customer[i]], offsets[customer[i] + 1]
        while low < high:
            middle = (low + high) // 2
            if day[middle] < target[i]:
                low = middle + 1
            else:
                high = middle
        found[i] = low
    return found


@compiled(FLOATS, WHOLES, WHOLES, WHOLES)
def sums_between(sums: FloatArray, begin: Places, end: Places, customer: Places) -> FloatArray:
    """Sum of each customer's values at the positions begin to end - 1, out of their prefix sums."""
    found = np.empty(customer.size)
    for i in range(customer.size):
        found[i] = sums[end[i] + customer[i]] - sums[begin[i] + customer[i]]
    return found


@compiled(FLOATS, WHOLES, WHOLES, FLOATS, types.int64)
def purchase_values(
    values: FloatArray, offsets: Places, customer: Places, count: FloatArray, number: int
) -> FloatArray:
    """Value of one of each customer's first `count` positions, from the end if number < 0.

    NaN where the customer has too few.
    """
    found = np.empty(customer.size)
    for i in range(customer.size):
        n = int(count[i])
        place = number if number >= 0 else n + number
        found[i] = values[offsets[customer[i]] + place] if 0 <= place < n else np.nan
    return found


@compiled(FLOATS, WHOLES)
def prefix_sums(values: FloatArray, offsets: Places) -> FloatArray:
    """Sum of the customer's values before each position, and of all at the end.

    Each customer takes one place more than it has values: position p of customer c is at p + c.
    Sums start anew with each customer, so they do not depend on who else is in the table.
    """
    sums = np.zeros(values.size + offsets.size - 1)
    for c in range(offsets.size - 1):
        total = 0.0
        for i in range(offsets[c], offsets[c + 1]):
            total += values[i]
            sums[i + c + 1] = total
    return sums


@compiled(FLOATS, WHOLES)
def running_sum(values: FloatArray, offsets: Places) -> FloatArray:
    """Sum up to and with each position."""
    sums = np.full(values.size, np.nan)
    for c in range(offsets.size - 1):
        total = np.nan
        for i in range(offsets[c], offsets[c + 1]):
            if not np.isnan(values[i]):
                total = values[i] if np.isnan(total) else total + values[i]
            sums[i] = total
    return sums


@compiled(FLOATS, WHOLES)
def running_max(values: FloatArray, offsets: Places) -> FloatArray:
    """Largest value up to and with each position."""
    largest = np.full(values.size, np.nan)
    for c in range(offsets.size - 1):
        top = np.nan
        for i in range(offsets[c], offsets[c + 1]):
            if not values[i] <= top and not np.isnan(values[i]):
                top = values[i]
            largest[i] = top
    return largest


@compiled(FLOATS, WHOLES)
def running_sd(values: FloatArray, offsets: Places) -> FloatArray:
    """Sample standard deviation up to and with each position; NaN with fewer than two values.

    Welford's update: equal values give exactly 0, where a difference of squares would not.
    """
    spread = np.full(values.size, np.nan)
    for c in range(offsets.size - 1):
        n, mean, squares = 0, 0.0, 0.0
        for i in range(offsets[c], offsets[c + 1]):
            if not np.isnan(values[i]):
                n += 1
                step = values[i] - mean
                mean += step / n
                squares += step * (values[i] - mean)
            if n > 1:
                spread[i] = np.sqrt(squares / (n - 1))
    return spread


@compiled(FLOATS, WHOLES)
def running_median(values: FloatArray, offsets: Places) -> FloatArray:
    """Median up to and with each position, by insertion into the sorted past."""
    medians = np.full(values.size, np.nan)
    past = np.empty(values.size)
    for c in range(offsets.size - 1):
        n = 0
        for i in range(offsets[c], offsets[c + 1]):
            if not np.isnan(values[i]):
                place = n
                while place > 0 and past[place - 1] > values[i]:
                    past[place] = past[place - 1]
                    place -= 1
                past[place] = values[i]
                n += 1
            if n > 0:
                medians[i] = (past[(n - 1) // 2] + past[n // 2]) / 2
    return medians


@compiled(DAYS, WHOLES)
def weekday_spread(day: DayArray, offsets: Places) -> tuple[FloatArray, FloatArray]:
    """Entropy of the weekdays (1 = even over seven) and share of the top one, up to each day.

    Of n days, with counts k of the weekdays, the entropy is log n less the sum of k log k over n.
    """
    entropy, top = np.empty(day.size), np.empty(day.size)
    longest = 0
    for c in range(offsets.size - 1):
        longest = max(longest, offsets[c + 1] - offsets[c])
    k_log_k = np.zeros(longest + 1)
    for k in range(2, longest + 1):
        k_log_k[k] = k * np.log(k)
    counts = np.zeros(7, np.int64)
    for c in range(offsets.size - 1):
        counts[:] = 0
        largest = 0
        for i in range(offsets[c], offsets[c + 1]):
            counts[day[i] % 7] += 1
            largest = max(largest, counts[day[i] % 7])
            n = i - offsets[c] + 1
            spread = 0.0
            if largest < n:
                spread = k_log_k[n]
                for count in counts:
                    spread -= k_log_k[count]
            entropy[i] = spread / n / np.log(7.0)
            top[i] = largest / n
    return entropy, top
