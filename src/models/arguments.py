"""Checks of the numbers that callers pass to the value models' methods."""

from typing import Literal, TypeAlias

import numpy as np

from patronage.errors import SettingsError

TimeUnit: TypeAlias = Literal["D", "W"]

UNITS_PER_YEAR: dict[str, float] = {"D": 365.25, "W": 365.25 / 7}


def check_number(name: str, value: float, *, above: float = 0.0, closed: bool = True) -> float:
    """Return `value` as float where it is finite and not below `above`.

    Raises
    ------
    SettingsError
        Otherwise; the message names the argument and its value.
    """
    number = float(value)
    if not np.isfinite(number) or number < above or (number == above and not closed):
        bound = "at least" if closed else "greater than"
        raise SettingsError(f"{name}={value} must be a finite number {bound} {above:g}.")
    return number


def discount_rate(annual: float, unit: str) -> float:
    """Continuous discount rate per time unit of an annual rate: ln(1 + annual) / units a year."""
    if unit not in UNITS_PER_YEAR:
        raise SettingsError(f"time_unit={unit!r} is not known; use 'D' (days) or 'W' (weeks).")
    return float(np.log1p(check_number("annual_discount_rate", annual))) / UNITS_PER_YEAR[unit]
