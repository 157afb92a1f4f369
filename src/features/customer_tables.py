"""All that is known of customers, in memory: their days, and what the optional tables say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Literal

import narwhals as nw

from patronage.errors import DataError
from patronage.features.collapse import OPTIONAL, collapse_lines, no_purchase
from patronage.features.collect import day_table
from patronage.features.customer_ranges import MAX_LINES, Extent, line_ranges
from patronage.features.day_table import DayTable
from patronage.features.days import customer_days, lazy_transactions
from patronage.features.lines import lines_of, ordered_lines
from patronage.features.own_feature import OwnFeature
from patronage.features.purchased_categories import purchases_by
from patronage.features.records import Records, read_records
from patronage.features.sampling import drawn
from patronage.features.seen import TIMES, Plan

TableName = Literal["events", "surveys", "subscriptions", "customers", "categories", "channels"]
EndKnown = Literal["at_end", "at_start"]

PURCHASED = {"categories": "category", "channels": "channel"}
"""Table of what was bought -> the column of the transactions that it is by."""
COLUMNS = (*OPTIONAL, "channel")
EMBEDDED = (nw.Implementation.DUCKDB, nw.Implementation.POLARS)


@dataclass(frozen=True, eq=False)
class CustomerTables:
    """Customer days and the optional tables, all ordered by the customers of `days`."""

    days: DayTable
    events: Records | None = None
    surveys: Records | None = None
    subscriptions: Records | None = None
    customers: Records | None = None
    """Attributes, each row from its `valid_from` on; from ever where there is none."""
    categories: Records | None = None
    """What was bought: a row for each customer, day and category, with `lines` and `value`."""
    channels: Records | None = None
    """Where it was bought: the same for each customer, day and channel."""
    end_known: EndKnown = "at_end"
    """Whether a subscription's end is known once it has passed, or from its start on."""
    sources: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Table -> the frame that it came from, for expressions of the user's own."""
    own: tuple[OwnFeature, ...] = ()
    """Features of the user's own; see `patronage.features.own_tables`."""
    own_left_out: Mapping[str, str] = field(default_factory=dict)
    """Own features that cannot be computed, and why."""
    expressions: Records | None = None
    """Values of own expressions, each known on its cutoff, which is its day."""
    computed_for: frozenset[int] = frozenset()
    """The cutoffs that `expressions` has values for, in days since 1970-01-01."""
    computed: frozenset[str] = frozenset()
    """The own features that `expressions` has values of."""

    def table(self, name: TableName) -> Records | None:
        """A table by its name; None where the ledger has none."""
        found: Records | None = getattr(self, name)
        return found

    def chunks(self, n_customers: int) -> Iterator["CustomerTables"]:
        """The same, at most so many customers at a time; the arrays are views."""
        starts = range(0, len(self.days), n_customers)
        for start, days in zip(starts, self.days.chunks(n_customers), strict=True):
            stop = start + len(days)
            spans = {name: table.span(start, stop) for name, table in self._records().items()}
            yield self._with(days, spans)

    def sample(self, sample: float | int, *, seed: int) -> "CustomerTables":
        """A share of the customers, or at most so many, drawn by their id; the order stays."""
        chosen = drawn(self.days.customer_ids, sample, seed=seed)
        if chosen.size == len(self.days):
            return self
        records = {name: table.customers(chosen) for name, table in self._records().items()}
        return self._with(self.days.customers(chosen), records)

    def _with(self, days: DayTable, records: dict[str, Records]) -> "CustomerTables":
        changed: dict[str, Any] = {"days": days, **records}
        return replace(self, **changed)

    def _records(self) -> dict[str, Records]:
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: table for name, table in found.items() if isinstance(table, Records)}


def customer_tables(
    transactions: Any,
    *,
    events: Any = None,
    surveys: Any = None,
    subscriptions: Any = None,
    customers: Any = None,
    end_known: EndKnown = "at_end",
) -> CustomerTables:
    """Collapse the transactions to customer days and collect what the other tables say.

    Parameters
    ----------
    transactions
        As for `customer_days`; or a function that applies a plan to them where they are, such as
        `Ledger.collect`, and brings the result, or None where the plan gives None.
    events, surveys, subscriptions, customers
        Tables of the ledger, any frame Narwhals knows; each may be missing.
    end_known
        From when on features may see the `end` of a subscription: "at_end" once it has passed,
        since it may have been written down afterwards; "at_start" for a term agreed at signing.

    Raises
    ------
    DataError
        If a required column or value is missing, or nobody ever bought; see `day_table`.
    """
    collected: Callable[[Plan], Any] = (
        transactions if callable(transactions) else lambda plan: plan(transactions)
    )
    lines = collected(_lines_here)
    days, bought = _there(collected) if lines is None else _here(lines)
    given = {"events": events, "surveys": surveys, "subscriptions": subscriptions}
    return _with_tables(transactions, days, bought, given | {"customers": customers}, end_known)


def customer_table_parts(
    transactions: Any,
    *,
    max_lines: int = MAX_LINES,
    end_known: EndKnown = "at_end",
    **tables: Any,
) -> Iterator[CustomerTables]:
    """The same in parts, in order of customer, each of at most so many transactions.

    Memory is that of one part. Each frame is read once for each part.

    Parameters
    ----------
    transactions, end_known, tables
        As for `customer_tables`.
    max_lines
        A customer with more transactions is a part of his own.
    """
    frame = lazy_transactions(transactions)
    given = {
        name: nw.from_native(table, pass_through=False).lazy()
        for name, table in tables.items()
        if table is not None
    }
    for within, lines, extent in line_ranges(frame, COLUMNS, max_lines):
        days, bought = collapse_lines(lines, extent, PURCHASED)
        own = {name: within(table) for name, table in given.items()}
        yield _with_tables(within(frame), days, bought, own, end_known)


def _lines_here(transactions: Any) -> nw.LazyFrame[Any] | None:
    """The lines, if the engine is in this process; from another, they had better not travel."""
    frame = lazy_transactions(transactions)
    return lines_of(frame, COLUMNS) if frame.implementation in EMBEDDED else None


def _here(lines: Any) -> tuple[DayTable, dict[str, Records]]:
    """Customer days, and what was bought, out of the lines."""
    ordered = ordered_lines(lines)
    days, bought = collapse_lines(ordered, Extent.of_lines(ordered), PURCHASED)
    if not len(days):
        raise DataError(no_purchase(ordered.day.size))
    return days, bought


def _there(collected: Callable[[Plan], Any]) -> tuple[DayTable, dict[str, Records]]:
    """The same by the engine: no line travels."""
    days = day_table(collected(customer_days))
    bought = {
        name: collected(partial(purchases_by, column=column)) for name, column in PURCHASED.items()
    }
    return days, {
        name: read_records(rows, days.customer_ids, time="day", table="transactions")
        for name, rows in bought.items()
        if rows is not None
    }


def _with_tables(
    transactions: Any,
    days: DayTable,
    bought: dict[str, Any],
    frames: Mapping[str, Any],
    end_known: EndKnown,
) -> CustomerTables:
    found: dict[str, Any] = {
        name: read_records(frame, days.customer_ids, time=_time(name, frame), table=name)
        for name, frame in frames.items()
        if frame is not None
    }
    sources = {name: frame for name, frame in frames.items() if frame is not None}
    known = {"transactions": transactions, **sources}
    return CustomerTables(days, **found, **bought, end_known=end_known, sources=known)


def _time(name: str, frame: Any) -> str | None:
    """The column that says from when on a row is known; attributes may lack it."""
    if name != "customers":
        return TIMES[name]
    columns = nw.from_native(frame, pass_through=False).collect_schema().names()
    return TIMES[name] if TIMES[name] in columns else None


def as_customer_tables(days: Any) -> CustomerTables:
    """Customer tables as they are, or out of customer days alone."""
    return days if isinstance(days, CustomerTables) else CustomerTables(day_table(days))
