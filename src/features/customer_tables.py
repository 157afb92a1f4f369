"""All that is known of customers, in memory: their days, and what the optional tables say."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import narwhals as nw
import numpy as np

from patronage.features.arrays import Places
from patronage.features.collapse import OPTIONAL, collapse_lines
from patronage.features.collect import day_table
from patronage.features.day_table import DayTable
from patronage.features.days import customer_days, lazy_transactions
from patronage.features.lines import collect_lines
from patronage.features.purchased_categories import purchased_categories
from patronage.features.records import Records, read_records

TableName = Literal["events", "surveys", "subscriptions", "customers", "categories"]
TIMES: dict[str, str] = {"events": "timestamp", "surveys": "timestamp", "subscriptions": "start"}
"""Table -> the column that says from when on a row is known."""


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

    def table(self, name: TableName) -> Records | None:
        """A table by its name; None where the ledger has none."""
        found: Records | None = getattr(self, name)
        return found

    def chunks(self, n_customers: int) -> Iterator["CustomerTables"]:
        """The same, at most so many customers at a time; the arrays are views."""
        starts = range(0, len(self.days), n_customers)
        for start, days in zip(starts, self.days.chunks(n_customers), strict=True):
            stop = start + len(days)
            yield replace(
                self,
                days=days,
                **{name: table.span(start, stop) for name, table in self._records().items()},
            )

    def sample(self, n_customers: int, *, seed: int) -> "CustomerTables":
        """At most so many customers, drawn at random; the order stays."""
        days = self.days.sample(n_customers, seed=seed)
        if days is self.days:
            return self
        chosen: Places = self.days.customer_ids.get_indexer(days.customer_ids).astype(np.int64)
        return replace(
            self,
            days=days,
            **{name: table.customers(chosen) for name, table in self._records().items()},
        )

    def _records(self) -> dict[str, Records]:
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: table for name, table in found.items() if isinstance(table, Records)}


def customer_tables(
    transactions: Any,
    *,
    events: Any = None,
    surveys: Any = None,
    subscriptions: Any = None,
    customers: Any = None,
) -> CustomerTables:
    """Collapse the transactions to customer days and collect what the other tables say.

    Parameters
    ----------
    transactions
        As for `customer_days`.
    events, surveys, subscriptions, customers
        Tables of the ledger, any frame Narwhals knows; each may be missing.

    Raises
    ------
    DataError
        If a required column or value is missing, or nobody ever bought; see `day_table`.
    """
    days, categories = _days_and_categories(transactions)
    given = {"events": events, "surveys": surveys, "subscriptions": subscriptions}
    found = {
        name: read_records(frame, days.customer_ids, time=TIMES[name], table=name)
        for name, frame in given.items()
        if frame is not None
    }
    if customers is not None:
        columns = nw.from_native(customers, pass_through=False).collect_schema().names()
        since = "valid_from" if "valid_from" in columns else None
        found["customers"] = read_records(
            customers, days.customer_ids, time=since, table="customers"
        )
    return CustomerTables(days, **found, categories=categories)


def _days_and_categories(transactions: Any) -> tuple[DayTable, Records | None]:
    """By the engine, if it is another process; the lines of an embedded one are collapsed here."""
    frame = lazy_transactions(transactions)
    if frame.implementation in (nw.Implementation.DUCKDB, nw.Implementation.POLARS):
        return collapse_lines(collect_lines(frame, OPTIONAL))
    days = day_table(customer_days(frame))
    bought = purchased_categories(frame)
    if bought is None:
        return days, None
    return days, read_records(bought, days.customer_ids, time="day", table="transactions")


def as_customer_tables(days: Any) -> CustomerTables:
    """Customer tables as they are, or out of customer days alone."""
    return days if isinstance(days, CustomerTables) else CustomerTables(day_table(days))
