"""Rows of one optional table in memory, ordered by customer, then time, as customer days are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from patronage.errors import DataError
from patronage.features.arrays import DayArray, FloatArray, Places, rows_of

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
EVER = np.int32(-(2**31) + 1)
"""The day of a row that holds from the beginning of time."""


@dataclass(frozen=True, eq=False)
class Texts:
    """A column of text: each row's place among the distinct values, -1 where there is none."""

    codes: Codes
    values: tuple[str, ...]
    """Sorted."""

    def among(self, wanted: Collection[str]) -> Mask:
        """Rows whose value is one of these."""
        places = [place for place, value in enumerate(self.values) if value in wanted]
        return np.isin(self.codes, places)


@dataclass(frozen=True, eq=False)
class Records:
    """Rows of a table; the c-th customer of the day table owns rows offsets[c]:offsets[c + 1]."""

    offsets: Places
    """Shape (customers + 1,)."""
    day: DayArray
    """Days since 1970-01-01, not decreasing within a customer: from when on a row is known."""
    numbers: dict[str, FloatArray]
    """Columns of numbers, and of other times in days since 1970-01-01; NaN where there is none."""
    texts: dict[str, Texts]
    n_rows_dropped: int = 0
    """Rows of nobody who ever bought."""
    times: frozenset[str] = frozenset()
    """Which of the numbers are days since 1970-01-01."""

    @cached_property
    def owner(self) -> Places:
        """The customer of each row."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def number(self, name: str) -> FloatArray:
        """A column of numbers; NaN throughout where the table has none of that name."""
        if name in self.numbers:
            return self.numbers[name]
        return np.full(self.day.size, np.nan)

    def text(self, name: str) -> Texts:
        """A column of text; without a value throughout where the table has none of that name."""
        if name in self.texts:
            return self.texts[name]
        return Texts(np.full(self.day.size, -1, dtype=np.int32), ())

    def where(self, mask: Mask) -> "Records":
        """Only the rows of the mask, for the same customers."""
        kept = np.concatenate(([0], np.cumsum(mask)))
        return replace(self, offsets=kept[self.offsets], **self._rows(mask))

    def customers(self, chosen: Places) -> "Records":
        """The rows of these customers, in their order."""
        rows, offsets = rows_of(chosen, self.offsets)
        return replace(self, offsets=offsets, **self._rows(rows))

    def known_from(self, day: FloatArray) -> "Records":
        """The same rows, known from other days on and ordered by them; no row whose day is NaN."""
        rows = np.flatnonzero(~np.isnan(day))
        order = rows[np.lexsort((day[rows], self.owner[rows]))]
        kept = np.searchsorted(self.owner[order], np.arange(len(self.offsets))).astype(np.int64)
        return replace(
            self, offsets=kept, **{**self._rows(order), "day": day[order].astype(np.int32)}
        )

    def span(self, start: int, stop: int) -> "Records":
        """The rows of customers start to stop - 1; the arrays are views."""
        rows = slice(self.offsets[start], self.offsets[stop])
        offsets = self.offsets[start : stop + 1] - self.offsets[start]
        return replace(self, offsets=offsets, **self._rows(rows))

    def _rows(self, rows: Any) -> dict[str, Any]:
        return {
            "day": self.day[rows],
            "numbers": {name: values[rows] for name, values in self.numbers.items()},
            "texts": {
                name: Texts(column.codes[rows], column.values)
                for name, column in self.texts.items()
            },
        }


def read_records(
    frame: Any, customer_ids: "pd.Index[Any]", *, time: str | None, table: str
) -> Records:
    """Collect a table of the ledger for these customers.

    Parameters
    ----------
    frame
        Any frame Narwhals knows, with customer_id and the columns of the table.
    customer_ids
        The customers of the day table, in its order.
    time
        The column that says from when on a row is known; None where it always was.
    table
        Its name, for messages.

    Raises
    ------
    DataError
        If a column is missing, or the time of a row is.
    """
    known = nw.from_native(frame, pass_through=False).lazy()
    names = known.collect_schema().names()
    missing = sorted({"customer_id", *([time] if time else [])} - set(names))
    if missing:
        raise DataError(
            f"{table} have no column {', '.join(missing)}; they have {', '.join(sorted(names))}. "
            f"Name the source's columns: [{table}.columns]"
        )
    collected: pa.Table = known.collect("pyarrow").to_native()
    owner = customer_ids.get_indexer(pd.Index(collected["customer_id"].to_pandas()))
    day, within = _times(collected, time, table)
    numbers, texts = _numbers(collected, time), _texts(collected)
    times = frozenset(
        name for name in numbers if pa.types.is_temporal(collected.schema.field(name).type)
    )
    # Another time may still be unknown at a cutoff: it decides only between rows alike in all else,
    # and comes last when it is null, as it does when it lies ahead.
    certain_first = sorted(numbers, key=lambda name: name in times)
    content = [text.codes for text in texts.values()] + [numbers[name] for name in certain_first]
    order = _order(owner, within, content)
    return Records(
        offsets=np.searchsorted(owner[order], np.arange(len(customer_ids) + 1)).astype(np.int64),
        day=day[order],
        numbers={name: values[order] for name, values in numbers.items()},
        texts={name: Texts(text.codes[order], text.values) for name, text in texts.items()},
        n_rows_dropped=len(owner) - len(order),
        times=times,
    )


def _order(
    owner: npt.NDArray[np.intp],
    within: npt.NDArray[np.int64],
    content: Sequence[npt.NDArray[Any]],
) -> npt.NDArray[np.intp]:
    """Rows by customer, then time; rows of one moment by what they say, not by how they came."""
    order = np.lexsort((within, owner))
    order = order[owner[order] >= 0]
    same = (np.diff(owner[order]) == 0) & (np.diff(within[order]) == 0)
    if same.any():
        tied = np.append(same, False) | np.append(False, same)
        rows = order[tied]
        keys = [values[rows] for values in (*content[::-1], within, owner)]
        order[tied] = rows[np.lexsort(keys)]
    return order


def _times(table: pa.Table, time: str | None, name: str) -> tuple[DayArray, npt.NDArray[np.int64]]:
    """The day of each row, and its time within all days, which orders rows of one day."""
    if time is None:
        return np.full(table.num_rows, EVER), np.zeros(table.num_rows, np.int64)
    times = table[time].cast(pa.timestamp("us"))
    if times.null_count:
        raise DataError(
            f"{time} is missing in {times.null_count:,} of {table.num_rows:,} rows of {name}. "
            f'Leave them out: [{name}] where = "{time} IS NOT NULL"'
        )
    micros = np.asarray(times.cast(pa.int64()).to_numpy())
    return _days(micros), micros


def _days(micros: npt.NDArray[np.int64]) -> DayArray:
    return np.asarray(micros // 86_400_000_000, dtype=np.int32)


def _numbers(table: pa.Table, time: str | None) -> dict[str, FloatArray]:
    found = {}
    for name in table.column_names:
        kind = table.schema.field(name).type
        if name in ("customer_id", time) or _is_text(kind):
            continue
        column = table[name]
        if pa.types.is_temporal(kind):
            column = pc.floor(pc.divide(column.cast(pa.timestamp("us")).cast(pa.int64()), 86.4e9))
        values = column.cast(pa.float64()).to_numpy()
        found[name] = np.asarray(values, dtype=np.float64)
    return found


def _texts(table: pa.Table) -> dict[str, Texts]:
    found = {}
    for name in table.column_names:
        if name == "customer_id" or not _is_text(table.schema.field(name).type):
            continue
        codes, values = pd.factorize(table[name].cast(pa.string()).to_pandas(), sort=True)
        found[name] = Texts(codes.astype(np.int32), tuple(map(str, values)))
    return found


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
