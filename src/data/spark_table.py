"""Transactions on Spark: read, checked and collapsed there; days, counts and bad rows travel."""

import glob
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from patronage.config import Settings
from patronage.data.checked_table import CheckedTable
from patronage.data.money import currency_signs, signs
from patronage.data.oddities import isolated_day
from patronage.data.quarantine import Reason, reasons
from patronage.data.reading import checked_query
from patronage.data.refusals import refuse_nothing_kept
from patronage.data.remote_profile import remote_counts, remote_profile
from patronage.data.source import Source, open_source
from patronage.data.spark_session import arrow_only, cause, in_arrow, spark_errors, spark_session
from patronage.data.spark_tasks import CheckBatches, CheckFiles
from patronage.data.typed_rows import Plan, plan
from patronage.data.values import SourceColumn, kind_of
from patronage.errors import DataError, PatronageError, SettingsError
from patronage.sources import SPARK_TABLE, is_spark_table
from patronage.table_settings import FileSection

_KEPT = "fault IS NULL AND NOT filtered"
_TYPES = {"time": "timestamp_ntz", "number": "double", "flag": "double"}
_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
    "timestamp_ntz": "TIMESTAMP",
}
_FIXED = {
    "source_file": "string",
    "source_row": "bigint",
    "source_hash": "bigint",
    "filtered": "boolean",
    "fault": "string",
    "fault_value": "string",
    "lines": "bigint",
}


@dataclass(frozen=True)
class SparkTable(CheckedTable):
    """A checked table whose rows stay on Spark."""

    checked: Any
    """All rows, typed and checked, as a Spark frame that is kept on the executors' disks."""

    def rows(self, connection: duckdb.DuckDBPyConnection) -> nw.LazyFrame[Any]:
        """The kept rows, where they are."""
        kept: nw.LazyFrame[Any] = nw.from_native(self.checked.where(_KEPT).select(*self.columns))
        return kept

    def collect(
        self,
        plan: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any] | None],
        connection: duckdb.DuckDBPyConnection,
    ) -> pa.Table | None:
        """Apply a plan to the kept rows on Spark, and bring its result."""
        result = plan(self.rows(connection))
        return None if result is None else arrow_of(result.to_native())

    def close(self) -> None:
        """Free the executors' disks; the session stays."""
        self.checked.unpersist()
        super().close()


def arrow_of(frame: Any) -> pa.Table:
    """A Spark frame as an Arrow table.

    Raises
    ------
    DataError
        If a task fails; the message is that of its first cause.
    """
    try:
        with arrow_only():
            return frame.toArrow()
    except spark_errors() as error:
        raise DataError(f"transactions cannot be read on Spark: {cause(error)}") from error


def read_spark(
    connection: duckdb.DuckDBPyConnection,
    section: FileSection,
    settings: Settings,
    *,
    latest: datetime,
) -> SparkTable:
    """Check a table on Spark; the schema of `connection` keeps here what is quarantined.

    Raises
    ------
    DataError, SettingsError
        As `read_table`, or if Spark cannot be started or cannot read the source.
    """
    if settings.ledger.drop_duplicates:
        raise SettingsError(
            f"[ledger] drop_duplicates cannot be used with [{section.table}] on Spark; drop them "
            "where the source is written."
        )
    spark, folder = spark_session(settings.engine), settings.folder.absolute()
    source, planned, checked = _checked(spark, connection, section, settings, latest)
    checked = checked.persist(_on_disk())
    facts = _facts(checked, planned)
    found = _quarantine(connection, source, checked, folder, facts["bad"])
    counts = remote_counts(facts, found)
    refuse_nothing_kept(counts, found, source, section)
    customers = arrow_of(checked.where(_KEPT).select("customer_id").distinct())
    odd = (
        _last_day(checked),
        signs(facts["kept"], facts["negative"], facts["zero"]),
        currency_signs(connection),
    )
    return SparkTable(
        counts=counts,
        reasons=found,
        files=source.files,
        digest=_digest(planned, facts),
        warnings=[text for text in odd if text],
        profile=remote_profile(connection, facts, customers),
        columns={column.name: column.name for column in planned.kept},
        section=section,
        source=source,
        plan=planned,
        settings_folder=folder,
        connection=connection,
        checked=checked,
    )


def _on_disk() -> Any:
    from pyspark import StorageLevel

    return StorageLevel.DISK_ONLY


def _checked(
    spark: Any,
    connection: duckdb.DuckDBPyConnection,
    section: FileSection,
    settings: Settings,
    latest: datetime,
) -> tuple[Source, Plan, Any]:
    """The source, how its rows become those of the table, and the Spark frame of checked rows."""
    ledger = settings.ledger
    files = _csv_files(section, settings)
    if files is not None:
        source = open_source(connection, section, settings.folder, settings.folder)
        planned = plan(section, source, timezone=ledger.timezone, currency=ledger.currency)
        names = [str(file) for file in source.files]
        tasks = spark.createDataFrame([(name,) for name in names], "file string")
        function: Any = CheckFiles(
            section, ledger.timezone, ledger.currency, latest, _selected(source, planned)
        )
        frame = tasks.repartition(len(names))
        return source, planned, in_arrow(frame, function, _schema(source, planned))
    frame, files = _scan(spark, section, settings)
    source = _source(connection, frame, files)
    planned = plan(section, source, timezone=ledger.timezone, currency=ledger.currency)
    query = checked_query(connection, source, planned, latest=latest)
    function = CheckBatches(
        f"SELECT {_selected(source, planned)} FROM (SELECT *, 1 AS lines FROM ({query}))"
    )
    keyed = frame.toDF(*(column.key for column in source.columns), "source_file", "source_row")
    return source, planned, in_arrow(keyed, function, _schema(source, planned))


def _csv_files(section: FileSection, settings: Settings) -> list[Path] | None:
    """The files, if the source is CSV; Spark's own reader is for all else."""
    if is_spark_table(section.source):
        return None
    entries = [section.source] if isinstance(section.source, str) else section.source
    if any("://" in entry for entry in entries):
        return None
    paths = [str((settings.folder / entry).absolute()) for entry in entries]
    found = [Path(name) for path in paths for name in glob.glob(path, recursive=True)]
    return None if all(_is_parquet(file, section) for file in found) and found else found


def _is_parquet(file: Path, section: FileSection) -> bool:
    return section.format == "parquet" or file.is_dir() or file.suffix in (".parquet", ".pq")


def _scan(spark: Any, section: FileSection, settings: Settings) -> tuple[Any, list[Path]]:
    """The source as a Spark frame with source_file and source_row at its end, and its files."""
    from pyspark.sql import functions as F

    unknown = [F.lit(None).cast(kind) for kind in ("string", "bigint")]
    try:
        if is_spark_table(section.source):
            name = str(section.source).removeprefix(SPARK_TABLE)
            frame = spark.table(name)
            return frame.select("*", *unknown), [Path(name)]
        entries = [section.source] if isinstance(section.source, str) else section.source
        paths = [
            path if "://" in path else str(settings.folder.absolute() / path) for path in entries
        ]
        frame = spark.read.parquet(*paths)
        place = [F.col("_metadata.file_path"), F.col("_metadata.row_index") + 1]
        files = sorted(Path(str(_path(file))) for file in frame.inputFiles())
        return frame.select("*", *place), files
    except spark_errors() as error:
        raise DataError(
            f"[{section.table}] source = {section.source!r} cannot be read on Spark: {cause(error)}"
        ) from error


def _source(connection: duckdb.DuckDBPyConnection, frame: Any, files: list[Path]) -> Source:
    """The columns of a Spark frame, and an empty table `batch` with what its batches will hold."""
    names = frame.columns[:-2]
    keys = [f"c{place}" for place in range(len(names))]
    empty = arrow_of(frame.toDF(*keys, "source_file", "source_row").limit(0))
    connection.register("arrow_batch", empty)
    connection.execute("CREATE TABLE batch AS SELECT * FROM arrow_batch")
    connection.unregister("arrow_batch")
    types = connection.execute("DESCRIBE batch").fetchall()
    columns = [
        SourceColumn(name, key, kind_of(row[1]))
        for name, key, row in zip(names, keys, types[:-2], strict=True)
    ]
    return Source(files, "spark", columns, "SELECT * FROM batch")


def _selected(source: Source, planned: Plan) -> str:
    """SQL list of what leaves a task, with the very types that Spark is told."""
    hashed = "source_hash % 9223372036854775807"
    return ", ".join(
        f"CAST({hashed if name == 'source_hash' else name} AS {_DUCKDB_TYPES[kind]}) AS {name}"
        for name, kind in _columns(source, planned).items()
    )


def _schema(source: Source, planned: Plan) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in _columns(source, planned).items())


def _columns(source: Source, planned: Plan) -> dict[str, str]:
    return {
        **_FIXED,
        **{column.key: "string" for column in source.columns},
        **{column.name: _TYPES.get(column.kind, "string") for column in planned.present},
    }


def _facts(checked: Any, planned: Plan) -> dict[str, Any]:
    """Counts of all rows, and of the kept ones the days, customers and sums of hashes."""
    cells = ", ".join(f"`{column.name}`" for column in planned.kept)
    found = checked.selectExpr(
        "sum(lines) AS read",
        "count_if(filtered) AS filtered",
        f"count_if({_KEPT}) AS kept",
        "coalesce(sum(lines) FILTER (WHERE fault IS NOT NULL), 0) AS bad",
        f"CAST(min(timestamp) FILTER (WHERE {_KEPT}) AS date) AS first_day",
        f"CAST(max(timestamp) FILTER (WHERE {_KEPT}) AS date) AS last_day",
        f"count_if({_KEPT} AND amount < 0) AS negative",
        f"count_if({_KEPT} AND amount = 0) AS zero",
        f"count(DISTINCT source_hash) FILTER (WHERE {_KEPT}) AS different",
        *(
            f"CAST(sum(CAST(xxhash64({cells}, {seed}) AS decimal(38, 0))) FILTER (WHERE {_KEPT}) "
            f"AS string) AS hash_{seed}"
            for seed in (0, 1)
        ),
    )
    return dict(arrow_of(found).to_pylist()[0])


def _quarantine(
    connection: duckdb.DuckDBPyConnection, source: Source, checked: Any, folder: Path, n_bad: int
) -> list[Reason]:
    """Bring the bad rows."""
    keys = [column.key for column in source.columns]
    fixed = ["source_file", "source_row", "fault", "fault_value", "lines"]
    brought = arrow_of(checked.where("fault IS NOT NULL").select(*fixed, *keys))
    lost = n_bad - (pc.sum(brought["lines"]).as_py() or 0)
    if lost:
        raise PatronageError(f"{lost:,} of {n_bad:,} bad rows of {source.label} did not come.")
    files = pa.array([_path(name) or source.label for name in brought["source_file"].to_pylist()])
    brought = brought.set_column(0, "source_file", files.cast(pa.string()))
    connection.register("brought", brought)
    connection.execute("CREATE TABLE quarantined AS SELECT * FROM brought")
    connection.unregister("brought")
    return reasons(connection, source.files, folder)


def _path(address: str | None) -> str | None:
    """A file's path; Spark says file:/a%20b.parquet of one on this machine."""
    if address is None or not address.startswith("file:"):
        return address
    return "/" + unquote(address.removeprefix("file:")).lstrip("/")


def _digest(planned: Plan, facts: dict[str, Any]) -> str:
    """The same for any order of the rows; not that of the same rows read by DuckDB."""
    names = [column.name for column in planned.kept]
    parts = (names, facts["kept"], facts["hash_0"], facts["hash_1"])
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _last_day(checked: Any) -> str | None:
    days = checked.where(_KEPT).groupBy(checked["timestamp"].cast("date").alias("day")).count()
    last = arrow_of(days.orderBy("day", ascending=False).limit(2)).to_pylist()
    return isolated_day([(row["day"], row["count"]) for row in last])
