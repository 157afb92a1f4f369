"""Units of time that models and tables of customers may be in."""

from typing import Literal, TypeAlias

from patronage.errors import SettingsError

TimeUnit: TypeAlias = Literal["h", "D", "W", "M", "Y"]

DAYS_A_YEAR = 365.25
DAYS: dict[str, float] = {
    "h": 1 / 24,
    "D": 1.0,
    "W": 7.0,
    "M": DAYS_A_YEAR / 12,
    "Y": DAYS_A_YEAR,
}
"""In one unit; months and years are those of the mean calendar."""


def days_in(unit: str) -> float:
    """Days in one unit of time.

    Raises
    ------
    SettingsError
        If the unit is not known.
    """
    if unit not in DAYS:
        names = ("hours", "days", "weeks", "months", "years")
        known = ", ".join(f"{short!r} ({name})" for short, name in zip(DAYS, names, strict=True))
        raise SettingsError(f"time_unit={unit!r} is not known; use {known}.")
    return DAYS[unit]
