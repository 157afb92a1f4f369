"""Attributes of customers: source columns that pass through, as numbers or as texts."""

from collections.abc import Mapping
from dataclasses import replace

import duckdb

from patronage.data.columns import suggestion
from patronage.data.declaration import Column
from patronage.data.source import Source
from patronage.data.tables import CUSTOMERS
from patronage.data.values import Reading, SourceColumn, flag_of, number_of, timestamp_of
from patronage.errors import DataError
from patronage.table_settings import CustomersSection, FileSection

_WORDS = "true|false|yes|no"
_ALMOST = 0.99
_NUMBERS = ("integer", "number", "float")


def attribute_columns(
    section: FileSection, source: Source, mapped: Mapping[str, SourceColumn]
) -> list[tuple[Column, SourceColumn]]:
    """The attributes a source gives: a contract column a0, a1, ... and the source column for each.

    A source column with a type of its own keeps it: numbers are numbers, true and false are 1 and
    0, all else is text. A text column is a number if the settings say so; of others the values
    decide, once they are read: see `numeric_texts`.

    Raises
    ------
    DataError
        If a column that the settings name is missing, or two attributes have the same name but for
        the case of letters, or one has that of a contract column.
    """
    if not isinstance(section, CustomersSection):
        return []
    by_name = {column.name: column for column in source.columns}
    for name in (*(section.attributes or ()), *section.numbers, *section.texts):
        if name not in by_name:
            raise DataError(
                f"{source.label} has no column {name!r} for an attribute of [customers]. "
                f"{suggestion(name, by_name)}"
            )
    taken = {column.name for column in mapped.values()}
    wanted = section.attributes or [name for name in by_name if name not in taken]
    _refuse_same_names(wanted, source)
    return [
        (_declared(f"a{place}", by_name[name], section), by_name[name])
        for place, name in enumerate(wanted)
    ]


def numeric_texts(
    connection: duckdb.DuckDBPyConnection,
    columns: list[Column],
    reading: Reading,
    *,
    kept: str,
    section: CustomersSection,
) -> tuple[dict[str, str], list[str]]:
    """SQL of the texts that are numbers or days, by column, and what to look at.

    A text column is one of numbers if every kept value is a number and none begins with a zero that
    a number would lose, as codes do; or if every one is true, false, yes or no. It is one of
    days if every value is a day.
    """
    found: dict[str, str] = {}
    warnings = []
    for column in columns:
        if column.kind != "text" or column.label in section.texts:
            continue
        origin = SourceColumn(column.label, f'"{column.name}"')
        words = (
            f"CASE WHEN regexp_full_match({origin.key}, '{_WORDS}', 'i') THEN {flag_of(origin)} END"
        )
        for sql in (number_of(origin, reading), words):
            known, read, example = _read_by(connection, column.name, sql, kept)
            if known and known == read:
                found[column.name] = sql
                break
            if _ALMOST * known <= read < known:
                warnings.append(_almost(column.label, known - read, known, example))
                break
        else:
            days = _days_of(connection, column.name, origin, reading, kept)
            if days is not None:
                found[column.name] = days
    return found, warnings


def _days_of(
    connection: duckdb.DuckDBPyConnection,
    key: str,
    origin: SourceColumn,
    reading: Reading,
    kept: str,
) -> str | None:
    """SQL of texts that all are days, in the table's date_format or else ISO 8601."""
    plain = timestamp_of(origin, replace(reading, date_format=None))
    iso = f"CASE WHEN regexp_matches({origin.key}, '^\\d{{4}}-\\d\\d-\\d\\d') THEN {plain} END"
    for sql in dict.fromkeys((timestamp_of(origin, reading) if reading.date_format else iso, iso)):
        known, read = connection.execute(
            f'SELECT count("{key}"), count(*) FILTER (isfinite({sql})) FROM rows WHERE {kept}'
        ).fetchall()[0]
        if known and known == read:
            return sql
    return None


def _declared(key: str, origin: SourceColumn, section: CustomersSection) -> Column:
    kind = "number" if origin.kind in _NUMBERS or origin.name in section.numbers else "text"
    if origin.name in section.texts:
        kind = "text"
    if origin.kind == "boolean":
        return Column(name=key, kind="flag", nullable=True, shown_as=origin.name)
    if kind == "number":
        return Column(name=key, kind="number", nullable=True, shown_as=origin.name)
    return Column(name=key, kind="text", nullable=True, shown_as=origin.name)


def _refuse_same_names(wanted: list[str], source: Source) -> None:
    seen = {column.name.lower(): column.name for column in CUSTOMERS.columns}
    for name in wanted:
        if name.lower() in seen:
            raise DataError(
                f"{source.label}: attribute {name!r} has the name of {seen[name.lower()]!r}. "
                "Rename it, or list the columns to take: [customers] attributes = [...]"
            )
        seen[name.lower()] = name


def _read_by(
    connection: duckdb.DuckDBPyConnection, key: str, sql: str, kept: str
) -> tuple[int, int, str | None]:
    """How many values there are, how many the SQL reads exactly, and one that it does not."""
    code = f"regexp_matches(\"{key}\", '^[+-]?0\\d')"
    read = f"isfinite({sql}) AND NOT {code}"
    row = connection.execute(
        f'SELECT count("{key}"), count(*) FILTER ({read}), '
        f'min("{key}") FILTER (NOT coalesce({read}, FALSE)) FROM rows WHERE {kept}'
    ).fetchall()[0]
    return int(row[0]), int(row[1]), row[2]


def _almost(name: str, rows: int, known: int, example: str | None) -> str:
    return (
        f"attribute {name} is taken as text because of {rows:,} of {known:,} values, such as "
        f"{example!r}; if it is a number, say so: [customers] numbers = [{name!r}]"
    )
