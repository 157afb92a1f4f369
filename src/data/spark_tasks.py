"""What Spark's tasks do with rows: type and check them by the SQL that DuckDB has for it."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from patronage.data.quarantine import collect_quarantine
from patronage.data.reading import load
from patronage.data.rejected import collect_rejected
from patronage.data.source import open_source
from patronage.data.typed_rows import plan
from patronage.table_settings import FileSection


def connected(folder: str | None = None) -> duckdb.DuckDBPyConnection:
    """A database of one thread, in memory or in a folder: Spark has a task for each core."""
    connection = duckdb.connect(f"{folder}/task.duckdb" if folder else ":memory:")
    connection.execute("SET threads = 1")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET error_on_division_by_zero = false")
    return connection


def _batches(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    found: pa.Table = connection.sql(query).to_arrow_table()
    yield from found.to_batches()


@dataclass(frozen=True)
class CheckBatches:
    """Runs a query over each Arrow batch, which it sees as table `batch`."""

    query: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The checked rows of each batch."""
        with connected() as connection:
            for batch in batches:
                connection.register("batch", pa.Table.from_batches([batch]))
                yield from _batches(connection, self.query)


@dataclass(frozen=True)
class CheckFiles:
    """Reads and checks the CSV files whose names come, one file at a time.

    Quotes, encodings and lines of another shape are DuckDB's reader's to judge, here as elsewhere.
    """

    section: FileSection
    timezone: str
    currency: str
    latest: datetime
    selected: str
    """SQL list of the columns that leave the task."""

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The checked rows of each file, with the lines that are no rows."""
        for batch in batches:
            for file in batch.column(0).to_pylist():
                yield from self._checked(Path(file))

    def _checked(self, file: Path) -> Iterator[pa.RecordBatch]:
        section = self.section.model_copy(update={"source": str(file), "format": "csv"})
        with (
            tempfile.TemporaryDirectory(prefix="patronage-task-") as folder,
            connected(folder) as connection,
        ):
            source = open_source(connection, section, file.parent, Path(folder))
            planned = plan(section, source, timezone=self.timezone, currency=self.currency)
            load(connection, source, planned, latest=self.latest)
            assert source.texts is not None
            collect_rejected(connection, source.texts)
            collect_quarantine(connection, source.columns, rejected=True)
            query = (
                f"SELECT {self.selected} FROM (SELECT *, 1 AS lines FROM rows WHERE fault IS NULL "
                "UNION ALL BY NAME SELECT *, FALSE AS filtered FROM quarantined)"
            )
            yield from _batches(connection, query)
