"""Checks of the numbers that callers pass to the value models' methods."""

from datetime import date, datetime
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from patronage.errors import SettingsError
from patronage.time_units import DAYS_A_YEAR, days_in


def check_number(
    name: str, value: float, *, above: float = 0.0, closed: bool = True, finite: bool = True
) -> float:
    """Return `value` as float where it is not below `above`, and finite unless that is waived.

    Raises
    ------
    SettingsError
        Otherwise; the message names the argument and its value.
    """
    number = _real(name, value)
    wrong = np.isnan(number) or (finite and np.isinf(number))
    if wrong or number < above or (number == above and not closed):
        bound = "at least" if closed else "greater than"
        kind = "finite number" if finite else "number"
        raise SettingsError(f"{name}={value} must be a {kind} {bound} {above:g}.")
    return number


def _real(name: str, value: Any) -> float:
    """A single real number; texts, truth values, dates and times are none."""
    single = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(single, Real | Decimal) and not isinstance(single, bool):
        return float(single)
    raise SettingsError(
        f"{name}={value!r} is a {type(value).__name__}; give a single number, e.g. {name}=0.5, and "
        "times in the unit of the data."
    )


def check_share(name: str, value: float) -> float:
    """Return `value` as float where it lies between 0 and 1, both excluded.

    Raises
    ------
    SettingsError
        Otherwise.
    """
    share = _real(name, value)
    if not 0 < share < 1:
        raise SettingsError(f"{name}={value} must lie between 0 and 1, both excluded.")
    return share


def check_count(name: str, value: int, *, least: int = 0) -> int:
    """Return `value` as int where it is a whole number, `least` or more.

    Raises
    ------
    SettingsError
        Otherwise.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise SettingsError(f"{name}={value} must be a whole number, {least} or more.")
    return int(value)


def check_periods(name: str, value: float, *, finite: bool = True) -> float:
    """Return `value` as float where it is a whole number of periods, 0 or more.

    Raises
    ------
    SettingsError
        Otherwise; infinity is accepted where `finite` is waived.
    """
    number = check_number(name, value, finite=finite)
    if np.isfinite(number) and number != np.floor(number):
        raise SettingsError(
            f"{name}={value} must be a whole number: time is counted in periods of the data."
        )
    return number


def discount_rate(annual: float, unit: str) -> float:
    """Continuous discount rate per time unit of an annual rate: ln(1 + annual) / units a year."""
    yearly = float(np.log1p(check_number("annual_discount_rate", annual)))
    return yearly * (days_in(unit) / DAYS_A_YEAR)


def check_day(name: str, value: Any) -> date:
    """Return the calendar day of a date, a timestamp or a text such as "2025-09-10".

    Raises
    ------
    SettingsError
        If it is none of them.
    """
    single = value.item() if isinstance(value, np.datetime64) else value
    try:
        day = date.fromisoformat(single) if isinstance(single, str) else single
    except ValueError:
        day = None
    if not isinstance(day, date) or day != day:  # NaT is a date that is not itself
        raise SettingsError(
            f'{name}={value!r} must be a day: {name}=date(2025, 9, 10), or "2025-09-10".'
        )
    return day.date() if isinstance(day, datetime) else day
