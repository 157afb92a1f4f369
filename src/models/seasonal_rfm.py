"""Customer tables in the operational time of a season."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.errors import DataError
from patronage.models.rfm_input import Rfm, read_table
from patronage.models.season_calendar import SeasonCurve


@dataclass(frozen=True, kw_only=True)
class SeasonalRfm(Rfm):
    """Histories in operational time, and the day as of which each is."""

    as_of: NDArray[np.int64]
    """Days since 1970-01-01."""

    def take(self, rows: NDArray[np.intp]) -> "SeasonalRfm":
        """Some of the rows."""
        return _dated(super().take(rows), self.as_of[rows])


def _dated(table: Rfm, as_of: NDArray[np.int64]) -> SeasonalRfm:
    columns = ("customer_id", "frequency", "recency", "T", "monetary_value")
    return SeasonalRfm(**{name: getattr(table, name) for name in columns}, as_of=as_of)


def timed(table: Rfm, rfm: Any, curve: SeasonCurve) -> SeasonalRfm:
    """The same histories by the season's clock: a purchase lies at the end of its day.

    What follows the day before as_of is one average day, so that a season of factor 1 is none.

    Raises
    ------
    DataError
        If `rfm` has no `as_of`, it holds no dates, or times are not in days.
    """
    as_of = _days_as_of(rfm, table)
    first = as_of - table.T
    origin = int(first.min())
    clock = curve.clock(origin, int(as_of.max()) - origin + 1)
    started = clock.at(first + 1)
    return replace(
        _dated(table, as_of),
        recency=clock.at(first + table.recency + 1) - started,
        T=np.where(table.T > 0, clock.at(as_of) + 1 - started, 0.0),
    )


def _days_as_of(rfm: Any, table: Rfm) -> NDArray[np.int64]:
    """The day of each history, which must lie whole days after the first purchase."""
    frame = read_table(rfm)
    if "as_of" not in frame.columns:
        raise DataError(
            "as_of is missing from the customer table; a model with a season needs the day that "
            f"T reaches to. It has {', '.join(frame.columns)}. rfm_summary() brings it."
        )
    column = frame["as_of"].to_pandas()
    missing = int(column.isna().sum())
    if missing:
        raise DataError(f"as_of is missing for {missing:,} of {len(column):,} customers.")
    dates = _dates(column)
    broken = (table.T % 1 > 0) | (table.recency % 1 > 0)
    if broken.any():
        place = int(np.argmax(broken))
        raise DataError(
            f"recency or T is no whole number of days for {int(broken.sum()):,} of {len(column):,} "
            f"customers, first customer {table.customer_id[place]!r} (T {table.T[place]:g}). A "
            'season is told in days: rfm_summary(days, as_of=..., time_unit="D").'
        )
    days: NDArray[np.int64] = dates.astype("datetime64[D]").astype(np.int64)
    return days


def _dates(column: "pd.Series[Any]") -> NDArray[np.datetime64]:
    """Dates and timestamps; of a time zone, its own calendar day."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_localize(None)
    if column.dtype.kind == "M":
        return column.to_numpy()
    other = [value for value in column if not isinstance(value, date)]
    if other:
        raise DataError(
            f"as_of holds {other[0]!r} ({column.dtype}), which is no date. Turn the column into "
            'dates, e.g. table["as_of"] = pd.to_datetime(...), or take it from rfm_summary().'
        )
    return np.array([f"{value:%Y-%m-%d}" for value in column], dtype="datetime64[D]")
