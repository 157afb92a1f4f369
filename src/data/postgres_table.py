"""Transactions in PostgreSQL: checked and collapsed there; days, counts and bad rows travel."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pyarrow as pa

from patronage.config import Settings
from patronage.data.checked_table import CheckedTable
from patronage.data.money import LARGEST_MULTIPLE, absurd, currency_signs, signs
from patronage.data.oddities import isolated_day
from patronage.data.postgres_session import PostgresSession
from patronage.data.postgres_source import (
    CheckedSql,
    checked_sql,
    make_twin,
    open_postgres,
    type_of,
)
from patronage.data.postgres_sql import translated
from patronage.data.quarantine import Reason, reasons
from patronage.data.refusals import refuse_nothing_kept
from patronage.data.remote_profile import remote_counts, remote_profile
from patronage.data.source import Source
from patronage.data.typed_rows import plan
from patronage.errors import PatronageError, SettingsError
from patronage.table_settings import FileSection

_KEPT = "fault IS NULL AND NOT filtered"


@dataclass(frozen=True)
class PostgresTable(CheckedTable):
    """A checked table whose rows stay where they are."""

    session: PostgresSession
    checked: CheckedSql

    def rows(self, connection: duckdb.DuckDBPyConnection) -> nw.LazyFrame[Any]:
        """The kept rows, all of them brought here; `collect` lets them stay."""
        return nw.from_native(connection.from_arrow(self.session.arrow(self.checked.kept)))

    def collect(
        self,
        plan: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any] | None],
        connection: duckdb.DuckDBPyConnection,
    ) -> pa.Table | None:
        """Apply a plan to the kept rows inside PostgreSQL, and bring its result."""
        result = plan(nw.from_native(self.connection.table("kept")))
        if result is None:
            return None
        query = translated(result.to_native().sql_query())
        return self.session.arrow(
            f"WITH kept AS ({self.checked.kept}) SELECT * FROM ({query}) AS result"
        )


def read_postgres(
    connection: duckdb.DuckDBPyConnection,
    section: FileSection,
    settings: Settings,
    *,
    session: PostgresSession,
    latest: datetime,
) -> PostgresTable:
    """Check a table inside PostgreSQL; the schema of `connection` keeps here what is quarantined.

    Raises
    ------
    DataError, SettingsError
        As `read_table`, or if the server refuses a query.
    """
    if settings.ledger.drop_duplicates:
        raise SettingsError(
            f"[ledger] drop_duplicates cannot be used with [{section.table}] in PostgreSQL; drop "
            'them there: query = "SELECT DISTINCT ... FROM ..."'
        )
    folder = settings.folder.absolute()
    source = open_postgres(session, section, settings.ledger.timezone)
    ledger = settings.ledger
    planned = plan(section, source, timezone=ledger.timezone, currency=ledger.currency)
    checked = checked_sql(session, connection, source, planned, latest)
    make_twin(connection, "kept", {column.name: type_of(column) for column in checked.columns})
    facts = _facts(session, checked)
    found = _quarantine(session, connection, source, checked, folder, facts["bad"])
    counts = remote_counts(facts, found)
    refuse_nothing_kept(counts, found, source, section)
    return PostgresTable(
        counts=counts,
        reasons=found,
        files=source.files,
        digest=_digest(checked, facts),
        warnings=_oddities(session, connection, checked, facts),
        profile=remote_profile(connection, facts, session.arrow(_customers(checked))),
        columns={column.name: column.name for column in checked.columns},
        section=section,
        source=source,
        plan=planned,
        settings_folder=folder,
        connection=connection,
        session=session,
        checked=checked,
    )


def _customers(checked: CheckedSql) -> str:
    return f"SELECT DISTINCT customer_id FROM ({checked.kept}) AS kept"


def _facts(session: PostgresSession, checked: CheckedSql) -> dict[str, Any]:
    """Counts of all rows, and of the kept ones the days, customers and a sum of hashes."""
    cells = f"CAST(ROW({checked.names}) AS text)"
    hashes = (
        f"CAST(sum(CAST(hashtextextended({cells}, {seed}) AS numeric)) FILTER (WHERE {_KEPT}) "
        f"AS text) AS hash_{seed}"
        for seed in (0, 1)
    )
    found = session.arrow(
        f"""SELECT count(*) AS read, count(*) FILTER (WHERE filtered) AS filtered,
            count(*) FILTER (WHERE {_KEPT}) AS kept,
            count(*) FILTER (WHERE fault IS NOT NULL) AS bad,
            CAST(min("timestamp") FILTER (WHERE {_KEPT}) AS date) AS first_day,
            CAST(max("timestamp") FILTER (WHERE {_KEPT}) AS date) AS last_day,
            count(*) FILTER (WHERE {_KEPT} AND amount < 0) AS negative,
            count(*) FILTER (WHERE {_KEPT} AND amount = 0) AS zero,
            count(DISTINCT source_hash) FILTER (WHERE {_KEPT}) AS different,
            percentile_disc(0.999) WITHIN GROUP (ORDER BY abs(amount))
                FILTER (WHERE {_KEPT}) AS usual,
            max(abs(amount)) FILTER (WHERE {_KEPT}) AS largest,
            {", ".join(hashes)}
        FROM ({checked.rows}) AS rows"""
    )
    return dict(found.to_pylist()[0])


def _quarantine(
    session: PostgresSession,
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    checked: CheckedSql,
    folder: Path,
    n_bad: int,
) -> list[Reason]:
    """Bring the bad rows, with their place in the order in which the table gives its rows."""
    keys = ", ".join(column.key for column in source.columns)
    query = (
        f"SELECT source_file, source_row, fault, fault_value, CAST(1 AS bigint) AS lines, {keys} "
        f"FROM ({checked.numbered}) AS rows WHERE fault IS NOT NULL"
    )
    if n_bad:
        session.run("SET LOCAL max_parallel_workers_per_gather = 0")  # workers would mix the order
    quarantined = session.arrow(query if n_bad else f"SELECT * FROM ({query}) AS q LIMIT 0")
    session.run("SET LOCAL max_parallel_workers_per_gather TO DEFAULT")
    if quarantined.num_rows != n_bad:
        raise PatronageError(
            f"{quarantined.num_rows:,} bad rows of {source.label} came, not {n_bad:,}."
        )
    connection.register("brought", quarantined)
    connection.execute("CREATE TABLE quarantined AS SELECT * FROM brought")
    connection.unregister("brought")
    return reasons(connection, source.files, folder)


def _digest(checked: CheckedSql, facts: dict[str, Any]) -> str:
    """The same for any order of the rows; not that of the same rows in a file."""
    parts = (checked.names, facts["kept"], facts["hash_0"], facts["hash_1"])
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _oddities(
    session: PostgresSession,
    connection: duckdb.DuckDBPyConnection,
    checked: CheckedSql,
    facts: dict[str, Any],
) -> list[str]:
    found = (
        _last_day(session, checked, facts),
        _amounts(session, checked, facts),
        signs(facts["kept"], facts["negative"], facts["zero"]),
        currency_signs(connection),
    )
    return [text for text in found if text]


def _last_day(session: PostgresSession, checked: CheckedSql, facts: dict[str, Any]) -> str | None:
    midnight = f"TIMESTAMP '{facts['last_day']}'"
    [(before, count)] = session.rows(
        f"""SELECT CAST(max("timestamp") FILTER (WHERE "timestamp" < {midnight}) AS date),
            count(*) FILTER (WHERE "timestamp" >= {midnight})
        FROM ({checked.kept}) AS kept"""
    )
    return None if before is None else isolated_day([(facts["last_day"], count), (before, 0)])


def _amounts(session: PostgresSession, checked: CheckedSql, facts: dict[str, Any]) -> str | None:
    most = LARGEST_MULTIPLE * facts["usual"]
    if facts["largest"] <= most:
        return None
    kept = f"SELECT * FROM ({checked.kept}) AS kept WHERE abs(amount) > {most!r}"
    [(count, amount, customer, day)] = session.rows(
        f"""SELECT count(*) OVER () AS count, amount, customer_id, CAST("timestamp" AS date)
        FROM ({kept}) AS kept ORDER BY abs(amount) DESC, customer_id DESC LIMIT 1"""
    )
    return absurd(count, facts["usual"], amount, customer, day)
