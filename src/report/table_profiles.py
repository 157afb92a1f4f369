"""What the tables of the run hold, as texts for the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patronage.data.profile import ColumnProfile, TableProfile
from patronage.retention.wording import counted

NONE = "–"
QUANTILE_NAMES = {"1": "1%", "25": "25%", "50": "Median", "75": "75%", "99": "99%"}
MAX_TEXT = 60


@dataclass(frozen=True)
class ProfileRow:
    """One column of a table."""

    name: str
    kind: str
    empty: str
    distinct: str
    numbers: list[str]
    """Lowest, quantiles, highest."""
    words: str


@dataclass(frozen=True)
class ProfileTable:
    """One table of the run."""

    title: str
    sentence: str
    quantile_names: list[str]
    rows: list[ProfileRow]


def table_profiles(manifest: Mapping[str, Any]) -> list[ProfileTable]:
    """One profile for each table of the run.

    Parameters
    ----------
    manifest
        Of the run: `tables`, by name what `TableProfile.to_dict` gives, where it has them.
    """
    profiles = map(TableProfile.from_dict, manifest.get("tables", {}).values())
    return [
        ProfileTable(
            title=found.table.capitalize(),
            sentence=_sentence(found),
            quantile_names=["Lowest", *QUANTILE_NAMES.values(), "Highest"],
            rows=[_row(column) for column in found.columns],
        )
        for found in profiles
    ]


def _sentence(found: TableProfile) -> str:
    of = f"{counted(found.rows, 'row')} of {counted(found.customers, 'customer')}"
    days = "" if found.first_day is None else f", {found.first_day} to {found.last_day}"
    if found.table == "transactions":
        return f"{of}{days}."
    covered = f" {found.covered:.1%} of the customers with a transaction are in it."
    if not found.unknown_customers:
        return f"{of}{days}.{covered}"
    none = counted(found.unknown_customers, "customer in it has none", "customers in it have none")
    return f"{of}{days}.{covered} {none}."


def _row(column: ColumnProfile) -> ProfileRow:
    is_number = column.kind == "number" and column.nulls < column.rows
    numbers = [column.minimum, *(column.quantiles.get(name) for name in QUANTILE_NAMES)]
    return ProfileRow(
        name=column.name,
        kind=column.kind,
        empty=f"{column.nulls / column.rows:.1%}" if column.nulls else NONE,
        distinct="" if column.distinct is None else f"{column.distinct:,}",
        numbers=[
            f"{value:,.6g}" if is_number and isinstance(value, int | float) else ""
            for value in (*numbers, column.maximum)
        ],
        words=_words(column),
    )


def _words(column: ColumnProfile) -> str:
    if column.kind == "time" and column.minimum is not None:
        return f"{column.minimum} to {column.maximum}"
    known = column.rows - column.nulls
    return ", ".join(f"{text[:MAX_TEXT]} ({rows / known:.1%})" for text, rows in column.top)
