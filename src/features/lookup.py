"""What the rows of an optional table say as of each row of the panel."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from patronage.features.arrays import DayArray, FloatArray, Places
from patronage.features.records import Mask, Records, Texts


@dataclass(frozen=True, eq=False)
class Lookup:
    """Records seen from pairs of customer and cutoff: rows of days before `as_of`, no others."""

    records: Records
    customer: Places
    as_of: DayArray
    _places: dict[int, Places] = field(default_factory=dict, repr=False)

    def where(self, mask: Mask) -> "Lookup":
        """The same pairs, seeing only the records of the mask."""
        return Lookup(self.records.where(mask), self.customer, self.as_of)

    @cached_property
    def seen(self) -> FloatArray:
        """How many records lie before as_of."""
        return self.count()

    def count(self, start: int | None = None, end: int = 0) -> FloatArray:
        """Records of the days in [as_of - start, as_of - end); all before it by default."""
        first = self._first if start is None else self._place(start)
        return (self._place(end) - first).astype(np.float64)

    def count_after(self, day: FloatArray) -> FloatArray:
        """Records of the days after a day, one per pair, and before as_of."""
        from patronage.features.kernels import positions

        after = np.asarray(day + 1, dtype=np.int32)
        first = positions(self.records.day, self.records.offsets, self.customer, after)
        return (self._place(0) - first).astype(np.float64)

    def total(self, values: FloatArray, start: int | None = None, end: int = 0) -> FloatArray:
        """Sum of the values of the records of these days; NaN counts as nothing."""
        from patronage.features.kernels import prefix_sums

        sums = prefix_sums(np.nan_to_num(values), self.records.offsets)
        first = self._first if start is None else self._place(start)
        return np.asarray(sums[self._place(end) + self.customer] - sums[first + self.customer])

    def latest(self, values: FloatArray, *, back: int = 0) -> FloatArray:
        """Value of the last record before as_of, or so many before it; NaN with too few."""
        return self._value(values, self._place(0) - 1 - back)

    def latest_text(self, text: Texts) -> Texts:
        """The same of a column of text."""
        return self._text(text, self._place(0) - 1)

    def earliest_text(self, text: Texts) -> Texts:
        """Text of the first record; none if it is not before as_of."""
        return self._text(text, self._first)

    def earliest(self, values: FloatArray) -> FloatArray:
        """Value of the first record; NaN if it is not before as_of."""
        return self._value(values, self._first)

    @cached_property
    def days_since(self) -> FloatArray:
        """Days from the last record's day to as_of, at least 1; NaN with none."""
        return self.as_of - self.latest(self.records.day.astype(np.float64))

    @cached_property
    def _first(self) -> Places:
        return self.records.offsets[self.customer]

    def _value(self, values: FloatArray, place: Places) -> FloatArray:
        known = (place >= self._first) & (place < self._place(0))
        if not values.size:
            return np.full(place.size, np.nan)
        return np.where(known, values[np.where(known, place, 0)], np.nan)

    def _text(self, text: Texts, place: Places) -> Texts:
        codes = self._value(text.codes.astype(np.float64), place)
        return Texts(np.where(np.isnan(codes), -1, codes).astype(np.int32), text.values)

    def _place(self, days_before: int) -> Places:
        """First record of the customer not before as_of less so many days."""
        from patronage.features.kernels import positions

        if days_before not in self._places:
            target = self.as_of - np.int32(days_before)
            self._places[days_before] = positions(
                self.records.day, self.records.offsets, self.customer, target
            )
        return self._places[days_before]
