"""Customer days out of any engine: one sorted Arrow collect, checked, into a DayTable."""

from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from patronage.errors import DataError
from patronage.features.arrays import DayArray, FloatArray, Places, calendar_day
from patronage.features.day_table import DayTable

KEYS = ("customer_id", "day")
REQUIRED = ("spend", "returned", "purchases", "return_lines", "orders")
ROUNDING = 1e-9
OPTIONAL = ("units", "discount", "margin", "products", "categories", "new_products")


def day_table(days: Any) -> DayTable:
    """Customer days in memory, from the output of `customer_days` or a frame like it.

    A DayTable is passed through, so it can be collected once and used often.

    Raises
    ------
    DataError
        If a column is missing, an id or a day is null, a day occurs twice for a customer, a
        sum is not finite, or there is no purchase at all.
    """
    return days if isinstance(days, DayTable) else _from_arrow(_collect(days))


def _collect(days: Any) -> pa.Table:
    frame = nw.from_native(days, pass_through=False).lazy()
    columns = frame.collect_schema().names()
    missing = sorted({*KEYS, *REQUIRED} - set(columns))
    if missing:
        raise DataError(
            f"customer days have no column {', '.join(missing)}; they have "
            f"{', '.join(sorted(columns))}. Make them with customer_days(transactions)."
        )
    wanted = [name for name in (*KEYS, *REQUIRED, *OPTIONAL) if name in columns]
    return frame.select(*wanted).sort(*KEYS).collect("pyarrow").to_native()


def _from_arrow(table: pa.Table) -> DayTable:
    _refuse_nulls(table)
    codes, ids = _customers(table["customer_id"])
    day = np.asarray(table["day"].cast(pa.date32()).cast(pa.int32()).to_numpy(), dtype=np.int32)
    _refuse_twice(codes, day, ids)
    measures = _measures(table)
    refuse_infinite(measures, np.searchsorted(codes, np.arange(len(ids) + 1)), day, ids)
    return _started(codes, day, ids, measures)


def _customers(ids: pa.ChunkedArray) -> tuple[Places, "pd.Index[Any]"]:
    """Number of each row's customer in order, and the customers."""
    encoded = pc.dictionary_encode(ids.combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = encoded.indices.to_numpy().astype(np.int64)
    return codes, pd.Index(encoded.dictionary.to_pandas(), name="customer_id")


def _measures(table: pa.Table) -> dict[str, FloatArray]:
    names = [name for name in (*REQUIRED, *OPTIONAL) if name in table.column_names]
    found = {
        name: np.asarray(pc.fill_null(table[name].cast(pa.float64()), 0.0).to_numpy())
        for name in names
    }
    found["purchase_days"] = (found.pop("purchases") > 0).astype(np.float64)
    found["gross"] = gross_value(found["spend"], found["returned"])
    return found


def gross_value(spend: FloatArray, returned: FloatArray) -> FloatArray:
    """Value bought: what returns take off net spend, added again.

    Where nothing was bought, rounding must not leave a tiny value to divide by.
    """
    gross = spend + returned
    return np.where(gross > ROUNDING * returned, gross, 0.0)


def _started(
    codes: Places, day: DayArray, ids: "pd.Index[Any]", measures: dict[str, FloatArray]
) -> DayTable:
    """Leave out what lies before a customer's first purchase day."""
    first = _first_purchase_rows(codes, measures["purchase_days"] > 0, len(ids))
    keep = np.arange(len(codes)) >= first[codes]
    stays = np.flatnonzero(first < len(codes))
    counts = np.bincount(codes[keep], minlength=len(ids))[stays]
    return DayTable(
        customer_ids=ids[stays],
        offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        day=day if keep.all() else day[keep],
        measures=measures if keep.all() else {k: values[keep] for k, values in measures.items()},
        first_day=int(day.min()),
        last_day=int(day.max()),
        n_customers_dropped=len(ids) - len(stays),
        n_days_dropped=int(np.count_nonzero(~keep)),
    )


def _first_purchase_rows(codes: Places, bought: npt.NDArray[np.bool_], n_customers: int) -> Places:
    """Row of each customer's first purchase day; past the last row where there is none."""
    rows = np.flatnonzero(bought)
    if not rows.size:
        raise DataError(
            f"{len(codes):,} customer days hold no purchase: every amount is negative, or there "
            "is no transaction at all. Check the source and [transactions] where."
        )
    first = np.full(n_customers, len(codes))
    first[codes[rows[::-1]]] = rows[::-1]
    return first


def _refuse_nulls(table: pa.Table) -> None:
    for name in KEYS:
        if table[name].null_count:
            raise DataError(
                f"{name} is missing in {table[name].null_count:,} of {table.num_rows:,} customer "
                "days. Leave these transactions out: [transactions] where = "
                f'"{"timestamp" if name == "day" else name} IS NOT NULL"'
            )


def _refuse_twice(codes: Places, day: DayArray, ids: "pd.Index[Any]") -> None:
    twice = np.flatnonzero((np.diff(codes) == 0) & (np.diff(day) == 0))
    if twice.size:
        row = twice[0]
        raise DataError(
            f"customer days hold {twice.size:,} rows too many: customer {ids[codes[row]]} has two "
            f"for {calendar_day(day[row])}. Make them with customer_days(transactions)."
        )


def refuse_infinite(
    measures: dict[str, FloatArray], offsets: Places, day: DayArray, ids: "pd.Index[Any]"
) -> None:
    """Raise DataError naming the first customer and day on which a measure is not finite."""
    for name, values in measures.items():
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            customer = ids[np.searchsorted(offsets, bad[0], side="right") - 1]
            raise DataError(
                f"{name} is not finite on {bad.size:,} of {len(values):,} customer days, first for "
                f"customer {customer} on {calendar_day(day[bad[0]])}. Correct the "
                "amounts, or leave these transactions out: [transactions] where = ..."
            )
