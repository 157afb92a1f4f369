"""Rows of one optional table in memory, ordered by customer, then time, as customer days are."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from patronage.errors import DataError
from patronage.features.arrays import DayArray, FloatArray, Places

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

    def where(self, mask: Mask) -> "Records":
        """Only the rows of the mask, for the same customers."""
        kept = np.concatenate(([0], np.cumsum(mask)))
        return replace(self, offsets=kept[self.offsets], **self._rows(mask))

    def customers(self, chosen: Places) -> "Records":
        """The rows of these customers, in their order."""
        lengths = np.diff(self.offsets)[chosen]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        rows = np.repeat(self.offsets[chosen] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return replace(self, offsets=offsets, **self._rows(rows))

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
    order = np.lexsort((within, day, owner))
    order = order[owner[order] >= 0]
    owned = owner[order]
    return Records(
        offsets=np.searchsorted(owned, np.arange(len(customer_ids) + 1)).astype(np.int64),
        day=day[order],
        numbers=_numbers(collected, order, time),
        texts=_texts(collected, order),
        n_rows_dropped=len(owner) - len(order),
    )


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


def _numbers(table: pa.Table, order: Places, time: str | None) -> dict[str, FloatArray]:
    found = {}
    for name in table.column_names:
        kind = table.schema.field(name).type
        if name in ("customer_id", time) or _is_text(kind):
            continue
        column = table[name]
        if pa.types.is_temporal(kind):
            column = pc.floor(pc.divide(column.cast(pa.timestamp("us")).cast(pa.int64()), 86.4e9))
        values = column.cast(pa.float64()).to_numpy()
        found[name] = np.asarray(values, dtype=np.float64)[order]
    return found


def _texts(table: pa.Table, order: Places) -> dict[str, Texts]:
    found = {}
    for name in table.column_names:
        if name == "customer_id" or not _is_text(table.schema.field(name).type):
            continue
        codes, values = pd.factorize(table[name].cast(pa.string()).to_pandas(), sort=True)
        found[name] = Texts(codes.astype(np.int32)[order], tuple(map(str, values)))
    return found


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
