"""Rows of a table as they were known at the start of a day: the one place that cuts by time."""

from datetime import date, datetime, time, timedelta
from typing import Any

import narwhals as nw

TIMES = {
    "transactions": "timestamp",
    "events": "timestamp",
    "surveys": "timestamp",
    "subscriptions": "start",
    "customers": "valid_from",
}
"""Table -> the column that says from when on a row is known."""


def seen(
    frame: nw.LazyFrame[Any],
    table: str,
    *,
    as_of: date,
    window: int | None = None,
    end_known: str = "at_end",
) -> nw.LazyFrame[Any]:
    """The rows of [as_of - window, as_of); all before as_of without a window.

    The end of a subscription that has not passed by then is null, unless it was agreed "at_start".
    Customers without `valid_from` hold for all time.
    """
    columns = frame.collect_schema().names()
    midnight = datetime.combine(as_of, time())
    if TIMES[table] in columns:
        when = nw.col(TIMES[table])
        frame = frame.filter(when < midnight)
        if window is not None:
            frame = frame.filter(when >= midnight - timedelta(days=window))
    if table == "subscriptions" and end_known == "at_end" and "end" in columns:
        frame = frame.with_columns(end=nw.when(nw.col("end") < midnight).then(nw.col("end")))
    return frame
