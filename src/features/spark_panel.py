"""The panel on a Spark cluster: the same kernels, over the customers of one partition at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from patronage.data.spark_session import in_arrow
from patronage.data.spark_table import arrow_of
from patronage.errors import DataError
from patronage.features.arrays import day_number
from patronage.features.catalogue import features_of
from patronage.features.collect import day_table
from patronage.features.customer_tables import CustomerTables, EndKnown, TableName
from patronage.features.day_table import DayTable
from patronage.features.grid import Grid
from patronage.features.panel import build_panel
from patronage.features.records import read_records
from patronage.features.seen import TIMES

BATCH_CUSTOMERS = 5_000
_DAYS = "days"
_TAG = "of_table"


def spark_panel(
    days: Any,
    *,
    cutoffs: Sequence[date],
    tables: Mapping[TableName, Any] | None = None,
    active_days: int | None = None,
    eligible_only: bool = False,
    end_known: EndKnown = "at_end",
    partitions: int | None = None,
) -> Any:
    """Every feature of every customer at every cutoff, as a Spark frame; see `build_panel`.

    Rows are hashed by customer into partitions; each task holds the rows of its customers, orders
    them and computes a batch of customers at a time. Only the first and the last day of the data
    come to the driver. Write it: `spark_panel(...).write.partitionBy("as_of").parquet(folder)`.

    Parameters
    ----------
    days
        The output of `customer_days` on a Spark frame.
    cutoffs, active_days, eligible_only
        As for `build_panel`.
    tables
        Optional tables as Spark frames, by the names that `CustomerTables` has for them.
    end_known
        As for `customer_tables`.
    partitions
        Number of tasks; by default `spark.sql.shuffle.partitions`.

    Returns
    -------
    pyspark.sql.DataFrame
        customer_id, as_of (date), eligible, and the features as double, or as string where their
        unit is "text"; null where undefined.

    Raises
    ------
    DataError
        If there is no customer day.
    """
    frames: list[tuple[str, Any]] = [(_DAYS, days), *(tables or {}).items()]
    native = {name: nw.to_native(frame, pass_through=True) for name, frame in frames}
    first, last = _extent(native[_DAYS])
    task = PanelTask(
        cutoffs=tuple(cutoffs),
        tables=tuple(tables or {}),
        active_days=active_days,
        eligible_only=eligible_only,
        end_known=end_known,
        first_day=first,
        last_day=last,
    )
    by_customer = (partitions, "customer_id") if partitions else ("customer_id",)
    rows = _together(native).repartition(*by_customer)
    return in_arrow(rows, task, _schema(task, native))


def _extent(days: Any) -> tuple[int, int]:
    """First and last day of all data: history begins there for every customer."""
    [found] = arrow_of(days.selectExpr("min(day) AS first", "max(day) AS last")).to_pylist()
    if found["first"] is None:
        raise DataError("there is no customer day: no transaction was kept.")
    return day_number(found["first"]), day_number(found["last"])


def _together(frames: Mapping[str, Any]) -> Any:
    """All tables in one frame, so that one shuffle brings a customer's rows to the same task."""
    from pyspark.sql import functions as F

    tagged = [
        frame.select(
            "customer_id",
            F.lit(name).alias(_TAG),
            *(
                F.col(f"`{column}`").alias(f"{name}:{column}")
                for column in frame.columns
                if column != "customer_id"
            ),
        )
        for name, frame in frames.items()
    ]
    together = tagged[0]
    for frame in tagged[1:]:
        together = together.unionByName(frame, allowMissingColumns=True)
    return together


def _schema(task: "PanelTask", frames: Mapping[str, Any]) -> str:
    """Columns of the panel; some hang on those of the user's tables, so empty ones are asked."""
    empty = {name: arrow_of(frames[name].limit(0)) for name in task.tables}
    tables = task.with_records(_NOBODY, empty)
    keys = ("customer_id string", "as_of date", "eligible boolean")
    types = (
        (one.name, "string" if one.unit == "text" else "double") for one in features_of(tables)
    )
    return ", ".join((*keys, *(f"`{name}` {kind}" for name, kind in types)))


_NOBODY = DayTable(
    customer_ids=pd.Index([], dtype="str"),
    offsets=np.zeros(1, np.int64),
    day=np.zeros(0, np.int32),
    measures={},
    first_day=0,
    last_day=0,
)


@dataclass(frozen=True)
class PanelTask:
    """Builds the panel of the customers of one partition."""

    cutoffs: tuple[date, ...]
    tables: tuple[TableName, ...]
    active_days: int | None
    eligible_only: bool
    end_known: EndKnown
    first_day: int
    last_day: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The panel's rows, for so many customers at a time."""
        held = [batch for batch in batches if batch.num_rows]
        tables = self._customer_tables(pa.Table.from_batches(held)) if held else None
        for chunk in tables.chunks(BATCH_CUSTOMERS) if tables else ():
            if self._has_rows(chunk):
                yield from self._panel(chunk)

    def _customer_tables(self, rows: pa.Table) -> CustomerTables | None:
        """The tables of the partition's customers; None if none of them ever bought."""
        days = _part(rows, _DAYS)
        if not pc.any(pc.greater(days["purchases"], 0)).as_py():
            return None
        table = replace(day_table(days), first_day=self.first_day, last_day=self.last_day)
        return self.with_records(table, {name: _part(rows, name) for name in self.tables})

    def with_records(self, days: DayTable, parts: Mapping[TableName, pa.Table]) -> CustomerTables:
        """Customer days with the rows of the optional tables."""
        found: dict[str, Any] = {}
        for name, part in parts.items():
            time = _time(name, part)
            found[name] = read_records(part, days.customer_ids, time=time, table=name)
        return CustomerTables(days, **found, end_known=self.end_known)

    def _has_rows(self, chunk: CustomerTables) -> bool:
        grid = Grid.of(chunk, self.cutoffs)
        if self.eligible_only:
            return bool(grid.bought_within(self.active_days).any())
        return grid.as_of.size > 0

    def _panel(self, chunk: CustomerTables) -> Iterator[pa.RecordBatch]:
        panel = build_panel(
            chunk,
            cutoffs=self.cutoffs,
            active_days=self.active_days,
            eligible_only=self.eligible_only,
        )
        dated = panel.assign(as_of=panel["as_of"].dt.date)
        for name in panel.select_dtypes("category").columns:
            dated[name] = panel[name].astype("str")
        arrow = pa.Table.from_pandas(dated, preserve_index=False)
        yield from arrow.replace_schema_metadata(None).to_batches()


def _part(rows: pa.Table, name: str) -> pa.Table:
    """The rows of one table, with its own columns."""
    own = [column for column in rows.column_names if column.startswith(f"{name}:")]
    part = rows.filter(pc.equal(rows[_TAG], name)).select(["customer_id", *own])
    return part.rename_columns(["customer_id", *(column[len(name) + 1 :] for column in own)])


def _time(name: TableName, part: pa.Table) -> str | None:
    """The column that says from when on a row is known."""
    usual = {**TIMES, "categories": "day", "channels": "day"}.get(name, "valid_from")
    return usual if usual in part.column_names else None
