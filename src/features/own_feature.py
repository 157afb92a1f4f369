"""Features of the user's own: one decorated function of a few lines each."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from patronage.errors import SettingsError
from patronage.features.feature import Feature, Unit

FAMILY = "own"
OVER_TABLES = ("transactions", "events", "surveys", "subscriptions", "customers")
"""Tables that an expression may be over."""
IN_MEMORY = ("events", "surveys", "subscriptions", "customers", "categories", "channels")
"""What a function of the grid may need besides the customer days."""
MOST_DAYS = 36_500


@dataclass(frozen=True, eq=False)
class OwnFeature:
    """A decorated function; it can still be called, for tests of its own."""

    feature: Feature
    function: Callable[..., Any]
    table: str | None = None
    """The table that its expression is over; None: it is a function of the grid."""
    needs: str | None = None
    """The optional table without which a function of the grid cannot be computed."""
    empty: float | None = None
    """Its value where there is none; None: it is null."""
    source: str = ""
    """The file, or else the module, that it is written in."""
    digest: str = ""
    """Of its code, whatever its comments and layout; empty where the code is in no file."""

    @property
    def name(self) -> str:
        """The column of the panel."""
        return self.feature.name

    @property
    def place(self) -> str:
        """Name and source, for messages."""
        return f"feature {self.name} of {self.source}"

    def __call__(self, *arguments: Any) -> Any:
        """What the function gives."""
        return self.function(*arguments)


def feature(
    *,
    meaning: str,
    unit: Unit,
    window: int | None = None,
    null: str = "",
    empty: float | None = None,
    plain: str = "",
    table: str | None = None,
    needs: str | None = None,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], OwnFeature]:
    """Declare a feature of your own.

    Without `table` the function takes the `Grid` and gives one value for each of its rows. With
    `table` it gives one Narwhals expression that aggregates a customer's rows of that table in
    [as_of - window, as_of), computed by the engine that holds the table; it takes nothing, or
    `as_of`, a `date`.

    Parameters
    ----------
    meaning
        One sentence for the catalogue.
    unit
        count, days, flag, money, number, ratio, share or text.
    window
        It looks back on so many days before as_of; None: on all of them.
    null
        What null means, such as "without a purchase in the window"; needed where it can be null.
    empty
        Its value where it would be null, such as 0 for a sum; not for texts.
    plain
        A phrase for reasons; the name in words by default.
    table
        transactions, events, surveys, subscriptions or customers.
    needs
        Of a function of the grid: the optional table that it cannot do without.
    name
        Of the feature; the function's by default.

    Raises
    ------
    SettingsError
        If the declaration does not fit together; the message says how to put it right.
    """

    def declare(function: Callable[..., Any]) -> OwnFeature:
        chosen = name or function.__name__
        described = Feature(
            chosen,
            meaning,
            unit,
            FAMILY,
            plain or chosen.replace("_", " "),
            window=window,
            null=null if empty is None else "",
        )
        own = OwnFeature(described, function, table, needs, empty, _source(function))
        _refuse_unfit(own)
        return own

    return declare


def _source(function: Callable[..., Any]) -> str:
    file = function.__code__.co_filename
    return Path(file).name if file.endswith(".py") else str(function.__module__)


def _refuse_unfit(own: OwnFeature) -> None:
    fault = _fault_of_words(own.feature) or _fault_of_tables(own) or _fault_of_arguments(own)
    if fault:
        raise SettingsError(f"{own.place}: {fault}")


def _fault_of_words(described: Feature) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", described.name):
        return (
            f"name={described.name!r} must be small letters, digits and _, at most 63, a letter "
            "first; rename the function, or give name=..."
        )
    if not described.meaning.strip():
        return "meaning is empty; say in one sentence what it measures."
    if described.unit not in get_args(Unit):
        return f"unit={described.unit!r} is not known; use one of {', '.join(get_args(Unit))}."
    window = described.window
    if window is not None and not (type(window) is int and 0 < window <= MOST_DAYS):
        return f"window={window!r} must be a whole number of days, 1 to {MOST_DAYS:,}, or None."
    return ""


def _fault_of_tables(own: OwnFeature) -> str:
    if own.table is not None and own.table not in OVER_TABLES:
        return f"table={own.table!r} is not known; use one of {', '.join(OVER_TABLES)}."
    if own.needs is not None and own.needs not in IN_MEMORY:
        return f"needs={own.needs!r} is not known; use one of {', '.join(IN_MEMORY)}."
    if own.table is not None and own.needs is not None:
        return f"needs={own.needs!r} is for functions of the grid; table says it already."
    if own.table is not None and own.empty is None and not own.feature.null:
        return (
            f"say what it is for a customer without {own.table}: empty=0, or "
            'null="without ..." in words.'
        )
    if own.empty is not None and own.feature.unit == "text":
        return f'empty={own.empty!r} is not for texts; say in words: null="without ..."'
    return ""


def _fault_of_arguments(own: OwnFeature) -> str:
    wanted = list(inspect.signature(own.function).parameters)
    if own.table is None and len(wanted) != 1:
        return (
            f"the function takes {_named(wanted)}; it must take the grid alone, or name a table "
            'and give an expression: table="transactions".'
        )
    if own.table is not None and wanted not in ([], ["as_of"]):
        return f"the function takes {_named(wanted)}; over a table it takes nothing, or as_of."
    return ""


def _named(arguments: list[str]) -> str:
    return ", ".join(arguments) or "nothing"
