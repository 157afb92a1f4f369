"""The contract tables of one run, read, checked and counted."""

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import duckdb
import narwhals as nw
import pyarrow as pa

from patronage.config import Settings
from patronage.data.checked_table import CheckedTable
from patronage.data.counts import TableCounts
from patronage.data.engines import Engines
from patronage.data.quarantine import Reason
from patronage.data.tables import CONTRACTS
from patronage.errors import DataError
from patronage.table_settings import FileSection

log = logging.getLogger(__name__)

DATABASE_MEMORY = "25%"
"""Of the machine's; past it DuckDB writes to disk. The rest is for the features and models."""


@dataclass(frozen=True)
class Ledger:
    """The tables of one run, in a database of its own that goes when the ledger is closed.

    Use it as a context manager; no table can be read after it. What is said of one table, such as
    `counts` and `reasons`, is that of the transactions; `tables` has all.
    """

    tables: Mapping[str, CheckedTable]
    """By name, transactions first; without those that are not configured."""
    first_day: date
    last_day: date
    """Calendar days of the first and last kept transaction, on the ledger's clock."""
    n_customers: int
    """With a kept transaction."""
    _settings: Settings
    _connection: duckdb.DuckDBPyConnection
    _engines: Engines
    _folder: Path

    def table(self, name: str) -> nw.LazyFrame[Any] | None:
        """The kept rows of a table, or None if it is not configured.

        Parameters
        ----------
        name
            Of a contract: transactions, customers, events, surveys, subscriptions or outcomes.

        Raises
        ------
        KeyError
            If there is no such contract.
        """
        if name not in CONTRACTS:
            raise KeyError(f"no table is named {name!r}; known: {', '.join(CONTRACTS)}")
        return self.tables[name].rows(self._connection) if name in self.tables else None

    @property
    def transactions(self) -> nw.LazyFrame[Any]:
        """The kept rows; `timestamp` is on the ledger's clock, so its date is the calendar day."""
        return self.tables["transactions"].rows(self._connection)

    def collect(
        self, plan: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any] | None]
    ) -> pa.Table | None:
        """Apply a plan to the kept transactions where they are, and bring its result as Arrow.

        In PostgreSQL and on Spark the plan runs there, and only its result travels.
        """
        return self.tables["transactions"].collect(plan, self._connection)

    @property
    def counts(self) -> TableCounts:
        """Row counts of the transactions."""
        return self.tables["transactions"].counts

    @property
    def reasons(self) -> list[Reason]:
        """Why transactions are quarantined, most frequent reason first."""
        return self.tables["transactions"].reasons

    @property
    def files(self) -> list[Path]:
        """That the transactions were read from."""
        return self.tables["transactions"].files

    @property
    def columns(self) -> tuple[str, ...]:
        """Contract columns that `transactions` has."""
        return tuple(self.tables["transactions"].columns)

    @property
    def warnings(self) -> list[str]:
        """What may be right but should be looked at, of all tables."""
        return [
            text if table.name == "transactions" else f"{table.name}: {text}"
            for table in self.tables.values()
            for text in table.warnings
        ]

    @property
    def digest(self) -> str:
        """Hash of the kept rows of all tables, whatever their order and files; 64 hex digits."""
        digests = [(name, self.tables[name].digest) for name in sorted(self.tables)]
        return hashlib.sha256(repr(digests).encode()).hexdigest()

    def write_quarantine(self, folder: Path) -> list[Path]:
        """Write one CSV file for each table with quarantined rows; see `CheckedTable`."""
        written = (table.write_quarantine(folder) for table in self.tables.values())
        return [path for path in written if path is not None]

    def refuse_if_bad(
        self, max_bad_share: float | None = None, quarantine: Path | None = None
    ) -> None:
        """Stop a run one of whose tables is too bad to be learned from.

        Parameters
        ----------
        max_bad_share
            Largest bearable share of quarantined rows, 0 to 1, of a table whose section has none of
            its own; by default that of [ledger].
        quarantine
            The folder that the rows were written to, for the message.

        Raises
        ------
        DataError
            If the share of a table is larger; the message names it and has the reasons with their
            first rows.
        """
        most = self._settings.ledger.max_bad_share if max_bad_share is None else max_bad_share
        for table in self.tables.values():
            table.refuse_if_bad(most, quarantine and quarantine / f"{table.name}.csv")

    def close(self) -> None:
        """Close the database and remove it, and the sessions with others."""
        self._engines.close()
        for table in self.tables.values():
            table.close()
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """The ledger itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def read_ledger(
    settings: Settings,
    *,
    read_at: datetime,
    work_folder: Path | None = None,
    on_table: Callable[[str], None] = lambda table: None,
) -> Ledger:
    """Read all tables, check every row and set aside those that break the contract.

    Parameters
    ----------
    settings
        Says where the files are and how their columns are read.
    read_at
        The moment of reading; without an offset it is on the ledger's clock. Rows later than a day
        after it are in the future.
    work_folder
        Where the temporary database is made; by default in the system's folder for such files.
    on_table
        Called with the name of each table before it is read.

    Returns
    -------
    Ledger
        To be closed; best used in a `with` statement. Rows past `max_bad_share` are not refused
        here but by `Ledger.refuse_if_bad`, so that the quarantine can be written before.

    Raises
    ------
    DataError
        If a table as a whole cannot be used: no file, a column missing; or no row of the
        transactions is kept.
    SettingsError
        If `where`, an expression or `date_format` of a table cannot be used.
    """
    folder = Path(tempfile.mkdtemp(prefix="patronage-", dir=work_folder))
    try:
        connection = _connect(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        return _read(settings, connection, folder, read_at, on_table)
    except BaseException:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        str(folder / "ledger.duckdb"),
        config={
            "temp_directory": str(folder / "spill"),
            "memory_limit": DATABASE_MEMORY,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    return _set_up(connection)


def _set_up(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """What holds for each session on the database."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET error_on_division_by_zero = false")
    return connection


@contextmanager
def _without_tracebacks(table: str) -> Iterator[None]:
    """Turn what DuckDB refuses into one message."""
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"{table} cannot be read: {reason}") from error


def _read(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    read_at: datetime,
    on_table: Callable[[str], None],
) -> Ledger:
    latest = _latest(read_at, settings.ledger.timezone)
    tables = {}
    engines = Engines()
    try:
        for section in settings.tables:
            on_table(section.table)
            tables[section.table] = _checked(engines, settings, section, connection, folder, latest)
    except BaseException:
        engines.close()
        raise
    found = tables["transactions"].profile
    return Ledger(
        tables=tables,
        first_day=date.fromisoformat(str(found.first_day)),
        last_day=date.fromisoformat(str(found.last_day)),
        n_customers=found.customers,
        _settings=settings,
        _connection=connection,
        _engines=engines,
        _folder=folder,
    )


def _checked(
    engines: Engines,
    settings: Settings,
    section: FileSection,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    latest: datetime,
) -> CheckedTable:
    """One table, in a schema and a session of its own: DuckDB's reject tables are a session's."""
    session = _set_up(connection.cursor())
    try:
        with _without_tracebacks(section.table):
            session.execute(f'CREATE SCHEMA "{section.table}"')
            session.execute(f"SET schema = '{section.table}'")
            return engines.read(session, section, settings, latest=latest, work_folder=folder)
    except BaseException:
        session.close()
        raise


def _latest(read_at: datetime, timezone: str) -> datetime:
    """The last moment that is not in the future, on the ledger's clock."""
    if read_at.tzinfo is not None:
        read_at = read_at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return read_at + timedelta(days=1)
