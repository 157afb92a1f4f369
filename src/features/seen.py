"""Rows of a table as they were known at the start of a day: the one place that cuts by time.

A table is any frame Narwhals knows, or a function that applies a plan to its rows where they are,
such as `Ledger.collect`, and brings the result as Arrow, or None where the plan gives None.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import narwhals as nw

from patronage.features.days import lazy_transactions

Plan = Callable[[Any], nw.LazyFrame[Any] | None]
"""From the rows of a table to what is made of them, on whatever engine they are."""
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


def cut(table: Any, name: str, *, as_of: date, end_known: str = "at_end") -> Any:
    """The same table, frame or function, of what was known at the start of the day."""

    def known(rows: Any) -> nw.LazyFrame[Any]:
        return seen(lazy_transactions(rows), name, as_of=as_of, end_known=end_known)

    return (lambda plan: table(lambda rows: plan(known(rows)))) if callable(table) else known(table)


def collect(table: Any, plan: Plan) -> Any:
    """What the plan makes of the table, as an Arrow table; None where it gives None."""
    if callable(table):
        return table(plan)
    planned = plan(lazy_transactions(table))
    return None if planned is None else planned.collect("pyarrow").to_native()
