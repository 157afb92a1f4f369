"""A table or a query in PostgreSQL: its columns, and SQL that types and checks its rows there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import narwhals as nw

from patronage.data import postgres_values as dialect
from patronage.data.columns import suggestion
from patronage.data.contract import with_faults
from patronage.data.declaration import Column
from patronage.data.postgres_session import PostgresSession
from patronage.data.postgres_sql import translated
from patronage.data.source import Source
from patronage.data.typed_rows import Plan, values_sql
from patronage.data.values import Reading, SourceColumn, literal
from patronage.errors import DataError, SettingsError
from patronage.table_settings import FileSection

_FENCE = "OFFSET 0"
"""Keeps PostgreSQL from computing a value anew wherever it is used."""
_TYPES = {"time": "TIMESTAMP", "number": "DOUBLE", "flag": "DOUBLE"}


@dataclass(frozen=True)
class CheckedSql:
    """SQL of all rows of a table, typed and checked; `numbered` has each row's place besides."""

    rows: str
    numbered: str
    columns: list[Column]

    @property
    def names(self) -> str:
        """The columns that the checked table shows, as SQL."""
        return ", ".join(column.name for column in self.columns)

    @property
    def kept(self) -> str:
        """SQL of the kept rows."""
        return (
            f"SELECT {self.names} FROM ({self.rows}) AS rows WHERE fault IS NULL AND NOT filtered"
        )


def open_postgres(session: PostgresSession, section: FileSection, timezone: str) -> Source:
    """The table or query of the settings, with its columns.

    Raises
    ------
    DataError
        If there is no such table, or the query is refused.
    """
    table = source_sql(session, section)
    setting = f"[{section.table}] {'relation' if section.relation else 'query'}"
    columns = [
        SourceColumn(name, f"c{place}", dialect.kind_of(kind))
        for place, (name, kind) in enumerate(session.types(table, setting))
    ]
    reading = Reading(section.decimal, section.date_format, timezone)
    label = Path(section.relation or "query")
    return Source([label], "postgresql", columns, _scan(table, columns, reading))


def source_sql(session: PostgresSession, section: FileSection) -> str:
    """SQL of the table or the query of the settings.

    Raises
    ------
    DataError, SettingsError
        If there is no such table; the message names the nearest.
    """
    if section.relation is None:
        return str(section.query).rstrip().rstrip(";")
    _refuse_unknown(session, section.relation, f"[{section.table}] relation")
    return f"SELECT * FROM {section.relation}"


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


def _refuse_unknown(session: PostgresSession, relation: str, setting: str) -> None:
    try:
        [(found,)] = session.rows(f"SELECT CAST(to_regclass({literal(relation)}) AS text)")
    except DataError as error:
        raise SettingsError(
            f'{setting} = {relation!r} is no name of a table; write it as "schema.table", or give '
            "a query."
        ) from error
    if found is not None:
        return
    known = session.rows(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    )
    if not known:
        raise DataError(f"{setting} = {relation!r}: this user may read no table of the database.")
    text = suggestion(relation, (name for (name,) in known)).replace("Columns", "Tables")
    raise DataError(f"{setting} = {relation!r} is not in the database. {text}")


def checked_sql(
    session: PostgresSession,
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    plan: Plan,
    latest: datetime,
) -> CheckedSql:
    """SQL that types and checks every row of the source inside PostgreSQL.

    Raises
    ------
    DataError, SettingsError
        If an expression or the date format cannot be used.
    """

    def check(sql: str, setting: str) -> None:
        try:
            session.arrow(f"SELECT {sql} FROM {source.scan} LIMIT 0", f"{setting} cannot be used")
        except DataError as error:
            raise SettingsError(str(error)) from error

    values = values_sql(source, plan, dialect=dialect, check=check)
    del values["source_id"], values["source_unread"]  # looked at only where rows are at hand
    make_twin(connection, "typed", _types(source, plan, values))
    faulty = with_faults(
        nw.from_native(connection.table("typed")),
        named=plan.checked,
        latest=latest,
        computed=plan.computed is not None,
        contract=plan.contract,
    )
    checks = translated(faulty.to_native().sql_query())
    plain, numbered = (
        f"WITH typed AS ({_typed(source, values, place)}) SELECT * FROM ({checks} {_FENCE}) AS rows"
        for place in ("CAST(NULL AS bigint)", "row_number() OVER ()")
    )
    return CheckedSql(plain, numbered, plan.kept)


def make_twin(connection: duckdb.DuckDBPyConnection, name: str, types: dict[str, str]) -> None:
    """An empty table in DuckDB with the names and types that a query in PostgreSQL has."""
    listed = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
    connection.execute(f"CREATE TABLE {name} ({listed})")


def type_of(column: Column) -> str:
    """DuckDB's type of a contract column."""
    return _TYPES.get(column.kind, "VARCHAR")


def _types(source: Source, plan: Plan, values: dict[str, str]) -> dict[str, str]:
    return {
        **{column.key: "VARCHAR" for column in source.columns},
        **dict.fromkeys(values, "VARCHAR"),
        **{column.name: type_of(column) for column in plan.present},
        **dict.fromkeys(("filtered", "undecided"), "BOOLEAN"),
        **{"source_file": "VARCHAR", "source_row": "BIGINT", "source_hash": "BIGINT"},
    }


def _typed(source: Source, values: dict[str, str], place: str) -> str:
    """SQL of the source's columns as text, the contract's, and what these were read from."""
    own = ", ".join(f"{_as_text(column)} AS {column.key}" for column in source.columns)
    keys = ", ".join(_as_text(column) for column in source.columns)
    listed = ", ".join(f'{sql} AS "{name}"' for name, sql in values.items())
    return (
        f"SELECT {own}, CAST({literal(source.label)} AS text) AS source_file, source_row, "
        f"hashtextextended(CAST(ROW({keys}) AS text), 0) AS source_hash, {listed} "
        f"FROM (SELECT *, {place} AS source_row FROM {source.scan}) AS numbered {_FENCE}"
    )


def _as_text(column: SourceColumn) -> str:
    if column.kind == "text":
        return f"CAST({column.key}_raw AS text)"
    return dialect.shown(column) if column.kind == "float" else f"CAST({column.key} AS text)"
