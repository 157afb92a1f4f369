"""A table too large for memory, range by range of its customers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np

from patronage.features.arrays import day_number
from patronage.features.days import lazy_transactions, require_columns
from patronage.features.lines import Lines, collect_lines, refuse_nulls

MAX_LINES = 10_000_000
Within = Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]
"""Leaves only the rows of some customers in a frame."""


class Extent(NamedTuple):
    """Number of lines, first and last day of all transactions."""

    lines: int
    first_day: int = 0
    last_day: int = 0

    @classmethod
    def of_lines(cls, lines: Lines) -> "Extent":
        """Of lines in memory."""
        if not lines.day.size:
            return cls(0)
        return cls(lines.day.size, int(lines.day.min()), int(lines.day.max()))

    @classmethod
    def of_frame(cls, frame: nw.LazyFrame[Any]) -> "Extent":
        """Asked of the engine."""
        day = nw.col("timestamp").cast(nw.Date)
        asked = day.min().alias("first"), day.max().alias("last"), nw.len().alias("lines")
        first, last, lines = frame.select(*asked).collect("pyarrow").row(0)
        return cls(lines, day_number(first), day_number(last)) if last else cls(lines)


def line_ranges(
    transactions: Any, columns: Sequence[str], max_lines: int
) -> Iterator[tuple[Within, Lines, Extent]]:
    """Ranges of customers with at most so many lines each, in order; their lines; the whole extent.

    The engine is asked for the number of lines, and where one range does not hold them all, for
    their first and last day and the number of lines of each customer.

    Raises
    ------
    DataError
        If a required column is missing or null in some line.
    """
    frame = lazy_transactions(transactions)
    require_columns(frame.collect_schema().names())
    if frame.select(nw.len()).collect("pyarrow").item() <= max_lines:
        lines = collect_lines(frame, columns)
        yield _everyone, lines, Extent.of_lines(lines)
        return
    extent = Extent.of_frame(frame)
    for within in _ranges(frame, extent.lines, max_lines):
        yield within, collect_lines(within(frame), columns), extent


def _everyone(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    return frame


def _ranges(transactions: nw.LazyFrame[Any], n_lines: int, max_lines: int) -> Iterator[Within]:
    """Asks for the number of lines of each customer."""
    counts = transactions.group_by("customer_id").agg(nw.len().alias("lines"))
    table = counts.sort("customer_id").collect("pyarrow").to_native()
    refuse_nulls(table.select(["customer_id"]), n_lines)
    ids, upto = table["customer_id"], np.cumsum(table["lines"].to_numpy())
    start, before = 0, 0
    while start < upto.size:
        stop = max(int(np.searchsorted(upto, before + max_lines, side="right")), start + 1)
        yield _between(ids[start].as_py(), ids[stop - 1].as_py())
        start, before = stop, int(upto[stop - 1])


def _between(low: Any, high: Any) -> Within:
    customer = nw.col("customer_id")
    return lambda frame: frame.filter(customer >= low, customer <= high)
