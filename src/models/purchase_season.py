"""What is known of a season, and what is to be learned of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Self, TypeAlias

import pandas as pd
from sklearn.base import BaseEstimator

from patronage.errors import SettingsError
from patronage.features.arrays import calendar_day, day_number
from patronage.models.arguments import check_count, check_day, check_number
from patronage.models.season_calendar import MONTHS, Terms

MOST_HARMONICS = 12
LEAST_FACTOR, MOST_FACTOR = 1e-3, 1e3
"""Beyond these a day is closed or an outlier, and times by the season's clock lose their digits."""
Factors: TypeAlias = "Mapping[int, float] | pd.Series[Any]"
Events: TypeAlias = Mapping[str, Sequence[date]]


class PurchaseSeason(BaseEstimator):  # type: ignore[misc]
    """A factor on every customer's purchase rate that depends on the calendar day alone.

    The factor of the season of the year has mean 1 over the year, so that a rate keeps its unit.

    Parameters
    ----------
    harmonics
        Pairs of cosine and sine of the day of the year in ln S that are learned: with 3, a peak of
        two months is about the shortest that can be told. Not used where `factors` are given.
    factors
        The season, if it is known: a mapping of the months 1 to 12 to their factors (whatever
        their mean, 1 is made of it), or a Series of factors on days, which are taken as they are;
        other days then have factor 1. From 0.001 to 1,000.
    events
        Days of named events, past and to come, such as {"sale": [date(2025, 11, 28), ...]}; the
        factor of each event on top of the season is learned.

    Examples
    --------
    >>> PurchaseSeason(factors={m: 2.0 if m == 12 else 1.0 for m in range(1, 13)}).learns
    False
    """

    def __init__(
        self, harmonics: int = 3, factors: "Factors | None" = None, events: Events | None = None
    ) -> None:
        self.harmonics = harmonics
        self.factors = factors
        self.events = events

    @property
    def learns(self) -> bool:
        """Whether anything is left to be learned from data."""
        return bool(self.terms().names)

    def terms(self) -> Terms:
        """What ln S is made of.

        Raises
        ------
        SettingsError
            If a factor is out of range, a month is missing, or an event has no days.
        """
        events = _events(self.events)
        if self.factors is None:
            if check_count("harmonics", self.harmonics) > MOST_HARMONICS:
                raise SettingsError(
                    f"harmonics={self.harmonics} must be a whole number from 0 to "
                    f"{MOST_HARMONICS}; name shorter periods as events."
                )
            return Terms(self.harmonics, events=events)
        if isinstance(self.factors, pd.Series):
            return Terms(days=_days(self.factors), events=events)
        return Terms(months=_months(self.factors), events=events)

    def to_dict(self) -> dict[str, Any]:
        """The arguments as plain values, ready for JSON."""
        return {"harmonics": self.harmonics, "given": self.factors is not None} | {
            "terms": self.terms().to_dict()
        }

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict()`."""
        terms = Terms.from_dict(saved["terms"])
        events = {name: [calendar_day(day) for day in days] for name, days in terms.events}
        factors: Factors | None = None
        if terms.months:
            factors = dict(enumerate(terms.months, start=1))
        elif saved["given"]:
            index = pd.DatetimeIndex([calendar_day(day) for day, _ in terms.days])
            factors = pd.Series([factor for _, factor in terms.days], index=index, dtype=float)
        return cls(saved["harmonics"], factors, events or None)


def unseen_events(terms: Terms, first_day: int, as_of: int) -> str:
    """Says which events have no day among those of the data; nothing where each has one."""
    unseen = [
        name for name, days in terms.events if not any(first_day <= day < as_of for day in days)
    ]
    if not unseen:
        return ""
    return (
        f"No day of {', '.join(map(repr, unseen))} lies in the data ({calendar_day(first_day)} to "
        f"{calendar_day(as_of - 1)}), so nothing was learned of it: its factor stays 1. Add its "
        "past days to PurchaseSeason(events=...), or leave it out."
    )


def _events(events: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    if events is not None and not isinstance(events, Mapping):
        raise SettingsError(
            f"events={events!r} must name each event and list its days, e.g. "
            'events={"sale": [date(2025, 11, 28)]}.'
        )
    return tuple((name, _event(name, days)) for name, days in (events or {}).items())


def _event(name: str, days: Any) -> tuple[int, ...]:
    if isinstance(days, str) or not isinstance(days, Iterable):
        raise SettingsError(
            f"the event {name!r} is {days!r}, which is no list of days: "
            f"events={{{name!r}: [date(2025, 11, 28), ...]}}."
        )
    found = {day_number(check_day(f"a day of the event {name!r}", day)) for day in days}
    if not found:
        raise SettingsError(f"the event {name!r} has no days. Name them, or leave the event out.")
    return tuple(sorted(found))


def _months(factors: Any) -> tuple[float, ...]:
    months = list(factors) if isinstance(factors, Mapping) else []
    if len(months) != MONTHS or set(months) != set(range(1, MONTHS + 1)):
        named = f"names {months}" if isinstance(factors, Mapping) else f"is {factors!r}"
        raise SettingsError(
            f"factors must be a mapping that names the months 1 to 12; it {named}. For single days "
            "pass a pandas Series indexed by day."
        )
    return tuple(_factor(f"month {month}", factors[month]) for month in range(1, MONTHS + 1))


def _days(factors: "pd.Series[Any]") -> tuple[tuple[int, float], ...]:
    days = [check_day("a day of factors", day) for day in factors.index]
    pairs = [
        (day_number(day), _factor(str(day), value))
        for day, value in zip(days, factors, strict=True)
    ]
    if len(dict(pairs)) < len(pairs):
        raise SettingsError(
            f"factors has {len(pairs) - len(dict(pairs)):,} days twice. Give each day once."
        )
    return tuple(sorted(pairs))


def _factor(where: str, value: Any) -> float:
    number = check_number(f"the factor of {where}", value, above=LEAST_FACTOR)
    if number > MOST_FACTOR:
        raise SettingsError(
            f"the factor of {where}={value} must be at most {MOST_FACTOR:,g}: 2 is a day of twice "
            "the purchases."
        )
    return number
