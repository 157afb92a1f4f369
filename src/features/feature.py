"""What one feature is: its name, its meaning in plain English, its unit and its family."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["count", "days", "flag", "money", "number", "ratio", "share", "text"]


@dataclass(frozen=True)
class Feature:
    """One column of the panel."""

    name: str
    meaning: str
    """One sentence, as of `as_of`: days at or after it are never seen."""
    unit: Unit
    """A "number" is in the unit of the source; a "text" is a category."""
    family: str
    plain: str
    """A phrase for a reason shown to a retention team, e.g. "days since the last purchase"."""
    window: int | None = None
    """It looks back on so many days before as_of; None: on all of them."""
    null: str = ""
    """What null means, e.g. "with one purchase"; empty where the feature always has a value."""
