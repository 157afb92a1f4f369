"""How a customer's lines spread over the values of a text, such as category or channel."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from patronage.features.arrays import FloatArray, ratio
from patronage.features.grid import Grid
from patronage.features.lookup import Lookup
from patronage.features.records import Codes, Records, Texts


class Spread(NamedTuple):
    """State after each row."""

    entropy: FloatArray
    """Of the lines over the codes, in nats."""
    distinct: FloatArray
    top_share: FloatArray
    top: Codes
    """The code of most lines, the smallest of several."""
    top_day: FloatArray
    """The last day of that code."""
    new: FloatArray
    """1 where the row's code is new to the customer."""
    new_day: FloatArray
    """The last day of a new code."""
    before: FloatArray
    """The day of the last row of the same code before this one; below all days where it is new."""


@dataclass(frozen=True, eq=False)
class Variety:
    """Rows of customer, day and value, with `lines`, seen from each pair of customer and cutoff."""

    known: Lookup
    text: Texts

    @classmethod
    def of(cls, grid: Grid, records: Records, column: str) -> "Variety":
        """The variety of a column of text, of the rows that have a value in it."""
        has_value = records.text(column).codes >= 0
        if not has_value.all():
            records = records.where(has_value)
        return cls(grid.look_up(records), records.text(column))

    @cached_property
    def spread(self) -> Spread:
        """The running state after each row."""
        from patronage.features.variety_kernels import running_spread

        records = self.known.records
        return Spread(
            *running_spread(
                self.text.codes,
                records.number("lines"),
                records.day,
                records.offsets,
                len(self.text.values),
            )
        )

    @cached_property
    def distinct(self) -> FloatArray:
        """Distinct values so far."""
        return np.nan_to_num(self.known.latest(self.spread.distinct))

    @cached_property
    def effective(self) -> FloatArray:
        """So many values, used evenly, would have the same entropy; NaN with none."""
        return np.exp(self.known.latest(self.spread.entropy))

    @cached_property
    def evenness(self) -> FloatArray:
        """Entropy divided by its most for so many values; 0 with one, NaN with none."""
        entropy, most = self.known.latest(self.spread.entropy), np.log(self.distinct)
        return np.where(np.isnan(entropy), np.nan, ratio(entropy, most, empty=0.0))

    @cached_property
    def top_share(self) -> FloatArray:
        """Share of the lines that the most frequent value has."""
        return self.known.latest(self.spread.top_share)

    @property
    def top(self) -> Texts:
        """The most frequent value; the first of the alphabet where several are."""
        return self._text(self.known)

    @property
    def first(self) -> Texts:
        """The most frequent value of the first day."""
        return self._text(self._first_day)

    @cached_property
    def days_since_top(self) -> FloatArray:
        """Days since the most frequent value was last bought."""
        return self.known.as_of - self.known.latest(self.spread.top_day)

    @cached_property
    def days_since_new(self) -> FloatArray:
        """Days since something was bought that never was before."""
        return self.known.as_of - self.known.latest(self.spread.new_day)

    @cached_property
    def new_rate(self) -> FloatArray:
        """Share of the values bought after the first day, day by day, that were new."""
        at_first = np.nan_to_num(self._first_day.latest(self.spread.distinct))
        return ratio(self.distinct - at_first, self.known.seen - self._first_day.seen)

    def new_within(self, days: int) -> FloatArray:
        """Values bought for the first time in the last days."""
        return self.known.total(self.spread.new, days)

    def distinct_within(self, days: int) -> FloatArray:
        """Distinct values of the last days."""
        from patronage.features.variety_kernels import distinct_between

        start = self.known.as_of - np.int32(days)
        return distinct_between(
            self.known.records.day,
            self.spread.before,
            self.known.records.offsets,
            self.known.customer,
            start.astype(np.int32),
            self.known.as_of,
        )

    @cached_property
    def _first_day(self) -> Lookup:
        """What was known on the evening of the customer's first day with a value."""
        day = self.known.earliest(self.known.records.day.astype(np.float64))
        evening = np.where(np.isnan(day), self.known.as_of, day + 1).astype(np.int32)
        return Lookup(self.known.records, self.known.customer, evening)

    def _text(self, known: Lookup) -> Texts:
        return known.latest_text(Texts(self.spread.top, self.text.values))
