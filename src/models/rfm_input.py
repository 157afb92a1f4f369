"""The value models' input: read from any data frame and checked once, at the border."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.errors import DataError

FloatArray: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = "pd.Series[Any] | NDArray[Any] | Sequence[float] | None"

TIMING = ("frequency", "recency", "T")
SPEND = ("frequency", "monetary_value")


@dataclass(frozen=True, kw_only=True)
class Rfm:
    """Checked columns, one value per customer; a column that was not asked for is empty."""

    customer_id: "pd.Index[Any]"
    frequency: FloatArray
    recency: FloatArray
    T: FloatArray
    monetary_value: FloatArray

    def take(self, rows: NDArray[np.intp]) -> "Rfm":
        """Some of the rows."""
        columns = (self.frequency, self.recency, self.T, self.monetary_value)
        x, t_x, T, spend = (values[rows] if len(values) else values for values in columns)
        return Rfm(
            customer_id=self.customer_id[rows], frequency=x, recency=t_x, T=T, monetary_value=spend
        )

    def series(self, values: FloatArray, name: str) -> "pd.Series[Any]":
        """One result per customer, indexed by `customer_id`."""
        return pd.Series(values, index=self.customer_id, name=name)


def read_rfm(
    frame: Any, columns: Sequence[str] = TIMING, *, may_lack_customers: bool = False
) -> Rfm:
    """Read and check `columns` of a pandas, Polars or Arrow frame.

    Parameters
    ----------
    frame
        One row per customer: `customer_id` (a column, or the name of a pandas index) and `columns`.
    columns
        Those that are needed, of frequency, recency, T and monetary_value.
    may_lack_customers
        Rows that stand for several customers each need no `customer_id`.

    Raises
    ------
    DataError
        If a column is missing, is no number, or holds a value that no customer can have; the
        message names the column, how many customers, the first one, and the fix.
    """
    table = read_table(frame)
    ids = read_customer_ids(table, may_lack_customers)
    found = {name: _numbers(table, name, ids) for name in columns}
    _check_values(found, ids)
    none = np.empty(0)
    return Rfm(
        customer_id=ids,
        **{name: found.get(name, none) for name in (*TIMING, "monetary_value")},
    )


def read_weights(weights: Weights, ids: "pd.Index[Any]") -> FloatArray:
    """How many customers each row stands for; 1 by default.

    Raises
    ------
    DataError
        If they are no numbers, there are not as many as rows, a Series has another index, or one
        is negative, NaN or infinite, or all are 0.
    """
    if weights is None:
        return np.broadcast_to(1.0, len(ids))
    if isinstance(weights, pd.Series) and not _same_index(weights.index, ids):
        raise DataError(
            "weights is a Series whose index is not the table's customers in the same order. "
            "Reindex it by customer_id, or pass weights.to_numpy() when the rows do match."
        )
    values = _weight_values(weights)
    if values.shape != ids.shape:
        raise DataError(f"weights has shape {values.shape}; the table has {len(ids):,} rows.")
    refuse_values(
        "weights", ~(np.isfinite(values) & (values >= 0)), values, ids, "is negative or not finite"
    )
    if not values.any():
        raise DataError("weights is 0 for every row, so there are no customers to learn from.")
    return values


def _weight_values(weights: Any) -> FloatArray:
    try:
        if isinstance(weights, pd.Series):
            return weights.to_numpy(np.float64, na_value=np.nan)
        if np.asarray(weights).dtype.kind not in "USc":  # no text, no complex numbers
            return np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        pass  # said below
    raise DataError(
        f"weights is a {type(weights).__name__} that holds no numbers. Give one number for each "
        'row, e.g. weights=table["weight"].'
    )


def _same_index(index: "pd.Index[Any]", ids: "pd.Index[Any]") -> bool:
    return index.equals(ids) or index.equals(pd.RangeIndex(len(ids)))


def read_table(frame: Any) -> nw.DataFrame[Any]:
    """A pandas, Polars or Arrow table that has rows; `customer_id` may be a pandas index."""
    if isinstance(frame, pd.DataFrame):
        _check_labels(frame)
        if frame.index.name == "customer_id":
            frame = frame.reset_index()
    try:
        table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    except TypeError as error:
        raise DataError(
            f"The customer table is a {type(frame).__name__}; pass a pandas, Polars or Arrow "
            "table (collect a lazy frame first)."
        ) from error
    if not len(table):
        raise DataError("The customer table has no rows. Check the filter that made it.")
    return table


def _check_labels(frame: pd.DataFrame) -> None:
    """Refuse columns that cannot be told apart by one name."""
    if frame.columns.nlevels > 1:
        raise DataError(
            f"The customer table's columns have {frame.columns.nlevels} levels, first "
            f"{frame.columns[0]!r}. Keep one: table.columns = table.columns.droplevel(0)."
        )
    labels = frame.columns
    if frame.index.name == "customer_id":
        labels = labels.insert(0, "customer_id")
    if not labels.is_unique:
        again = labels[labels.duplicated()].unique().tolist()
        raise DataError(
            f"The customer table holds {', '.join(map(repr, again))} more than once. Drop or "
            "rename all but one."
        )


def read_customer_ids(table: nw.DataFrame[Any], may_lack: bool) -> "pd.Index[Any]":
    """The customers, each once; row numbers where the column may and does lack."""
    if "customer_id" not in table.columns:
        if may_lack:
            return pd.RangeIndex(len(table), name="customer_id")
        raise DataError(_missing("customer_id", table))
    ids: pd.Index[Any] = pd.Index(table["customer_id"].to_pandas(), name="customer_id")
    if ids.hasnans:
        missing = np.asarray(ids.isna())
        raise DataError(
            f"customer_id is missing in {int(missing.sum()):,} of {len(ids):,} rows, first in "
            f"row {int(np.argmax(missing))}. Drop the rows, or give the customers an id."
        )
    if not ids.is_unique:
        again = ids.duplicated()
        raise DataError(
            f"customer_id is repeated in {int(again.sum()):,} of {len(ids):,} rows, first "
            f"customer {named(ids[again])}. Bring one row per customer: rfm_summary() makes them."
        )
    return ids


def _missing(column: str, table: nw.DataFrame[Any]) -> str:
    return (
        f"{column} is missing from the customer table; it has {', '.join(table.columns)}. "
        f"Rename the column that holds it to {column}."
    )


def read_numbers(table: nw.DataFrame[Any], name: str, ids: "pd.Index[Any]") -> FloatArray:
    """A column of finite numbers."""
    values = _numbers(table, name, ids)
    _check_finite(name, values, ids)
    return values


def _numbers(table: nw.DataFrame[Any], name: str, ids: "pd.Index[Any]") -> FloatArray:
    """A column of numbers; missing ones are NaN."""
    if name not in table.columns:
        raise DataError(_missing(name, table))
    column = table[name]
    if not column.dtype.is_numeric():
        raise DataError(
            f"{name} has dtype {column.dtype}, which holds no numbers, for {len(ids):,} customers, "
            f"first customer {named(ids)} ({column[0]!r}). Convert it, e.g. "
            f"rfm[{name!r}].astype(float)."
        )
    values = column.cast(nw.Float64).to_numpy()
    return np.ascontiguousarray(values, dtype=np.float64)


def _check_finite(name: str, values: FloatArray, ids: "pd.Index[Any]") -> None:
    refuse_values(name, ~np.isfinite(values), values, ids, "is missing, NaN or infinite")


def named(ids: "pd.Index[Any]") -> str:
    """The first of the customers as her id is written, without its NumPy type."""
    return repr(ids[:1].tolist()[0])


def refuse_values(
    name: str,
    bad: NDArray[np.bool_],
    values: FloatArray,
    ids: "pd.Index[Any]",
    what: str,
    fix: str = "Drop or correct these rows.",
) -> None:
    """Raise a DataError that counts the `bad` values and names the first customer with one."""
    if bad.any():
        first = int(np.argmax(bad))
        raise DataError(
            f"{name} {what} for {int(bad.sum()):,} of {len(ids):,} customers, first customer "
            f"{named(ids[first:])} ({values[first]:g}). {fix}"
        )


def _check_values(found: dict[str, FloatArray], ids: "pd.Index[Any]") -> None:
    """One pass says that all is well; only where it is not, what is wrong."""
    if _valid(found):
        return
    for name, values in found.items():
        _check_finite(name, values, ids)
    _check_frequency(found["frequency"], ids)
    if "T" in found:
        _check_timing(found["frequency"], found["recency"], found["T"], ids)


def _valid(found: dict[str, FloatArray]) -> bool:
    from patronage.models.timing_kernels import spend_is_valid, timing_is_valid

    timing, spend = ([found[name] for name in names if name in found] for names in (TIMING, SPEND))
    return (len(timing) < 3 or timing_is_valid(*timing)) and (
        len(spend) < 2 or spend_is_valid(*spend)
    )


def _check_frequency(frequency: FloatArray, ids: "pd.Index[Any]") -> None:
    repeat_days = "frequency counts purchase days after the first: rfm_summary() makes it."
    refuse_values("frequency", frequency < 0, frequency, ids, "is negative", repeat_days)
    fraction = frequency != np.floor(frequency)
    refuse_values("frequency", fraction, frequency, ids, "is not a whole number", repeat_days)


def _check_timing(
    frequency: FloatArray, recency: FloatArray, T: FloatArray, ids: "pd.Index[Any]"
) -> None:
    from patronage.models.timing_kernels import LONGEST_T

    time = "recency is the time from first to last purchase, T from the first purchase to as_of"
    refuse_values("T", T <= 0, T, ids, "is not positive", f"{time}; leave out who came later.")
    refuse_values("T", T > LONGEST_T, T, ids, f"exceeds {LONGEST_T:g}", f"{time}, e.g. in days.")
    refuse_values("recency", recency < 0, recency, ids, "is negative", f"{time}.")
    refuse_values(
        "recency",
        recency > T,
        recency,
        ids,
        "exceeds T",
        f"{time}; give both in one unit, up to one day.",
    )
    refuse_values(
        "recency",
        (recency > 0) & (frequency == 0),
        recency,
        ids,
        "is positive with frequency 0",
        f"{time}, so it is 0 for one-time buyers.",
    )
    refuse_values(
        "recency",
        (recency == 0) & (frequency > 0),
        frequency,
        ids,
        "is 0 with a positive frequency",
        f"{time}; no repeat purchase falls on the moment of the first. Count what falls together "
        "as one purchase, as rfm_summary() does, or measure time in a finer unit.",
    )
