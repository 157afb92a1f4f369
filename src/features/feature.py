"""What one feature is: its name, its meaning in plain English, its unit and its family."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["count", "days", "flag", "money", "ratio", "share"]


@dataclass(frozen=True)
class Feature:
    """One column of the panel."""

    name: str
    meaning: str
    """One sentence, as of `as_of`: days at or after it are never seen."""
    unit: Unit
    family: str
    plain: str
    """A phrase for a reason shown to a retention team, e.g. "days since the last purchase"."""
