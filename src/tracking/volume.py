"""How much comes in: purchases of the last weeks, and what each run found."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

import numpy as np

from patronage.features import DayTable
from patronage.features.arrays import day_number

WEEKS_4 = 28
"""Days of a period: four whole weeks, so that each has every weekday as often."""
YEAR = 13
"""Periods to the same season a year before."""
PERIODS = YEAR + 1
BEFORE = 6
"""Preceding periods whose median is the usual volume."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """Four weeks that end before `end`: purchase days, customers who bought, first-time buyers."""

    end: date
    purchase_days: int
    customers: int
    new_customers: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class RunVolume:
    """What one run found: rows of transactions kept, customers, and eligible ones among them."""

    run_id: str
    as_of: date
    transactions: int | None
    customers: int | None
    eligible: int | None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def periods(days: DayTable, *, end: date) -> list[Period]:
    """The last fourteen periods of four weeks before `end` that the data cover, oldest first."""
    first = np.asarray(days.day[days.offsets[:-1]], dtype=np.int64)
    bought = days.measures["purchase_days"] > 0
    owners = np.repeat(np.arange(len(days)), np.diff(days.offsets))
    found = []
    for place in range(PERIODS):
        last = day_number(end) - place * WEEKS_4
        start = last - WEEKS_4
        if start < days.first_day:
            break
        inside = bought & (days.day >= start) & (days.day < last)
        found.append(
            Period(
                end=end - timedelta(days=place * WEEKS_4),
                purchase_days=int(inside.sum()),
                customers=int(np.unique(owners[inside]).size),
                new_customers=int(((first >= start) & (first < last)).sum()),
            )
        )
    return found[::-1]


def change_of_purchases(found: Sequence[Period]) -> float | None:
    """Relative change of the newest period's purchase days, by whichever yardstick it is less.

    The yardsticks are the median of the six periods before it and, where the data reach, the same
    four weeks a year ago: a season explains what either explains. None with fewer than three
    periods before it.
    """
    if len(found) < 4:
        return None
    newest, before = found[-1].purchase_days, [one.purchase_days for one in found[:-1]]
    yardsticks = [median(before[-BEFORE:])]
    if len(found) > YEAR:
        yardsticks.append(before[-YEAR])
    changes = [newest / usual - 1 for usual in yardsticks if usual > 0]
    return min(changes, key=abs) if changes else None
