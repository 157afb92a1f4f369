"""Compiled loops that turn lines into customer days.

Lines are looked at in order of customer and day; `order` says which line of the source stands at a
place of that order. Day r owns the places begins[r] to ends[r] - 1.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numba import types

from patronage.compiling import FLOATS, WHOLES, compiled, compiled_each
from patronage.features.arrays import DayArray, FloatArray, Places
from patronage.features.records import Codes

Flags = npt.NDArray[np.bool_]
Column = TypeVar("Column", FloatArray, DayArray, Flags)

FLAGS = types.Array(types.boolean, 1, "C", readonly=True)
DAYS = CODES = types.Array(types.int32, 1, "C", readonly=True)
FEW = 16
"""So many ids of one day are compared pair by pair; more are sorted."""


@compiled(WHOLES, types.int64, types.int64)
def places_among(values: Places, low: int, span: int) -> tuple[Codes, Places]:
    """Each value's place among the distinct values, sorted, and these; all in [low, low + span)."""
    place = np.full(span, -1, np.int32)
    for value in values:
        place[value - low] = 0
    found = np.empty(span, np.int64)
    n = 0
    for i in range(span):
        if place[i] == 0:
            place[i] = n
            found[n] = low + i
            n += 1
    codes = np.empty(values.size, np.int32)
    for i in range(values.size):
        codes[i] = place[values[i] - low]
    return codes, found[:n].copy()


@compiled(CODES, DAYS, types.int64)
def lines_by_customer(
    customer: Codes, day: DayArray, n_customers: int
) -> tuple[Codes, DayArray, Places]:
    """Lines in order of customer, then day, then place in the source.

    Their places in the source, their days, and where those of each customer begin. A counting sort;
    the lines of a customer are sorted only where the source is not in order.
    """
    offsets = np.zeros(n_customers + 1, np.int64)
    for c in customer:
        offsets[c + 1] += 1
    for c in range(n_customers):
        offsets[c + 1] += offsets[c]
    free = offsets[:-1].copy()
    order, ordered = np.empty(customer.size, np.int32), np.empty(customer.size, np.int32)
    for i in range(customer.size):
        order[free[customer[i]]] = i
        free[customer[i]] += 1
    for c in range(n_customers):
        lines, days = order[offsets[c] : offsets[c + 1]], ordered[offsets[c] : offsets[c + 1]]
        in_order = True
        for k in range(lines.size):
            days[k] = day[lines[k]]
            in_order &= k == 0 or days[k - 1] <= days[k]
        if not in_order:
            places = np.argsort(days, kind="mergesort")
            lines[:], days[:] = lines[places], days[places]
    return order, ordered, offsets


@compiled_each((FLOATS, CODES), (DAYS, CODES), (FLAGS, CODES))
def taken(values: Column, order: Codes) -> Column:
    """The values in that order; for a narrow order many times as fast as NumPy's."""
    found = np.empty(order.size, values.dtype)
    for k in range(order.size):
        found[k] = values[order[k]]
    return found


@compiled(DAYS, FLAGS, WHOLES)
def days_of_lines(
    day: DayArray, bought: Flags, offsets: Places
) -> tuple[Codes, Codes, Places, int]:
    """Begins and ends of the days, where those of each customer begin, and how many are dropped.

    Dropped are the days before a customer's first day with a line bought.
    """
    begins, ends = np.empty(day.size, np.int32), np.empty(day.size, np.int32)
    starts = np.zeros(offsets.size, np.int64)
    n, dropped = 0, 0
    for c in range(offsets.size - 1):
        k, started = offsets[c], False
        while k < offsets[c + 1]:
            begin = k
            while k < offsets[c + 1] and day[k] == day[begin]:
                started |= bought[k]
                k += 1
            if started:
                begins[n], ends[n] = begin, k
                n += 1
            else:
                dropped += 1
        starts[c + 1] = n
    return begins[:n], ends[:n], starts, dropped


@compiled(FLOATS, CODES, CODES, types.float64)
def money_of_days(
    amount: FloatArray, begins: Codes, ends: Codes, rounding: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Net spend, value returned, value bought, whether a line was bought, and lines returned.

    The value bought is that of `gross_value`.
    """
    size = begins.size
    spend, returned, gross = np.empty(size), np.empty(size), np.empty(size)
    purchase_days, return_lines = np.empty(size), np.empty(size)
    for r in range(size):
        net, back, bought, lines = 0.0, 0.0, 0.0, 0.0
        for k in range(begins[r], ends[r]):
            net += amount[k]
            if amount[k] < 0:
                back -= amount[k]
                lines += 1
            else:
                bought = 1.0
        spend[r], returned[r] = net, back
        gross[r] = net + back if net + back > rounding * back else 0.0
        purchase_days[r], return_lines[r] = bought, lines
    return spend, returned, gross, purchase_days, return_lines


@compiled(FLOATS, CODES, FLAGS, CODES, CODES)
def sums_of_days(
    values: FloatArray, order: Codes, counted: Flags, begins: Codes, ends: Codes
) -> FloatArray:
    """Sum over the counted lines of each day; values are in the order of the source."""
    sums = np.zeros(begins.size)
    for r in range(begins.size):
        for k in range(begins[r], ends[r]):
            if counted[k]:
                sums[r] += values[order[k]]
    return sums


@compiled(CODES, CODES, CODES)
def lines_of_shared_days(order: Codes, begins: Codes, ends: Codes) -> Flags:
    """Which lines are not the only one of their day, in the order of the source."""
    shared = np.zeros(order.size, np.bool_)
    for r in range(begins.size):
        if ends[r] - begins[r] > 1:
            for k in range(begins[r], ends[r]):
                shared[order[k]] = True
    return shared


@compiled_each(
    (WHOLES, CODES, FLAGS, CODES, CODES),
    (CODES, CODES, FLAGS, CODES, CODES),
)
def distinct_of_days(
    keys: Codes | Places, order: Codes, counted: Flags, begins: Codes, ends: Codes
) -> FloatArray:
    """Distinct keys of the counted lines of each day; keys are in the order of the source."""
    distinct = np.zeros(begins.size)
    for r in range(begins.size):
        if ends[r] - begins[r] == 1:
            distinct[r] = counted[begins[r]]
            continue
        places = order[begins[r] : ends[r]]
        found = keys[places[counted[begins[r] : ends[r]]]]
        if found.size > FEW:
            distinct[r] = np.unique(found).size
            continue
        for i in range(found.size):
            fresh = 1
            for j in range(i):
                if found[j] == found[i]:
                    fresh = 0
                    break
            distinct[r] += fresh
    return distinct


@compiled(CODES, types.int64, CODES, FLAGS, CODES, CODES, WHOLES)
def new_of_days(
    codes: Codes,
    n_codes: int,
    order: Codes,
    counted: Flags,
    begins: Codes,
    ends: Codes,
    starts: Places,
) -> FloatArray:
    """Codes of the counted lines of each day that the customer never had before."""
    new = np.zeros(begins.size)
    had_by = np.full(n_codes, -1)
    for c in range(starts.size - 1):
        for r in range(starts[c], starts[c + 1]):
            for k in range(begins[r], ends[r]):
                if counted[k] and had_by[codes[order[k]]] != c:
                    had_by[codes[order[k]]] = c
                    new[r] += 1
    return new


@compiled(CODES, types.int64, CODES, FLAGS, FLOATS, CODES, CODES)
def values_by_code(
    codes: Codes,
    n_codes: int,
    order: Codes,
    counted: Flags,
    amount: FloatArray,
    begins: Codes,
    ends: Codes,
) -> tuple[Places, Places, FloatArray, FloatArray]:
    """For each day and code of its counted lines: the day, the code, how many lines, their amount.

    Codes are in the order of the source, amounts in that of customers and days.
    """
    size = 0
    for r in range(begins.size):
        for k in range(begins[r], ends[r]):
            size += counted[k]
    day, code = np.empty(size, np.int64), np.empty(size, np.int64)
    lines, value = np.zeros(size), np.zeros(size)
    seen_on, place = np.full(n_codes, -1), np.empty(n_codes, np.int64)
    n = 0
    for r in range(begins.size):
        for k in range(begins[r], ends[r]):
            if counted[k]:
                found = codes[order[k]]
                if seen_on[found] != r:
                    seen_on[found], place[found] = r, n
                    day[n], code[n] = r, found
                    n += 1
                lines[place[found]] += 1
                value[place[found]] += amount[k]
    return day[:n], code[:n], lines[:n], value[:n]
