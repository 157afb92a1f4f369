"""Customer days in memory: customer-ordered arrays, and statistics that run along them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from patronage.features.arrays import DayArray, FloatArray, Places, rows_of
from patronage.features.sampling import drawn

DAYS_OF_MONTH = 31


@dataclass(frozen=True, eq=False)
class DayTable:
    """Customer days ordered by customer and day; customer c owns rows offsets[c]:offsets[c + 1].

    Days before a customer's first purchase day hold returns only and are left out, and so are
    customers without any purchase day. Statistics are per purchase day and see it and its past.
    """

    customer_ids: "pd.Index[Any]"
    offsets: Places
    """Shape (customers + 1,)."""
    day: DayArray
    """Days since 1970-01-01, shape (rows,), increasing within a customer."""
    measures: dict[str, FloatArray]
    """spend, returned, gross, purchase_days (0 or 1), orders, ... each of shape (rows,)."""
    first_day: int
    """First day of the data, whoever it belongs to: history begins here."""
    last_day: int
    n_customers_dropped: int = 0
    """Customers who only ever returned something."""
    n_days_dropped: int = 0
    """Days of customers who had yet to make their first purchase."""

    def __len__(self) -> int:
        """Number of customers."""
        return len(self.offsets) - 1

    def chunks(self, n_customers: int) -> Iterator["DayTable"]:
        """The same table, at most so many customers at a time; the arrays are views."""
        for start in range(0, len(self), n_customers):
            yield self._customers(start, min(start + n_customers, len(self)))

    def _customers(self, start: int, stop: int) -> "DayTable":
        rows = slice(self.offsets[start], self.offsets[stop])
        return replace(
            self,
            customer_ids=self.customer_ids[start:stop],
            offsets=self.offsets[start : stop + 1] - self.offsets[start],
            day=self.day[rows],
            measures={name: values[rows] for name, values in self.measures.items()},
        )

    def sample(self, sample: float | int, *, seed: int) -> "DayTable":
        """A share of the customers, or at most so many, drawn by their id; the order stays."""
        chosen = drawn(self.customer_ids, sample, seed=seed)
        return self if chosen.size == len(self) else self.customers(chosen)

    def customers(self, chosen: Places) -> "DayTable":
        """Only the customers at these places, in this order."""
        rows, offsets = rows_of(chosen, self.offsets)
        return replace(
            self,
            customer_ids=self.customer_ids[chosen],
            offsets=offsets,
            day=self.day[rows],
            measures={name: values[rows] for name, values in self.measures.items()},
        )

    @property
    def purchase_rows(self) -> Places:
        """Row of each purchase day."""
        return self._purchases[0]

    @property
    def purchase_day(self) -> DayArray:
        """Day of each purchase day."""
        return self._purchases[1]

    @property
    def purchase_offsets(self) -> Places:
        """Customer c owns purchase days purchase_offsets[c]:purchase_offsets[c + 1]."""
        return self._purchases[2]

    @cached_property
    def _purchases(self) -> tuple[Places, DayArray, Places]:
        from patronage.features.kernels import chosen_rows

        return chosen_rows(self.measures["purchase_days"], self.day, self.offsets)

    @cached_property
    def repeat_number(self) -> FloatArray:
        """0 for a customer's first purchase day, 1 for the second ..."""
        starts = self.purchase_offsets[:-1]
        lengths = np.diff(self.purchase_offsets)
        return (np.arange(self.purchase_day.size) - np.repeat(starts, lengths)).astype(np.float64)

    @cached_property
    def gap(self) -> FloatArray:
        """Days since the purchase day before; NaN on the first."""
        gap = np.diff(self.purchase_day, prepend=0).astype(np.float64)
        gap[self.purchase_offsets[:-1]] = np.nan
        return gap

    @cached_property
    def weekend(self) -> FloatArray:
        """1 for a purchase day on a Saturday or Sunday."""
        monday_is_0 = (self.purchase_day + 3) % 7
        return (monday_is_0 >= 5).astype(np.float64)

    @cached_property
    def month_angle(self) -> tuple[FloatArray, FloatArray]:
        """Cosine and sine of the day of the month, the month taken as a circle of 31 days."""
        if not self.purchase_day.size:
            return np.empty(0), np.empty(0)
        first, last = self.purchase_day.min(), self.purchase_day.max()
        dates = np.arange(first, last + 1).astype("datetime64[D]")
        of_month = (dates - dates.astype("datetime64[M]")).astype(np.float64)
        angle, place = 2 * np.pi * of_month / DAYS_OF_MONTH, self.purchase_day - first
        return np.cos(angle)[place], np.sin(angle)[place]

    @cached_property
    def last_return(self) -> FloatArray:
        """Per row, the last day with a return up to it; NaN before the first."""
        from patronage.features.kernels import running_max

        returned = np.where(self.measures["return_lines"] > 0, self.day, np.nan)
        return running_max(returned, self.offsets)

    @cached_property
    def weekday_spread(self) -> tuple[FloatArray, FloatArray]:
        """Entropy of the weekdays of purchase, 0 to 1, and the share of the most frequent."""
        from patronage.features.kernels import weekday_spread

        return weekday_spread(self.purchase_day, self.purchase_offsets)

    def at_purchases(self, measure: str) -> FloatArray:
        """A measure on the purchase days; NaN where the source has no such column."""
        values = self.measures.get(measure)
        if values is None:
            return np.full(self.purchase_day.size, np.nan)
        return values[self.purchase_rows]

    def running_sum(self, values: FloatArray) -> FloatArray:
        """Sum of values of purchase days, up to each."""
        from patronage.features.kernels import running_sum

        return running_sum(values, self.purchase_offsets)

    def running_max(self, values: FloatArray) -> FloatArray:
        """Largest of values of purchase days, up to each."""
        from patronage.features.kernels import running_max

        return running_max(values, self.purchase_offsets)

    def running_sd(self, values: FloatArray) -> FloatArray:
        """Sample standard deviation of values of purchase days, up to each."""
        from patronage.features.kernels import running_sd

        return running_sd(values, self.purchase_offsets)

    def running_median(self, values: FloatArray) -> FloatArray:
        """Median of values of purchase days, up to each."""
        from patronage.features.kernels import running_median

        return running_median(values, self.purchase_offsets)
