"""Transactions in memory, out of any engine: ids as numbers, lines ordered by customer and day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from patronage.errors import DataError
from patronage.features.arrays import DayArray, FloatArray, Places
from patronage.features.days import REQUIRED, lazy_transactions, require_columns

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Lines:
    """Transactions ordered by customer and day; customer c owns lines offsets[c]:offsets[c + 1]."""

    customer_ids: "pd.Index[Any]"
    """In order."""
    offsets: Places
    order: Places
    """Which line of the source stands at each place."""
    day: DayArray
    """In order, days since 1970-01-01."""
    amount: FloatArray
    """In order."""
    source: pa.Table
    """The optional columns, in the order of the source."""

    def numbers(self, name: str) -> FloatArray:
        """A number column in the order of the source; 0 where it is null."""
        return np.asarray(pc.fill_null(self.source[name].cast(pa.float64()), 0.0).to_numpy())

    def keys(self, name: str) -> tuple[Places, Flags]:
        """Numbers that are equal where the ids are, in the order of the source, and which count."""
        column = self.source[name]
        if pa.types.is_signed_integer(column.type):
            values = pc.fill_null(column.cast(pa.int64()), 0)
            return np.asarray(values.to_numpy()), _known(column)
        return self.codes(name)[:2]

    def codes(self, name: str) -> tuple[Places, Flags, pa.Array]:
        """The same as places in the array of the distinct ids, which follows."""
        codes, ids = _encoded(self.source[name])
        return codes, _known(self.source[name]), ids


def collect_lines(transactions: Any, wanted: Sequence[str]) -> Lines:
    """The lines of any frame, ordered by customer and day, with those wanted columns it has.

    Lines of one day keep the order in which the engine delivers them.

    Raises
    ------
    DataError
        If a required column is missing, or null in some line.
    """
    frame = lazy_transactions(transactions)
    columns = frame.collect_schema().names()
    require_columns(columns)
    selected = frame.select(
        "customer_id",
        nw.col("timestamp").cast(nw.Date),
        nw.col("amount").cast(nw.Float64),
        *(name for name in wanted if name in columns),
    )
    return _ordered(selected.collect("pyarrow").to_native())


def _ordered(table: pa.Table) -> Lines:
    from patronage.features.collapse_kernels import lines_by_customer

    refuse_nulls(table, table.num_rows)
    customer, ids = _ranked(table["customer_id"])
    day = np.asarray(table["timestamp"].cast(pa.date32()).cast(pa.int32()).to_numpy())
    order, offsets = lines_by_customer(customer, day, len(ids))
    return Lines(
        customer_ids=ids,
        offsets=offsets,
        order=order,
        day=day[order],
        amount=np.asarray(table["amount"].to_numpy())[order],
        source=table.drop(list(REQUIRED)),
    )


def _encoded(column: pa.ChunkedArray) -> tuple[Places, pa.Array]:
    """Numbers of the distinct values in order of appearance, 0 where null, and the values."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), encoded.dictionary


def _ranked(column: pa.ChunkedArray) -> tuple[Places, "pd.Index[Any]"]:
    """Each line's customer as its place among the sorted ids, and these."""
    codes, ids = _encoded(column)
    order = np.asarray(pc.sort_indices(ids).to_numpy(), dtype=np.int64)
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    return rank[codes], pd.Index(ids.take(pa.array(order)).to_pandas(), name="customer_id")


def _known(column: pa.ChunkedArray) -> Flags:
    return np.asarray(pc.is_valid(column).to_numpy(), dtype=bool)


def refuse_nulls(table: pa.Table, n_lines: int) -> None:
    """Raise DataError naming a required column that is null in some of so many lines."""
    for name in REQUIRED:
        n_missing = table[name].null_count if name in table.column_names else 0
        if n_missing:
            raise DataError(
                f"{name} is missing in {n_missing:,} of {n_lines:,} transactions. "
                f'Leave these out: [transactions] where = "{name} IS NOT NULL"'
            )
