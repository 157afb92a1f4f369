"""How much faster than on average customers buy on each day of the calendar, and time so counted.

In operational time, which passes by S(t) a day, a purchase rate lambda S(t) is the constant lambda:
a model with a season is the model without one, its clock changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.features.arrays import day_number
from patronage.models.arguments import check_count
from patronage.models.rfm_input import FloatArray
from patronage.models.saving import saved_numbers, saved_text

LEAP_CYCLE = np.arange(day_number(date(2001, 1, 1)), day_number(date(2005, 1, 1)))
"""Four years of days, over which the season of the year has mean 1."""
DAYS_OF_YEAR = 365.25
FARTHEST = 150_000
"""Days after which a clock takes every day for an average one."""
MONTHS = 12

Days = NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """What ln S is made of, and how much of each: an offset that is given, and estimates.

    The season of the year has mean 1; what named events and given days add comes on top.
    """

    harmonics: int = 0
    """Pairs of cosine and sine of the day of the year."""
    months: tuple[float, ...] = ()
    """Given: 12 factors, January first; empty for none."""
    days: tuple[tuple[int, float], ...] = ()
    """Given: day since 1970-01-01 and its factor."""
    events: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Name and days of each event whose factor is estimated."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of what is estimated, in order."""
        pairs = [f"{wave}{k}" for k in range(1, self.harmonics + 1) for wave in ("cos", "sin")]
        return (*pairs, *(name for name, _ in self.events))

    def of_year(self, days: Days) -> FloatArray:
        """The estimated terms of the season of the year, a column each."""
        dates = days.astype("datetime64[D]")
        of_year = (dates - dates.astype("datetime64[Y]")).astype(np.float64)
        angle = 2 * np.pi * of_year / DAYS_OF_YEAR
        waves = [f(k * angle) for k in range(1, self.harmonics + 1) for f in (np.cos, np.sin)]
        return np.column_stack([np.empty((len(days), 0)), *waves])

    def of_events(self, days: Days) -> FloatArray:
        """1 on the days of an event, a column each."""
        marks = [np.isin(days, when).astype(np.float64) for _, when in self.events]
        return np.column_stack([np.empty((len(days), 0)), *marks])

    def given(self, days: Days) -> FloatArray:
        """The part of ln S that is given; the months have mean 1 over the year."""
        found = np.zeros(len(days))
        if self.months:
            factors = np.array(self.months)
            found += np.log(factors / factors[month_of(LEAP_CYCLE)].mean())[month_of(days)]
        if self.days:
            known = dict(self.days)
            found += np.log([known.get(int(day), 1.0) for day in days])
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "harmonics": self.harmonics,
            "months": list(self.months),
            "days": [list(pair) for pair in self.days],
            "events": [[name, list(days)] for name, days in self.events],
        }

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict()`."""
        months = saved_numbers("months", saved["months"])
        factors = saved_numbers("days", [factor for _, factor in saved["days"]])
        if months.shape not in ((0,), (MONTHS,)) or not (np.append(months, factors) > 0).all():
            raise ValueError(f"months and days are {saved['months']} and {saved['days']}")
        return cls(
            check_count("harmonics", saved["harmonics"]),
            tuple(months.tolist()),
            tuple((int(day), float(factor)) for day, factor in saved["days"]),
            tuple(
                (saved_text("event", name), tuple(map(int, days))) for name, days in saved["events"]
            ),
        )


def month_of(days: Days) -> NDArray[np.int64]:
    """Month of each day since 1970-01-01: January is 0."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % MONTHS


@dataclass(frozen=True)
class SeasonCurve:
    """S(t), for every day past and to come.

    Attributes
    ----------
    terms
        What it is made of.
    coefficients
        Of the estimated terms, on ln S.
    """

    terms: Terms = Terms()
    coefficients: tuple[float, ...] = ()

    def log_factors(self, days: Days) -> FloatArray:
        """The logarithm of S on days since 1970-01-01."""
        return self.terms.given(days) + self.with_slopes(days)[0]

    def with_slopes(self, days: Days) -> tuple[FloatArray, FloatArray]:
        """The estimated part of ln S, and its derivatives by the coefficients, a column each."""
        waves, marks = self.terms.of_year(days), self.terms.of_events(days)
        amount = np.array(self.coefficients, dtype=np.float64)
        yearly, cut = self.terms.of_year(LEAP_CYCLE), waves.shape[1]
        cycle = np.exp(yearly @ amount[:cut])
        mean = cycle @ yearly / cycle.sum()
        value = waves @ amount[:cut] - np.log(cycle.mean()) + marks @ amount[cut:]
        return value, np.column_stack([waves - mean, marks])

    def factors(self, start: date, end: date) -> "pd.Series[Any]":
        """S of each day in [start, end), indexed by day: 1.2 means 20 % more than on average."""
        days = np.arange(day_number(start), day_number(end))
        index = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[s]"), name="day")
        return pd.Series(np.exp(self.log_factors(days)), index=index, name="factor")

    def by_month(self) -> tuple[float, ...]:
        """Mean factor of each month over the years, January first, events left out."""
        yearly = SeasonCurve(
            Terms(self.terms.harmonics, self.terms.months),
            self.coefficients[: 2 * self.terms.harmonics],
        )
        factors = np.exp(yearly.log_factors(LEAP_CYCLE))
        month = month_of(LEAP_CYCLE)
        return tuple(float(factors[month == m].mean()) for m in range(MONTHS))

    def clock(self, first: int, days: int) -> "Clock":
        """Operational time from the start of day `first` on, exact for so many days."""
        return _clock(self, first, min(days, FARTHEST))


@dataclass(frozen=True, eq=False)
class Clock:
    """Operational time at the start of day `first` + i; beyond, a day passes as a day."""

    first: int
    time: FloatArray

    def at(self, day: Any) -> FloatArray:
        """Operational time at a point of the calendar, in days since 1970-01-01 and parts."""
        return self.span(np.asarray(day, dtype=np.float64) - self.first)

    def day(self, time: Any) -> FloatArray:
        """The point of the calendar at which the clock shows this."""
        return self.first + self.wait(time)

    def span(self, days: Any) -> FloatArray:
        """How much operational time passes in so many days from the first on."""
        return _through(np.asarray(days, dtype=np.float64), self._places, self.time)

    def wait(self, time: Any) -> FloatArray:
        """How many days that much operational time takes."""
        return _through(np.asarray(time, dtype=np.float64), self.time, self._places)

    @property
    def _places(self) -> FloatArray:
        return np.arange(len(self.time), dtype=np.float64)


def _through(x: FloatArray, knots: FloatArray, values: FloatArray) -> FloatArray:
    """Linear between knots; of slope 1 outside."""
    inside = np.interp(x, knots, values)
    after, before = np.maximum(x - knots[-1], 0), np.minimum(x - knots[0], 0)
    found: FloatArray = inside + after + before
    return found


@lru_cache(maxsize=32)
def _clock(curve: SeasonCurve, first: int, days: int) -> Clock:
    factors = np.exp(curve.log_factors(np.arange(first, first + days)))
    return Clock(first, np.concatenate([[0.0], np.cumsum(factors)]))
