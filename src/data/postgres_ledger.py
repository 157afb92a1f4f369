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
from patronage.data.counts import TableCounts
from patronage.data.ledger import Ledger
from patronage.data.oddities import LARGEST_MULTIPLE, absurd, isolated_day
from patronage.data.postgres_session import PostgresSession
from patronage.data.postgres_source import CheckedSql, checked_sql, make_twin, open_postgres
from patronage.data.postgres_sql import translated
from patronage.data.quarantine import Reason, reasons
from patronage.data.reading import Source
from patronage.data.refusals import refuse_nothing_kept
from patronage.errors import PatronageError

_KEPT = "fault IS NULL AND NOT filtered"


@dataclass(frozen=True)
class PostgresLedger(Ledger):
    """A ledger whose rows stay where they are; see `Ledger`."""

    _session: PostgresSession
    _checked: CheckedSql

    @property
    def transactions(self) -> nw.LazyFrame[Any]:
        """The kept rows, all of them brought here; `collect` lets them stay."""
        rows = self._session.arrow(self._checked.kept)
        return nw.from_native(self._connection.from_arrow(rows))

    def collect(self, plan: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]) -> pa.Table:
        """Apply a plan to the kept rows inside PostgreSQL, and bring its result as Arrow."""
        result = plan(nw.from_native(self._connection.table("kept"))).to_native()
        return self._session.arrow(
            f"WITH kept AS ({self._checked.kept}) "
            f"SELECT * FROM ({translated(result.sql_query())}) AS result"
        )

    def close(self) -> None:
        """End the transaction and remove what was made here."""
        self._session.close()
        super().close()


def read_postgres(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    latest: datetime,
) -> PostgresLedger:
    """Check the table inside PostgreSQL; `connection` keeps here what is quarantined.

    Raises
    ------
    DataError, SettingsError
        As `read_ledger`, or if the server cannot be reached or refuses a query.
    """
    session = PostgresSession(str(settings.transactions.source))
    try:
        return _read(settings, session, connection, folder, latest)
    except BaseException:
        session.close()
        raise


def _read(
    settings: Settings,
    session: PostgresSession,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    latest: datetime,
) -> PostgresLedger:
    source = open_postgres(session, settings)
    checked = checked_sql(session, connection, source, settings, latest)
    make_twin(connection, "kept", checked.contract)
    facts = _facts(session, checked)
    found = _quarantine(session, connection, source, checked, settings, facts["bad"])
    counts = _counts(facts, found)
    refuse_nothing_kept(counts, found, source, settings)
    return PostgresLedger(
        counts=counts,
        reasons=found,
        files=source.files,
        first_day=facts["first_day"],
        last_day=facts["last_day"],
        n_customers=facts["customers"],
        digest=_digest(checked.contract, facts),
        warnings=_oddities(session, checked, facts),
        columns=tuple(checked.contract),
        _settings=settings,
        _source=source,
        _connection=connection,
        _folder=folder,
        _session=session,
        _checked=checked,
    )


def _facts(session: PostgresSession, checked: CheckedSql) -> dict[str, Any]:
    """Counts of all rows, and of the kept ones the days, customers and a sum of hashes."""
    cells = f"CAST(ROW({', '.join(sorted(checked.contract))}) AS text)"
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
            count(DISTINCT customer_id) FILTER (WHERE {_KEPT}) AS customers,
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
    settings: Settings,
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
    return reasons(connection, source.files, settings.folder.absolute())


def _counts(facts: dict[str, Any], found: list[Reason]) -> TableCounts:
    read, filtered, kept = facts["read"], facts["filtered"], facts["kept"]
    bad = sum(reason.rows for reason in found)
    by_reason = {reason.text: reason.rows for reason in found}
    copies = kept - facts["different"]
    return TableCounts(read, filtered, read - filtered, kept, bad, by_reason, copies)


def _digest(contract: list[str], facts: dict[str, Any]) -> str:
    """The same for any order of the rows; not that of the same rows in a file."""
    parts = (sorted(contract), facts["kept"], facts["hash_0"], facts["hash_1"])
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _oddities(session: PostgresSession, checked: CheckedSql, facts: dict[str, Any]) -> list[str]:
    found = (_last_day(session, checked, facts), _amounts(session, checked, facts))
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
