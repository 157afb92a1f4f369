"""Transactions to customer days in this process, all at once or part by part of the customers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from patronage.errors import DataError
from patronage.features.arrays import FloatArray, Places
from patronage.features.collect import ROUNDING, refuse_infinite
from patronage.features.customer_ranges import MAX_LINES, Extent, line_ranges
from patronage.features.day_table import DayTable
from patronage.features.days import DISTINCT, NET, SUMS
from patronage.features.lines import Flags, Lines, collect_lines
from patronage.features.records import Codes, Records, Texts

OPTIONAL = (*SUMS, *DISTINCT)


def collapse(transactions: Any, *, columns: Sequence[str] = OPTIONAL) -> DayTable:
    """The table that `day_table(customer_days(transactions))` is, in a fraction of the time.

    The engine only delivers the lines; they are ordered and added up here, so they must fit in
    memory: allow 300 bytes a line. Where they do not, see `collapse_parts`.

    Parameters
    ----------
    transactions
        Any frame Narwhals knows, as in `customer_days`.
    columns
        Of the optional columns, those to be read; none is enough for `rfm_summary`.

    Raises
    ------
    DataError
        If a required column is missing or null in some line, a sum is not finite, or nothing was
        ever bought.
    """
    lines = collect_lines(transactions, columns)
    extent = Extent.of_lines(lines)
    table = _days(_spans(lines), extent)
    if not len(table):
        raise DataError(no_purchase(extent.lines))
    return table


def collapse_parts(
    transactions: Any, *, columns: Sequence[str] = OPTIONAL, max_lines: int = MAX_LINES
) -> Iterator[DayTable]:
    """The same table in parts, in order of customer, each of at most so many lines.

    Memory is that of one part. The engine is asked once for the number of lines of each customer,
    then once for each part. A customer with more lines is a part of his own. A part whose lines are
    all returns holds no customer.

    Raises
    ------
    DataError
        If a required column is missing or null in some line, or a sum is not finite.
    """
    for _, lines, extent in line_ranges(transactions, columns, max_lines):
        yield _days(_spans(lines), extent)


def collapse_lines(
    lines: Lines, extent: Extent, purchased: Mapping[str, str]
) -> tuple[DayTable, dict[str, Records]]:
    """Customer days, and by name the tables that `purchases_by` makes of the columns there are."""
    spans = _spans(lines)
    table = _days(spans, extent)
    there = lines.source.column_names
    bought = {name: _bought(spans, table, by) for name, by in purchased.items() if by in there}
    return table, bought


def no_purchase(n_lines: int) -> str:
    """What is said of transactions among which nothing was bought."""
    return (
        f"{n_lines:,} transactions hold no purchase: every amount is negative, or there is no "
        "transaction at all. Check the source and [transactions] where."
    )


@dataclass(frozen=True, eq=False)
class _Spans:
    """Lines, and the places begins[r]:ends[r] of each day r among them."""

    lines: Lines
    bought: Flags
    begins: Codes
    ends: Codes
    starts: Places
    """Customer c owns days starts[c]:starts[c + 1]."""
    n_dropped: int
    """Days before a first purchase."""

    def with_id(self, name: str) -> Flags:
        """Lines bought that have the id."""
        known = self.lines.known(name)
        return self.bought if known is None else self.bought & known


def _spans(lines: Lines) -> _Spans:
    from patronage.features.collapse_kernels import days_of_lines

    bought = lines.amount >= 0
    return _Spans(lines, bought, *days_of_lines(lines.day, bought, lines.offsets))


def _days(spans: _Spans, extent: Extent) -> DayTable:
    from patronage.features.collapse_kernels import taken

    ids, day = spans.lines.customer_ids, taken(spans.lines.day, spans.begins)
    measures = _measures(spans)
    refuse_infinite(measures, spans.starts, day, ids)
    stays = np.flatnonzero(np.diff(spans.starts))
    return DayTable(
        customer_ids=ids[stays],
        offsets=np.concatenate(([0], spans.starts[stays + 1])),
        day=day,
        measures=measures,
        first_day=extent.first_day,
        last_day=extent.last_day,
        n_customers_dropped=len(ids) - len(stays),
        n_days_dropped=spans.n_dropped,
    )


def _measures(spans: _Spans) -> dict[str, FloatArray]:
    """As `customer_days` defines them."""
    there = [name for name in (*SUMS, *DISTINCT) if name in spans.lines.source.column_names]
    found = _money(spans)
    for name in there:
        found |= _sum(spans, name) if name in SUMS else _distinct(spans, name)
    bought = found["purchase_days"]
    found["orders"] = np.maximum(found["orders"], bought) if "orders" in found else bought
    return found


def _money(spans: _Spans) -> dict[str, FloatArray]:
    from patronage.features.collapse_kernels import money_of_days

    names = ("spend", "returned", "gross", "purchase_days", "return_lines")
    found = money_of_days(spans.lines.amount, spans.begins, spans.ends, ROUNDING)
    return dict(zip(names, found, strict=True))


def _sum(spans: _Spans, name: str) -> dict[str, FloatArray]:
    from patronage.features.collapse_kernels import sums_of_days

    lines = spans.lines
    counted = np.ones_like(spans.bought) if name in NET else spans.bought
    values = lines.numbers(name)
    return {SUMS[name]: sums_of_days(values, lines.order, counted, spans.begins, spans.ends)}


def _distinct(spans: _Spans, name: str) -> dict[str, FloatArray]:
    from patronage.features.collapse_kernels import (
        distinct_of_days,
        lines_of_shared_days,
        new_of_days,
    )

    lines, places, counted = spans.lines, (spans.begins, spans.ends), spans.with_id(name)
    if name != "product_id":
        keys = lines.keys(name, lines_of_shared_days(lines.order, *places))
        return {DISTINCT[name]: distinct_of_days(keys, lines.order, counted, *places)}
    keys, names = lines.codes(name)
    return {
        DISTINCT[name]: distinct_of_days(keys, lines.order, counted, *places),
        "new_products": new_of_days(keys, len(names), lines.order, counted, *places, spans.starts),
    }


def _bought(spans: _Spans, table: DayTable, name: str) -> Records:
    """The table that `read_records` makes of `purchases_by` the column."""
    from patronage.features.collapse_kernels import values_by_code

    lines = spans.lines
    codes, values = lines.codes(name)
    names = values.to_pylist()
    ranks = np.argsort(np.argsort(names)).astype(np.int32)
    counted = spans.with_id(name)
    row, code, count, value = values_by_code(
        codes, len(names), lines.order, counted, lines.amount, spans.begins, spans.ends
    )
    return Records(
        offsets=np.searchsorted(row, table.offsets),
        day=table.day[row],
        numbers={"lines": count, "value": value},
        texts={name: Texts(ranks[code], tuple(map(str, sorted(names))))},
    )
