"""One contract table, read, checked and counted, in its own schema of the ledger's database."""

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
from patronage.data.attributes import numeric_texts
from patronage.data.counts import TableCounts
from patronage.data.oddities import duplicates, oddities
from patronage.data.parquet_source import parquet_rows
from patronage.data.profile import TableProfile, profile
from patronage.data.quarantine import Reason, collect_quarantine, reasons, write_quarantine
from patronage.data.reading import KEPT, load, set_aside_repeats
from patronage.data.refusals import refuse_nothing_kept, too_bad
from patronage.data.rejected import collect_rejected
from patronage.data.source import Source, open_source
from patronage.data.typed_rows import Plan, plan
from patronage.data.values import quoted
from patronage.errors import DataError, PatronageError
from patronage.table_settings import CustomersSection, FileSection


@dataclass(frozen=True)
class CheckedTable:
    """A table of one run.

    Attributes
    ----------
    counts
        What became of its rows.
    reasons
        Why rows are quarantined, most frequent reason first.
    files
        That it was read from.
    digest
        Hash of the kept rows that does not depend on their order or files; 64 hex digits.
    warnings
        What may be right but should be looked at.
    profile
        What the kept rows hold.
    columns
        Contract columns and attributes that it has: name to the SQL that gives its value.
    """

    counts: TableCounts
    reasons: list[Reason]
    files: list[Path]
    digest: str
    warnings: list[str]
    profile: TableProfile
    columns: dict[str, str]
    section: FileSection
    source: Source
    plan: Plan
    settings_folder: Path
    connection: duckdb.DuckDBPyConnection

    @property
    def name(self) -> str:
        """That of the contract."""
        return self.section.table

    @property
    def sql(self) -> str:
        """SQL of the kept rows."""
        listed = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in self.columns.items())
        return f'SELECT {listed} FROM "{self.name}".rows WHERE {KEPT}'

    def rows(self, connection: duckdb.DuckDBPyConnection) -> nw.LazyFrame[Any]:
        """The kept rows; times are on the ledger's clock."""
        return nw.from_native(connection.sql(self.sql))

    def collect(
        self,
        plan: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any] | None],
        connection: duckdb.DuckDBPyConnection,
    ) -> pa.Table | None:
        """Apply a plan to the kept rows where they are, and bring its result as Arrow, if any."""
        result = plan(self.rows(connection))
        return None if result is None else result.collect("pyarrow").to_native()

    def close(self) -> None:
        """Let go of what the table holds."""
        self.connection.close()

    def write_quarantine(self, folder: Path) -> Path | None:
        """Write NAME.csv into the folder, if any row is quarantined.

        It holds file (from the settings folder), row (1-based data row; header and blank lines are
        not counted), reason with the offending value, and the source's columns. Values are as they
        were, so that rows can be mended and read again.
        """
        if not self.counts.rows_quarantined:
            return None
        target = folder / f"{self.name}.csv"
        write_quarantine(self.connection, self.source.columns, self.settings_folder, target)
        return target

    def refuse_if_bad(self, max_bad_share: float, quarantine: Path | None = None) -> None:
        """Stop a run whose table is too bad to be learned from.

        Raises
        ------
        DataError
            If a larger share of the rows than `max_bad_share` is quarantined, or than the table's
            own section allows; the message has the reasons with their first rows, and
            `quarantine`, the file they were written to.
        """
        own = self.section.max_bad_share
        most = max_bad_share if own is None else own
        if self.counts.bad_share > most:
            raise DataError(too_bad(self.counts, self.reasons, self.section, most, quarantine))


_IDS = f"CREATE TABLE ids AS SELECT DISTINCT customer_id FROM rows WHERE {KEPT}"


def read_table(
    connection: duckdb.DuckDBPyConnection,
    section: FileSection,
    settings: Settings,
    *,
    latest: datetime,
    work_folder: Path,
) -> CheckedTable:
    """Read a table into the current schema of `connection`, which must be the table's own.

    The transactions must be read first, into schema "transactions".

    Raises
    ------
    DataError
        If the table as a whole cannot be used.
    SettingsError
        If an expression or the date format of its section cannot be used.
    """
    ledger, folder = settings.ledger, settings.folder.absolute()
    source = open_source(connection, section, settings.folder, work_folder)
    planned = plan(section, source, timezone=ledger.timezone, currency=ledger.currency)
    load(connection, source, planned, latest=latest)
    set_aside_repeats(connection, planned, drop_duplicates=ledger.drop_duplicates)
    if source.texts is not None:
        collect_rejected(connection, source.texts)
    collect_quarantine(connection, source.columns, rejected=source.texts is not None)
    found = reasons(connection, source.files, folder)
    counts = _counts(connection, source, found, section.table)
    if section.table == "transactions":
        refuse_nothing_kept(counts, found, source, section)
        connection.execute(_IDS)
    columns, warnings = _columns(connection, planned)
    seen = profile(connection, planned, columns, kept=KEPT)
    odd = oddities(connection, KEPT, planned, seen, timezone=ledger.timezone)
    return CheckedTable(
        counts=counts,
        reasons=found,
        files=source.files,
        digest=_digest(connection, columns),
        warnings=[*warnings, *odd],
        profile=seen,
        columns=columns,
        section=section,
        source=source,
        plan=planned,
        settings_folder=folder,
        connection=connection,
    )


def _columns(
    connection: duckdb.DuckDBPyConnection, planned: Plan
) -> tuple[dict[str, str], list[str]]:
    """SQL of each column by the name it is shown under, and what to look at."""
    listed = {column.label: quoted(column.name) for column in planned.kept}
    if not isinstance(planned.section, CustomersSection):
        return listed, []
    attributes = [column for column in planned.kept if column.shown_as]
    numbers, warnings = numeric_texts(
        connection, attributes, planned.reading, kept=KEPT, section=planned.section
    )
    labels = {column.name: column.label for column in attributes}
    return listed | {labels[name]: sql for name, sql in numbers.items()}, warnings


def _counts(
    connection: duckdb.DuckDBPyConnection, source: Source, found: list[Reason], table: str
) -> TableCounts:
    loaded, filtered, kept, dropped = _one(
        connection,
        f"SELECT count(*), count(*) FILTER (filtered), count(*) FILTER ({KEPT}), "
        "count(*) FILTER (dropped) FROM rows",
    )
    (lost,) = _one(connection, "SELECT coalesce(CAST(sum(lines) AS BIGINT), 0) FROM rejected")
    if source.format == "parquet" and loaded != (stored := parquet_rows(connection, source.files)):
        raise PatronageError(f"{loaded:,} rows were read of {stored:,} in {source.label}.")
    read = loaded + lost
    return TableCounts(
        rows_read=read,
        rows_filtered=filtered,
        rows_in=read - filtered,
        rows_kept=kept,
        rows_quarantined=sum(reason.rows for reason in found),
        reasons={reason.text: reason.rows for reason in found},
        n_duplicates=duplicates(connection, KEPT),
        rows_dropped=dropped,
        table=table,
    )


def _digest(connection: duckdb.DuckDBPyConnection, columns: dict[str, str]) -> str:
    """Sums of two 64-bit hashes per row: the same for any order and split of the rows into files.

    A cryptographic hash of each row would take half of the time of reading it.
    """
    names = sorted(columns)
    values = [columns[name] for name in names]
    once = f"hash({', '.join(values)})"
    twice = f"hash({', '.join(reversed(values))}, 'twice')"
    found = _one(
        connection,
        "SELECT count(*), "
        + ", ".join(f"coalesce(sum(CAST({row} AS HUGEINT)), 0)" for row in (once, twice))
        + f" FROM rows WHERE {KEPT}",
    )
    return hashlib.sha256(repr((names, *map(int, found))).encode()).hexdigest()


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    """The only row of a query."""
    return connection.execute(query).fetchall()[0]
