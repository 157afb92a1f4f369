"""Cutoffs whose labels are known: a label matures when the data reach the end of its horizon."""

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from patronage.errors import DataError


def monthly_cutoffs(*, last: date, first: date, count: int) -> tuple[date, ...]:
    """At most `count` days, a month apart, back from `last` and not before `first`; ascending.

    All have the day of the month of `last`, or the month's end where it is shorter.

    Examples
    --------
    >>> days = monthly_cutoffs(last=date(2026, 3, 31), first=date(2026, 1, 1), count=9)
    >>> [str(day) for day in days]
    ['2026-01-31', '2026-02-28', '2026-03-31']
    """
    steps = (
        (pd.Timestamp(last) - pd.DateOffset(months=back)).date() for back in range(max(count, 0))
    )
    return tuple(sorted(step for step in steps if step >= first))


def mature_cutoffs(
    *,
    first_day: date,
    data_end: date,
    horizon_days: int,
    lead_days: int = 0,
    count: int,
    min_history_days: int | None = None,
) -> tuple[date, ...]:
    """Monthly cutoffs back from the newest whose churn label is known; ascending.

    Parameters
    ----------
    first_day
        First day of the data.
    data_end
        First day not covered by the data: the last day plus one.
    horizon_days, lead_days
        Of the churn label.
    count
        At most so many cutoffs.
    min_history_days
        The oldest cutoff sees at least so many days of data; one horizon by default.

    Raises
    ------
    DataError
        If the data are too short for a single cutoff.
    """
    history = horizon_days if min_history_days is None else min_history_days
    needed = history + lead_days + horizon_days
    if (data_end - first_day).days < needed:
        raise DataError(
            f"the data cover {(data_end - first_day).days} days, {first_day} to "
            f"{data_end - timedelta(days=1)}; one cutoff needs {needed}: {history} of history, "
            f"{lead_days} of lead and {horizon_days} of horizon. Shorten [churn] horizon_days, or "
            "bring more data."
        )
    last = latest_mature(data_end, horizon_days=horizon_days, lead_days=lead_days)
    return monthly_cutoffs(last=last, first=first_day + timedelta(days=history), count=count)


def latest_mature(data_end: date, *, horizon_days: int, lead_days: int) -> date:
    """The newest cutoff whose label the data decide."""
    return data_end - timedelta(days=lead_days + horizon_days)


def refuse_immature(
    cutoffs: Sequence[date], *, data_end: date, horizon_days: int, lead_days: int
) -> None:
    """Raise DataError naming each cutoff whose label the data do not decide yet, and when."""
    latest = latest_mature(data_end, horizon_days=horizon_days, lead_days=lead_days)
    immature = sorted({cutoff for cutoff in cutoffs if cutoff > latest})
    if immature:
        span = timedelta(days=lead_days + horizon_days)
        named = ", ".join(f"{day} (known from {day + span})" for day in immature)
        raise DataError(
            f"the churn label of {len(immature)} of {len(set(cutoffs))} cutoffs is not known yet: "
            f"{named}. The data end on {data_end - timedelta(days=1)}; the latest cutoff that "
            f"lead_days={lead_days} and horizon_days={horizon_days} allow is {latest}."
        )
