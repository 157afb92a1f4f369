"""The cutoffs as settings and the command line name them: a rule, or the days."""

import math
from datetime import date
from typing import Any, Literal

CutoffSetting = Literal["monthly", "weekly"] | int | tuple[date, ...]
RULES: dict[str, CutoffSetting] = {"monthly": "monthly", "weekly": "weekly"}
FORMS = (
    '"monthly", "weekly", a number of days from one to the next, or days such as '
    '["2026-01-31", "2026-02-28"]'
)


def cutoff_setting(value: Any) -> CutoffSetting:
    """A rule or a list of days, checked; texts are read, such as "14" or "2026-01-31,2026-02-28".

    Raises
    ------
    ValueError
        If it is none of these; the message says what is.
    """
    if isinstance(value, str):
        text = value.strip()
        if text in RULES:
            return RULES[text]
        value = int(text) if text.isdecimal() else text.split(",")
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 36_500:
        return value
    if isinstance(value, list | tuple) and value:
        return tuple(sorted({_day(one) for one in value}))
    raise ValueError(f"is no rule for cutoffs; give {FORMS}")


def horizons_of(text: str) -> tuple[int, ...]:
    """Lengths in days, such as "30,60,90", ascending.

    Raises
    ------
    ValueError
        If one is no whole number of at least 1.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) >= 1 for part in parts):
        raise ValueError("is no list of horizons in days, such as 30,60,90")
    return tuple(sorted({int(part) for part in parts}))


def share_or_number(text: str) -> float | int:
    """A share of the customers, such as "0.1", or so many of them, such as "5000".

    Raises
    ------
    ValueError
        If it is neither.
    """
    try:
        if text.strip().isdecimal() and int(text) >= 1:
            return int(text)
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share <= 1:
        raise ValueError("is neither a share such as 0.1 nor a number of customers")
    return share


def _day(value: Any) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise ValueError(f"has {str(value)!r}, which is no day; give {FORMS}") from error
