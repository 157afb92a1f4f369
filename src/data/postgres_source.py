"""A table or a query in PostgreSQL: its columns, and SQL that types and checks its rows there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import narwhals as nw

from patronage.config import Settings
from patronage.data import postgres_values as dialect
from patronage.data.columns import NUMBER_COLUMNS, map_columns, named_columns, suggestion
from patronage.data.contract import with_faults
from patronage.data.expressions import Expression, ExpressionReader
from patronage.data.postgres_session import PostgresSession
from patronage.data.postgres_sql import translated
from patronage.data.reading import Source
from patronage.data.values import Reading, SourceColumn, literal
from patronage.errors import DataError, SettingsError

_TIMES = ("timestamp",)
_FLAGS = ("filtered", "undecided")
_FENCE = "OFFSET 0"
"""Keeps PostgreSQL from computing a value anew wherever it is used."""


@dataclass(frozen=True)
class CheckedSql:
    """SQL of the rows of a table, typed and checked: `numbered` adds each row's place."""

    rows: str
    numbered: str
    contract: list[str]

    @property
    def kept(self) -> str:
        """SQL of the kept rows with the contract's columns."""
        names = ", ".join(self.contract)
        return f"SELECT {names} FROM ({self.rows}) AS rows WHERE fault IS NULL AND NOT filtered"


def open_postgres(session: PostgresSession, settings: Settings) -> Source:
    """The table or query of the settings, with its columns.

    Raises
    ------
    DataError
        If there is no such table, or the query is refused.
    """
    section = settings.transactions
    label = section.relation or "query"
    if section.relation is not None:
        _refuse_unknown(session, section.relation)
        scan = f"SELECT * FROM {section.relation}"
    else:
        scan = str(section.query).rstrip().rstrip(";")
    types = session.types(scan, f"[transactions] {'relation' if section.relation else 'query'}")
    columns = [
        SourceColumn(name, f"c{place}", dialect.kind_of(kind))
        for place, (name, kind) in enumerate(types)
    ]
    return Source([Path(label)], "postgresql", columns, _scan(scan, columns, _reading(settings)))


def _scan(table: str, columns: Sequence[SourceColumn], reading: Reading) -> str:
    """SQL of the columns by their keys.

    A text is trimmed, and comes besides as it was (c0_raw), as number (c0_number) and as time
    (c0_time): PostgreSQL leaves out what no query uses.
    """
    keys = ", ".join(column.key for column in columns)
    texts = [column.key for column in columns if column.kind == "text"]
    others = [column.key for column in columns if column.kind != "text"]
    cut = [f"{dialect.trimmed(key)} AS {key}, {key} AS {key}_raw" for key in texts]
    read = [dialect.readings(key, reading) for key in texts]
    trimmed = f"SELECT {', '.join(others + cut)} FROM ({table}) AS source({keys}) {_FENCE}"
    return f"(SELECT {', '.join(['*', *read])} FROM ({trimmed}) AS trimmed {_FENCE}) AS source"


def _refuse_unknown(session: PostgresSession, relation: str) -> None:
    setting = f"[transactions] relation = {relation!r}"
    try:
        [(found,)] = session.rows(f"SELECT CAST(to_regclass({literal(relation)}) AS text)")
    except DataError as error:
        raise SettingsError(
            f'{setting} is no name of a table; write it as "schema.table", or give a query.'
        ) from error
    if found is None:
        known = session.rows(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        )
        if not known:
            raise DataError(f"{setting}: the database has no table that this user may read.")
        text = suggestion(relation, (name for (name,) in known)).replace("Columns", "Tables")
        raise DataError(f"{setting} is not in the database. {text}")


def checked_sql(
    session: PostgresSession,
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    settings: Settings,
    latest: datetime,
) -> CheckedSql:
    """SQL that types and checks every row of the source inside PostgreSQL.

    Raises
    ------
    DataError, SettingsError
        If a column is missing, or an expression or the date format cannot be used.
    """
    section = settings.transactions
    mapped = map_columns(section, source.columns, source.label)
    named = named_columns(section) & set(NUMBER_COLUMNS)
    values = _contract_values(
        mapped, Reading(section.decimal, section.date_format, settings.ledger.timezone), named
    )
    values |= _expressions(session, source, settings, mapped)
    contract = [name for name in values if not name.startswith(("shown_", *_FLAGS))]
    make_twin(
        connection, "typed", [*values, "source_file", "source_hash", "source_row"], source.columns
    )
    faulty = with_faults(
        nw.from_native(connection.table("typed")),
        named=named,
        latest=latest,
        computed=section.amount is not None,
    )
    checks = translated(faulty.to_native().sql_query())
    plain, numbered = (
        f"WITH typed AS ({_typed(source, values, place)}) SELECT * FROM ({checks} {_FENCE}) AS rows"
        for place in ("CAST(NULL AS bigint)", "row_number() OVER ()")
    )
    return CheckedSql(plain, numbered, contract)


def _reading(settings: Settings) -> Reading:
    section = settings.transactions
    return Reading(section.decimal, section.date_format, settings.ledger.timezone)


def make_twin(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    names: Sequence[str],
    columns: Sequence[SourceColumn] = (),
) -> None:
    """An empty table in DuckDB with the names and types that a query in PostgreSQL has."""
    types = {
        **{column.key: "VARCHAR" for column in columns},
        **{name: _type_of(name) for name in names},
    }
    listed = ", ".join(f"{name} {kind}" for name, kind in types.items())
    connection.execute(f"CREATE TABLE {name} ({listed})")


def _type_of(name: str) -> str:
    if name in _TIMES:
        return "TIMESTAMP"
    if name in (*NUMBER_COLUMNS, "amount"):
        return "DOUBLE"
    if name in _FLAGS:
        return "BOOLEAN"
    return "BIGINT" if name in ("source_row", "source_hash") else "VARCHAR"


def _typed(source: Source, values: Mapping[str, str], place: str) -> str:
    """SQL of the source's columns as text, the contract's, and what these were read from."""
    own = ", ".join(f"{_as_text(column)} AS {column.key}" for column in source.columns)
    keys = ", ".join(_as_text(column) for column in source.columns)
    listed = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
    return (
        f"SELECT {own}, CAST({literal(source.label)} AS text) AS source_file, source_row, "
        f"hashtextextended(CAST(ROW({keys}) AS text), 0) AS source_hash, {listed} "
        f"FROM (SELECT *, {place} AS source_row FROM {source.scan}) AS numbered {_FENCE}"
    )


def _as_text(column: SourceColumn) -> str:
    if column.kind == "text":
        return f"CAST({column.key}_raw AS text)"
    return dialect.shown(column) if column.kind == "float" else f"CAST({column.key} AS text)"


def _contract_values(
    mapped: Mapping[str, SourceColumn], reading: Reading, named: set[str]
) -> dict[str, str]:
    values = {}
    for name, column in mapped.items():
        if name == "timestamp":
            values[name] = dialect.timestamp_of(column, reading)
        elif name == "amount" or name in named:
            values[name] = dialect.number_of(column, reading)
        elif name in NUMBER_COLUMNS:
            number = dialect.number_of(column, reading)
            values[name] = f"nullif(nullif(nullif({number}, 'NaN'), 'Infinity'), '-Infinity')"
        else:
            values[name] = dialect.text_of(column)
    for name in ("timestamp", "amount", *sorted(named)):
        if name in mapped:
            values[f"shown_{name}"] = dialect.shown(mapped[name])
    return values


def _expressions(
    session: PostgresSession,
    source: Source,
    settings: Settings,
    mapped: Mapping[str, SourceColumn],
) -> dict[str, str]:
    """The amount where it is an expression, and what `where` says of the row."""
    section = settings.transactions
    reading = _reading(settings)
    values = {"filtered": "FALSE", "undecided": "FALSE", "shown_where": "CAST(NULL AS text)"}
    if section.amount is not None:
        setting = f"[transactions] amount = {section.amount!r}"
        reader = ExpressionReader(setting, source.columns, reading, mapped["timestamp"], dialect)
        amount = _tried(session, source, reader.number(section.amount), setting)
        values = {"amount": amount.sql, "shown_amount": amount.shown} | values
    if section.where is not None:
        setting = f"[transactions] where = {section.where!r}"
        reader = ExpressionReader(setting, source.columns, reading, mapped["timestamp"], dialect)
        where = _tried(session, source, reader.condition(section.where), setting)
        undecided = f"(({where.sql}) IS NULL AND ({where.unreadable}))"
        values |= {
            "filtered": f"NOT coalesce({where.sql}, {undecided})",
            "undecided": undecided,
            "shown_where": where.shown,
        }
    return values


def _tried(
    session: PostgresSession, source: Source, expression: Expression, setting: str
) -> Expression:
    """Let PostgreSQL plan the expression, so that its refusal names the setting."""
    try:
        session.arrow(f"SELECT {expression.sql} FROM {source.scan} LIMIT 0", setting)
    except DataError as error:
        raise SettingsError(f"{error}") from error
    return expression
