"""What a task of `spark_panel` does: the panel of the customers of one partition."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patronage.features.arrays import day_number
from patronage.features.catalogue import families_of
from patronage.features.collect import day_table
from patronage.features.customer_tables import CustomerTables, EndKnown, TableName
from patronage.features.day_table import DayTable
from patronage.features.family import Family
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.labels import ChurnLabels
from patronage.features.own_expressions import expression_records
from patronage.features.own_feature import OwnFeature
from patronage.features.panel import panel_grid
from patronage.features.panel_columns import customer_ids, panel_columns
from patronage.features.panel_schema import panel_schema
from patronage.features.records import read_records
from patronage.features.seen import TIMES

BATCH_CUSTOMERS = 5_000
DAYS, TAG = "days", "of_table"


@dataclass(frozen=True, kw_only=True)
class PanelTask:
    """Builds the panel of the customers of one partition.

    Features of the user's own go to the executors inside it, as their code: what they import must
    be installed there.
    """

    cutoffs: tuple[date, ...]
    tables: tuple[TableName, ...]
    active_days: int | None
    eligible_only: bool
    end_known: EndKnown
    first_day: int
    last_day: int
    own: tuple[OwnFeature, ...] = ()
    expressions: tuple[str, ...] = ()
    """Names under which the values of own expressions come."""
    labels: ChurnLabels | None = None
    families: tuple[Family, ...] = ()

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The panel's rows, for so many customers at a time."""
        held = [batch for batch in batches if batch.num_rows]
        tables = self._customer_tables(pa.Table.from_batches(held)) if held else None
        for chunk in tables.chunks(BATCH_CUSTOMERS) if tables else ():
            grid = panel_grid(chunk, self.cutoffs, self.active_days, self.eligible_only)
            if grid.as_of.size:
                yield from self._panel(grid).to_batches()

    def _customer_tables(self, rows: pa.Table) -> CustomerTables | None:
        """The tables of the partition's customers; None if none of them ever bought."""
        days = _part(rows, DAYS)
        if not pc.any(pc.greater(days["purchases"], 0)).as_py():
            return None
        table = replace(day_table(days), first_day=self.first_day, last_day=self.last_day)
        tables = self.with_records(table, {name: _part(rows, name) for name in self.tables})
        if not self.expressions:
            return tables
        values = [_part(rows, name) for name in self.expressions]
        return replace(
            tables,
            expressions=expression_records(values, table.customer_ids),
            computed_for=frozenset(map(day_number, self.cutoffs)),
            computed=frozenset(one.name for one in self.own if one.table is not None),
        )

    def with_records(self, days: DayTable, parts: Mapping[TableName, pa.Table]) -> CustomerTables:
        """Customer days with the rows of the optional tables, and the user's own features."""
        found: dict[str, Any] = {}
        for name, part in parts.items():
            time = _time(name, part)
            found[name] = read_records(part, days.customer_ids, time=time, table=name)
        return CustomerTables(days, **found, end_known=self.end_known, own=self.own)

    def families_of(self, tables: CustomerTables) -> tuple[Family, ...]:
        """All families, in the order of their columns."""
        return (*families_of(tables), *self.families)

    def features_of(self, tables: CustomerTables) -> list[Feature]:
        """All features, in the order of their columns."""
        return [one for family in self.families_of(tables) for one in family.features_of(tables)]

    def _panel(self, grid: Grid) -> pa.Table:
        ids, families = customer_ids(grid).cast(pa.string()), self.families_of(grid.tables)
        schema = panel_schema(ids.type, self.features_of(grid.tables), self.labels)
        columns = panel_columns(grid, ids, families, self.labels, self.active_days)
        table = pa.table(list(map(_arrow, columns)), schema=schema)
        as_of = pa.array(grid.as_of, pa.int32()).cast(pa.date32())
        return table.add_column(1, "as_of", as_of).replace_schema_metadata(None)


def _arrow(column: Any) -> pa.Array:
    """What is NaN here is null there."""
    return pa.array(column, from_pandas=True) if isinstance(column, np.ndarray) else column


def _part(rows: pa.Table, name: str) -> pa.Table:
    """The rows of one table, with its own columns."""
    own = [column for column in rows.column_names if column.startswith(f"{name}:")]
    part = rows.filter(pc.equal(rows[TAG], name)).select(["customer_id", *own])
    return part.rename_columns(["customer_id", *(column[len(name) + 1 :] for column in own)])


def _time(name: TableName, part: pa.Table) -> str | None:
    """The column that says from when on a row is known."""
    usual = {**TIMES, "categories": "day", "channels": "day"}.get(name, "valid_from")
    return usual if usual in part.column_names else None
