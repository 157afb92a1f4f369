"""Cutoffs whose labels are known: a label matures when the data reach the end of its horizon."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import count as counted
from itertools import islice, takewhile
from typing import Literal

import pandas as pd

from patronage.errors import DataError, SettingsError

CutoffRule = Literal["monthly", "weekly"] | int | Sequence[date]
"""A month, a week or so many days apart; or these days."""


def monthly_cutoffs(*, last: date, first: date, count: int) -> tuple[date, ...]:
    """At most `count` days, a month apart, back from `last` and not before `first`; ascending.

    All have the day of the month of `last`, or the month's end where it is shorter.

    Examples
    --------
    >>> days = monthly_cutoffs(last=date(2026, 3, 31), first=date(2026, 1, 1), count=9)
    >>> [str(day) for day in days]
    ['2026-01-31', '2026-02-28', '2026-03-31']
    """
    return _back_to(first, _months_back(last), count)


def mature_cutoffs(
    *,
    first_day: date,
    data_end: date,
    horizon_days: int,
    lead_days: int = 0,
    count: int,
    min_history_days: int | None = None,
    rule: CutoffRule = "monthly",
) -> tuple[date, ...]:
    """Cutoffs back from the newest whose churn label is known, or the given ones; ascending.

    Parameters
    ----------
    first_day
        First day of the data.
    data_end
        First day not covered by the data: the last day plus one.
    horizon_days, lead_days
        Of the churn label.
    count
        At most so many cutoffs, the newest; given days are all taken.
    min_history_days
        The oldest cutoff sees at least so many days of data: one horizon by default, and one day
        where the days are given.
    rule
        "monthly", "weekly", a number of days from one to the next, or the days themselves.

    Raises
    ------
    DataError
        If the data are too short for a single cutoff; or a given day has too little history or a
        label not known yet: each is named.
    SettingsError
        If the rule is none of these.
    """
    if isinstance(rule, Sequence) and not isinstance(rule, str):
        oldest = first_day + timedelta(days=1 if min_history_days is None else min_history_days)
        return _given(rule, oldest, data_end, horizon_days=horizon_days, lead_days=lead_days)
    history = horizon_days if min_history_days is None else min_history_days
    _refuse_short(first_day, data_end, history, lead_days, horizon_days)
    last = latest_mature(data_end, horizon_days=horizon_days, lead_days=lead_days)
    return _back_to(first_day + timedelta(days=history), _steps_back(rule, last), count)


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


def _given(
    cutoffs: Sequence[date], oldest: date, data_end: date, *, horizon_days: int, lead_days: int
) -> tuple[date, ...]:
    days = tuple(sorted(set(cutoffs)))
    if not days:
        raise SettingsError("the list of cutoffs is empty. Name at least one day.")
    early = [str(day) for day in days if day < oldest]
    if early:
        raise DataError(
            f"{len(early)} of {len(days)} cutoffs are too early: {', '.join(early)}. The earliest "
            f"with enough data before it is {oldest}. Leave these out, or bring older data."
        )
    refuse_immature(days, data_end=data_end, horizon_days=horizon_days, lead_days=lead_days)
    return days


def _refuse_short(
    first_day: date, data_end: date, history: int, lead_days: int, horizon_days: int
) -> None:
    needed = history + lead_days + horizon_days
    if (data_end - first_day).days < needed:
        raise DataError(
            f"the data cover {(data_end - first_day).days} days, {first_day} to "
            f"{data_end - timedelta(days=1)}; one cutoff needs {needed}: {history} of history, "
            f"{lead_days} of lead and {horizon_days} of horizon. Shorten [churn] horizon_days, or "
            "bring more data."
        )


def _back_to(first: date, steps: Iterator[date], count: int) -> tuple[date, ...]:
    """At most so many steps, not before the first; ascending."""
    return tuple(reversed([*takewhile(lambda day: day >= first, islice(steps, max(count, 0)))]))


def _steps_back(rule: str | int, last: date) -> Iterator[date]:
    if rule == "monthly":
        return _months_back(last)
    days = 7 if rule == "weekly" else rule
    if not isinstance(days, int) or days < 1:
        raise SettingsError(
            f'cutoffs = {rule!r} is no rule. Give "monthly", "weekly", a number of days of at '
            'least 1, or a list of days such as ["2026-01-31", "2026-02-28"].'
        )
    return (last - timedelta(days=days * back) for back in counted())


def _months_back(last: date) -> Iterator[date]:
    return ((pd.Timestamp(last) - pd.DateOffset(months=back)).date() for back in counted())
