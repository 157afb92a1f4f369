"""The contract tables of one run, read, checked and counted."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
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
from patronage.data.counts import TableCounts
from patronage.data.oddities import duplicates, oddities
from patronage.data.parquet_source import parquet_rows
from patronage.data.quarantine import Reason, collect_quarantine, reasons, write_quarantine
from patronage.data.reading import Source, load, open_source
from patronage.data.refusals import refuse_nothing_kept, too_bad
from patronage.data.rejected import collect_rejected
from patronage.data.values import literal
from patronage.errors import DataError, PatronageError
from patronage.sources import is_postgres


@dataclass(frozen=True)
class Ledger:
    """The transactions of one run, in a database of its own that goes when the ledger is closed.

    Use it as a context manager; `transactions` cannot be read after it.
    """

    counts: TableCounts
    reasons: list[Reason]
    """Why rows are quarantined, most frequent reason first."""
    files: list[Path]
    first_day: date
    last_day: date
    """Calendar days of the first and last kept row, on the ledger's clock."""
    n_customers: int
    digest: str
    """Hash of the kept rows that does not depend on their order or files; 64 hex digits."""
    warnings: list[str]
    """What may be right but should be looked at: a last day on its own, absurd amounts."""
    columns: tuple[str, ...]
    """Contract columns that `transactions` has."""
    _settings: Settings
    _source: Source
    _connection: duckdb.DuckDBPyConnection
    _folder: Path

    @property
    def transactions(self) -> nw.LazyFrame[Any]:
        """The kept rows; `timestamp` is on the ledger's clock, so its date is the calendar day."""
        listed = ", ".join(self.columns)
        return nw.from_native(self._connection.sql(f"SELECT {listed} FROM rows WHERE {_KEPT}"))

    def collect(self, plan: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]) -> pa.Table:
        """Apply a plan to the kept rows where they are, and bring its result as Arrow.

        In PostgreSQL and on Spark the plan runs there, and only its result travels.
        """
        return plan(self.transactions).collect("pyarrow").to_native()

    def write_quarantine(self, folder: Path) -> Path | None:
        """Write `transactions.csv` into the folder, if any row is quarantined.

        It holds file (from the settings folder), row (1-based data row; header and blank lines are
        not counted), reason with the offending value, and the source's columns. Values are as they
        were, so that rows can be mended and read again.
        """
        if not self.counts.rows_quarantined:
            return None
        target = folder / "transactions.csv"
        write_quarantine(
            self._connection, self._source.columns, self._settings.folder.absolute(), target
        )
        return target

    def refuse_if_bad(self, max_bad_share: float, quarantine: Path | None = None) -> None:
        """Stop a run whose table is too bad to be learned from.

        Parameters
        ----------
        max_bad_share
            Largest bearable share of quarantined rows, 0 to 1.
        quarantine
            Where the rows were written, for the message.

        Raises
        ------
        DataError
            If the share is larger; the message has the reasons with their first rows.
        """
        counts = self.counts
        if counts.bad_share <= max_bad_share:
            return
        raise DataError(too_bad(counts, self.reasons, self._settings, max_bad_share, quarantine))

    def close(self) -> None:
        """Close the database and remove it."""
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


_KEPT = "fault IS NULL AND NOT filtered"


def read_ledger(
    settings: Settings, *, read_at: datetime, work_folder: Path | None = None
) -> Ledger:
    """Read the transactions, check every row and set aside those that break the contract.

    Parameters
    ----------
    settings
        Says where the files are and how their columns are read.
    read_at
        The moment of reading; without an offset it is on the ledger's clock. Rows later than a day
        after it are in the future.
    work_folder
        Where the temporary database is made; by default in the system's folder for such files.

    Returns
    -------
    Ledger
        To be closed; best used in a `with` statement. Rows past `max_bad_share` are not refused
        here but by `Ledger.refuse_if_bad`, so that the quarantine can be written before.

    Raises
    ------
    DataError
        If the table as a whole cannot be used: no file, no rows, a column missing, no row kept.
    SettingsError
        If `where`, `amount` or `date_format` cannot be used.
    """
    folder = Path(tempfile.mkdtemp(prefix="patronage-", dir=work_folder))
    try:
        connection = _connect(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        with _without_tracebacks():
            return _reader(settings)(
                settings, connection, folder, _latest(read_at, settings.ledger.timezone)
            )
    except BaseException:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        str(folder / "ledger.duckdb"),
        config={
            "temp_directory": str(folder / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET error_on_division_by_zero = false")
    return connection


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Turn what DuckDB refuses into one message."""
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"transactions cannot be read: {reason}") from error


def _reader(settings: Settings) -> Callable[..., Ledger]:
    """What reads the transactions, by the settings' source and engine."""
    if is_postgres(settings.transactions.source):
        from patronage.data.postgres_ledger import read_postgres

        return read_postgres
    return _read


def _read(
    settings: Settings, connection: duckdb.DuckDBPyConnection, folder: Path, latest: datetime
) -> Ledger:
    source = open_source(connection, settings.transactions, settings.folder, folder)
    columns = load(connection, source, settings, latest)
    if source.texts is not None:
        collect_rejected(connection, source.texts)
    collect_quarantine(connection, source.columns, rejected=source.texts is not None)
    found = reasons(connection, source.files, settings.folder.absolute())
    counts = _counts(connection, source, found)
    refuse_nothing_kept(counts, found, source, settings)
    first, last, customers = _one(
        connection,
        "SELECT CAST(min(timestamp) AS DATE), CAST(max(timestamp) AS DATE), "
        f"count(DISTINCT customer_id) FROM rows WHERE {_KEPT}",
    )
    return Ledger(
        counts=counts,
        reasons=found,
        files=source.files,
        first_day=first,
        last_day=last,
        n_customers=customers,
        digest=_digest(connection, columns),
        warnings=oddities(connection, _KEPT),
        columns=tuple(columns),
        _settings=settings,
        _source=source,
        _connection=connection,
        _folder=folder,
    )


def _latest(read_at: datetime, timezone: str) -> datetime:
    """The last moment that is not in the future, on the ledger's clock."""
    if read_at.tzinfo is not None:
        read_at = read_at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return read_at + timedelta(days=1)


def _counts(
    connection: duckdb.DuckDBPyConnection, source: Source, found: list[Reason]
) -> TableCounts:
    loaded, filtered, kept = _one(
        connection,
        f"SELECT count(*), count(*) FILTER (filtered), count(*) FILTER ({_KEPT}) FROM rows",
    )
    (lost,) = _one(connection, "SELECT coalesce(CAST(sum(lines) AS BIGINT), 0) FROM rejected")
    if source.format == "parquet" and loaded != (stored := parquet_rows(connection, source.files)):
        raise PatronageError(f"{loaded:,} rows were read of {stored:,} in {source.label}.")
    read = loaded + lost
    bad = sum(reason.rows for reason in found)
    by_reason = {reason.text: reason.rows for reason in found}
    copies = duplicates(connection, _KEPT)
    return TableCounts(read, filtered, read - filtered, kept, bad, by_reason, copies)


def _digest(connection: duckdb.DuckDBPyConnection, columns: list[str]) -> str:
    """A sum of MD5 per row: the same for any order and any split of the rows into files."""
    cells = ", ".join(f"coalesce(CAST({name} AS VARCHAR), chr(30))" for name in sorted(columns))
    row = f"concat_ws({literal(chr(31))}, {cells})"
    count, total = _one(
        connection, f"SELECT count(*), sum(md5_number_lower({row})) FROM rows WHERE {_KEPT}"
    )
    return hashlib.sha256(repr((sorted(columns), count, int(total))).encode()).hexdigest()


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    """The only row of a query."""
    return connection.execute(query).fetchall()[0]
