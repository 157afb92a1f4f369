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
from patronage.features.records import Codes

Flags = npt.NDArray[np.bool_]
DENSE = 8
"""Whole numbers whose span is not larger than so many times their count are counted off."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Transactions ordered by customer and day; customer c owns lines offsets[c]:offsets[c + 1]."""

    customer_ids: "pd.Index[Any]"
    """In order."""
    offsets: Places
    order: Codes
    """Which line of the source stands at each place."""
    day: DayArray
    """In order, days since 1970-01-01."""
    amount: FloatArray
    """In order."""
    source: pa.Table
    """The optional columns, in the order of the source."""

    def numbers(self, name: str) -> FloatArray:
        """A number column in the order of the source; 0 where it is null."""
        column = self.source[name].cast(pa.float64())
        return _joined(pc.fill_null(column, 0.0) if column.null_count else column)

    def known(self, name: str) -> Flags | None:
        """Which lines have a value, in order; None where all do."""
        from patronage.features.collapse_kernels import taken

        column = self.source[name]
        if not column.null_count:
            return None
        known: Flags = _joined(pc.is_valid(column))
        return taken(known, self.order)

    def keys(self, name: str, compared: Flags) -> Codes | Places:
        """Numbers that are equal where the ids of compared lines are, in the order of the source.

        To number a text is dear, so that of a line which is not compared is left 0.
        """
        column = self.source[name]
        if _is_whole(column):
            return _whole(column)
        keys = np.zeros(compared.size, dtype=np.int32)
        keys[compared] = _encoded(column.filter(pa.array(compared)))[0]
        return keys

    def codes(self, name: str) -> tuple[Codes, pa.Array]:
        """Each line's place in the array of the distinct ids, which follows."""
        return _encoded(self.source[name])


def collect_lines(transactions: Any, wanted: Sequence[str]) -> Lines:
    """The lines of any frame, ordered by customer and day, with those wanted columns it has.

    Lines of one day keep the order in which the engine delivers them.

    Raises
    ------
    DataError
        If a required column is missing, or null in some line.
    """
    return ordered_lines(lines_of(transactions, wanted))


def lines_of(transactions: Any, wanted: Sequence[str]) -> nw.LazyFrame[Any]:
    """The lines as they are to be collected."""
    frame = lazy_transactions(transactions)
    columns = frame.collect_schema().names()
    require_columns(columns)
    return frame.select(
        "customer_id",
        nw.col("timestamp").cast(nw.Date),
        nw.col("amount").cast(nw.Float64),
        *(name for name in wanted if name in columns),
    )


def ordered_lines(lines: nw.LazyFrame[Any] | pa.Table) -> Lines:
    """The output of `lines_of`, lazy or collected, in order of customer and day."""
    from patronage.features.collapse_kernels import lines_by_customer, taken

    table = lines if isinstance(lines, pa.Table) else lines.collect("pyarrow").to_native()
    refuse_nulls(table, table.num_rows)
    customer, ids = _ranked(table["customer_id"])
    day = _joined(table["timestamp"].cast(pa.date32()).cast(pa.int32()))
    order, day, offsets = lines_by_customer(customer, day, len(ids))
    return Lines(
        customer_ids=ids,
        offsets=offsets,
        order=order,
        day=day,
        amount=taken(_joined(table["amount"]), order),
        source=table.drop(list(REQUIRED)),
    )


def _encoded(column: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """Each value's place among the distinct values, 0 where it is null, and these."""
    from patronage.features.collapse_kernels import places_among

    if _is_whole(column) and len(column):
        low, high = (pc.min_max(column)[end].as_py() for end in ("min", "max"))
        if high - low < DENSE * len(column):
            codes, found = places_among(_whole(column), low, high - low + 1)
            return codes, pa.array(found).cast(column.type)
    encoded = pc.dictionary_encode(column.combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    indices = encoded.indices
    codes = (pc.fill_null(indices, 0) if indices.null_count else indices).to_numpy()
    return np.asarray(codes, dtype=np.int32), encoded.dictionary


def _ranked(column: pa.ChunkedArray) -> tuple[Codes, "pd.Index[Any]"]:
    """Each line's customer as its place among the sorted ids, and these."""
    codes, ids = _encoded(column)
    order = np.asarray(pc.sort_indices(ids).to_numpy(), dtype=np.int64)
    if (np.diff(order) != 1).any():
        rank = np.empty(order.size, dtype=np.int32)
        rank[order] = np.arange(order.size)
        codes, ids = rank[codes], ids.take(pa.array(order))
    return codes, pd.Index(ids.to_pandas(), name="customer_id")


def _is_whole(column: pa.ChunkedArray) -> bool:
    """Whether it holds whole numbers, all of them, that fit 64 bits with a sign."""
    return pa.types.is_integer(column.type) and column.type != pa.uint64() and not column.null_count


def _whole(column: pa.ChunkedArray) -> Places:
    return _joined(column.cast(pa.int64()))


def _joined(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Its values in one array of Arrow's: NumPy asks for huge pages, which can be slow to get."""
    return np.asarray(column.combine_chunks().to_numpy(zero_copy_only=False))


def refuse_nulls(table: pa.Table, n_lines: int) -> None:
    """Raise DataError naming a required column that is null in some of so many lines."""
    for name in REQUIRED:
        n_missing = table[name].null_count if name in table.column_names else 0
        if n_missing:
            raise DataError(
                f"{name} is missing in {n_missing:,} of {n_lines:,} transactions. "
                f'Leave these out: [transactions] where = "{name} IS NOT NULL"'
            )
