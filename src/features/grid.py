"""Rows of the panel: every customer at every cutoff after the first purchase, and what to look up.

Features look up what lies before as_of; only labels and hold-outs look beyond it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from patronage.features.arrays import DayArray, FloatArray, Places, day_number
from patronage.features.customer_tables import CustomerTables, TableName, as_customer_tables
from patronage.features.day_table import DayTable
from patronage.features.lookup import Lookup
from patronage.features.records import Records


@dataclass(frozen=True, eq=False)
class Grid:
    """Pairs of customer and cutoff, ordered by customer, then cutoff."""

    tables: CustomerTables
    customer: Places
    """Place of the customer in the table."""
    as_of: DayArray
    """Days since 1970-01-01."""
    _prefixes: dict[str, FloatArray] = field(default_factory=dict, repr=False)
    _rows: dict[int, Places] = field(default_factory=dict, repr=False)
    _events: dict[tuple[str, ...], Lookup] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, tables: CustomerTables | DayTable, cutoffs: Sequence[date]) -> "Grid":
        """Every customer at every cutoff that lies after the customer's first purchase day."""
        tables = as_customer_tables(tables)
        table = tables.days
        days = np.array(sorted({day_number(cutoff) for cutoff in cutoffs}), dtype=np.int32)
        customer = np.repeat(np.arange(len(table)), days.size)
        as_of = np.tile(days, len(table))
        started = table.purchase_day[table.purchase_offsets[:-1]][customer] < as_of
        return cls(tables, customer[started], as_of[started])

    def where(self, mask: npt.NDArray[np.bool_]) -> "Grid":
        """Only the pairs of the mask."""
        return Grid(self.tables, self.customer[mask], self.as_of[mask])

    def bought_within(self, days: int | None) -> npt.NDArray[np.bool_]:
        """Whether the last purchase lies at most so many days before as_of; None: all do."""
        if days is None:
            return np.ones(self.as_of.size, dtype=bool)
        return self.away <= days

    @property
    def table(self) -> DayTable:
        """The customer days."""
        return self.tables.days

    def over(self, name: TableName) -> Lookup:
        """What an optional table says as of each pair; the table must be there."""
        records = self.tables.table(name)
        if records is None:
            raise KeyError(f"the customer tables hold no {name}")
        return self.look_up(records)

    def look_up(self, records: Records) -> Lookup:
        """What records of the same customers say as of each pair."""
        return Lookup(records, self.customer, self.as_of)

    def events_of(self, *kinds: str) -> Lookup:
        """The events of these kinds as of each pair; there must be a table of events."""
        if kinds not in self._events:
            events = self.over("events")
            self._events[kinds] = events.where(events.records.text("kind").among(kinds))
        return self._events[kinds]

    @cached_property
    def purchases(self) -> FloatArray:
        """Purchase days before as_of, at least 1."""
        return self.purchases_before(self.as_of)

    @cached_property
    def first(self) -> FloatArray:
        """First purchase day."""
        return self.table.purchase_day[self._first_purchase].astype(np.float64)

    @cached_property
    def last(self) -> FloatArray:
        """Last purchase day before as_of."""
        last = self._first_purchase + self.purchases.astype(np.int64) - 1
        return self.table.purchase_day[last].astype(np.float64)

    @cached_property
    def age(self) -> FloatArray:
        """Days from the first purchase day to as_of, at least 1."""
        return self.as_of - self.first

    @cached_property
    def away(self) -> FloatArray:
        """Days from the last purchase day to as_of, at least 1."""
        return self.as_of - self.last

    @cached_property
    def history(self) -> FloatArray:
        """Days from the first day of the data to as_of."""
        return (self.as_of - self.table.first_day).astype(np.float64)

    @cached_property
    def year_angle(self) -> FloatArray:
        """Place of as_of in its year, as an angle."""
        dates = self.as_of.astype("datetime64[D]")
        of_year = (dates - dates.astype("datetime64[Y]")).astype(np.float64)
        return np.asarray(2 * np.pi * of_year / 365.25)

    @cached_property
    def days_to_second(self) -> FloatArray:
        """Days from the first to the second purchase day; NaN with one."""
        return self.earliest(self.table.gap, 1)

    @cached_property
    def repeat_spend(self) -> FloatArray:
        """Net spend from the second purchase day on; NaN with one."""
        repeats = self.purchases > 1
        second = self.table.purchase_rows[self._first_purchase + repeats]
        before = self._prefix("spend")[second + self.customer]
        upto = self._prefix("spend")[self._row(0) + self.customer]
        return np.where(repeats, upto - before, np.nan)

    def total(self, measure: str, start: int | None = None, end: int = 0) -> FloatArray:
        """Sum over the days in [as_of - start, as_of - end); all before as_of - end by default.

        NaN where the source has no such measure.
        """
        from patronage.features.kernels import sums_between

        if measure not in self.table.measures:
            return np.full(self.as_of.size, np.nan)
        sums, stop = self._prefix(measure), self._row(end)
        if start is None:
            begin = self.table.offsets[self.customer]
            return sums_between(sums, begin, stop, self.customer)
        return sums_between(sums, self._row(start), stop, self.customer)

    def total_before(self, measure: str, day: DayArray) -> FloatArray:
        """Sum over the days before a day, one per pair, not after as_of."""
        from patronage.features.kernels import positions

        found = positions(self.table.day, self.table.offsets, self.customer, day)
        return np.asarray(self._prefix(measure)[found + self.customer])

    def total_of(self, values: FloatArray, start: int | None = None, end: int = 0) -> FloatArray:
        """As `total`, of one value for each customer day."""
        from patronage.features.kernels import prefix_sums

        sums = prefix_sums(values, self.table.offsets)
        upto: FloatArray = sums[self._row(end) + self.customer]
        if start is None:
            return upto
        return np.asarray(upto - sums[self._row(start) + self.customer])

    def purchases_before(self, day: DayArray) -> FloatArray:
        """Purchase days of each pair's customer before a day, one per pair."""
        from patronage.features.kernels import positions

        table = self.table
        found = positions(table.purchase_day, table.purchase_offsets, self.customer, day)
        return (found - table.purchase_offsets[self.customer]).astype(np.float64)

    def latest(self, values: FloatArray, *, back: int = 0) -> FloatArray:
        """Value at the last purchase day before as_of, or so many before it; NaN with too few."""
        return self._purchase_value(values, -1 - back)

    def earliest(self, values: FloatArray, number: int = 0) -> FloatArray:
        """Value at the first purchase day, or so many after it; NaN if not before as_of."""
        return self._purchase_value(values, number)

    def latest_day(self, values: FloatArray) -> FloatArray:
        """Value at the last day before as_of of any kind."""
        return values[self._row(0) - 1]

    @cached_property
    def _first_purchase(self) -> Places:
        """Where the customer's purchase days begin among all."""
        return self.table.purchase_offsets[self.customer]

    def _purchase_value(self, values: FloatArray, number: int) -> FloatArray:
        from patronage.features.kernels import purchase_values

        offsets = self.table.purchase_offsets
        return purchase_values(values, offsets, self.customer, self.purchases, number)

    def _row(self, days_before: int) -> Places:
        """First row of the customer not before as_of less so many days."""
        from patronage.features.kernels import positions

        if days_before not in self._rows:
            target = self.as_of - np.int32(days_before)
            self._rows[days_before] = positions(
                self.table.day, self.table.offsets, self.customer, target
            )
        return self._rows[days_before]

    def _prefix(self, measure: str) -> FloatArray:
        from patronage.features.kernels import prefix_sums

        if measure not in self._prefixes:
            self._prefixes[measure] = prefix_sums(self.table.measures[measure], self.table.offsets)
        return self._prefixes[measure]
