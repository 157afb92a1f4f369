"""All that is known of customers, in memory: their days, and what the optional tables say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Literal

import narwhals as nw
import numpy as np

from patronage.features.arrays import Places
from patronage.features.collect import day_table
from patronage.features.day_table import DayTable
from patronage.features.days import customer_days
from patronage.features.own_feature import OwnFeature
from patronage.features.purchased_categories import purchases_by
from patronage.features.records import Records, read_records
from patronage.features.seen import TIMES, Plan

TableName = Literal["events", "surveys", "subscriptions", "customers", "categories", "channels"]
EndKnown = Literal["at_end", "at_start"]


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

    def sample(self, n_customers: int, *, seed: int) -> "CustomerTables":
        """At most so many customers, drawn at random; the order stays."""
        days = self.days.sample(n_customers, seed=seed)
        if days is self.days:
            return self
        chosen: Places = self.days.customer_ids.get_indexer(days.customer_ids).astype(np.int64)
        drawn = {name: table.customers(chosen) for name, table in self._records().items()}
        return self._with(days, drawn)

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
    days = day_table(collected(customer_days))
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
    purchased = {"categories": "category", "channels": "channel"}
    for name, column in purchased.items():
        bought = collected(partial(purchases_by, column=column))
        if bought is not None:
            found[name] = read_records(bought, days.customer_ids, time="day", table="transactions")
    all_given = {"transactions": transactions, **given, "customers": customers}
    sources = {name: frame for name, frame in all_given.items() if frame is not None}
    tables = CustomerTables(days, end_known=end_known, sources=sources)
    return tables._with(days, found)


def as_customer_tables(days: Any) -> CustomerTables:
    """Customer tables as they are, or out of customer days alone."""
    return days if isinstance(days, CustomerTables) else CustomerTables(day_table(days))
