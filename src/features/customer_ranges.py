"""A table too large for memory, range by range of its customers."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np

from patronage.features.arrays import day_number
from patronage.features.lines import Lines, refuse_nulls

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


def customer_ranges(
    transactions: nw.LazyFrame[Any], n_lines: int, max_lines: int
) -> Iterator[Within]:
    """Ranges of customers with at most so many of all `n_lines` lines each, in order.

    The engine is asked for the number of lines of each customer, unless one range holds them all.

    Raises
    ------
    DataError
        If a customer_id is null.
    """
    if n_lines <= max_lines:
        yield lambda frame: frame
        return
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
