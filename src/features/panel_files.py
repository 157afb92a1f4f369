"""The panel as files: a folder of Parquet for each cutoff, written in bounded memory."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from patronage.errors import DataError, SettingsError
from patronage.features.arrays import FloatArray, calendar_day
from patronage.features.catalogue import families_of
from patronage.features.customer_tables import CustomerTables, as_customer_tables
from patronage.features.family import Family
from patronage.features.grid import Grid
from patronage.features.labels import ChurnLabels
from patronage.features.own_tables import as_of_days
from patronage.features.panel import nobody, panel_grid
from patronage.features.panel_columns import customer_ids, panel_columns
from patronage.features.panel_schema import panel_schema, texts_of

GROUP_ROWS = 32_768


def write_panel(
    days: Any,
    folder: Path,
    *,
    cutoffs: Sequence[date],
    active_days: int | None = None,
    eligible_only: bool = False,
    labels: ChurnLabels | None = None,
    sample: float | int = 1.0,
    seed: int = 0,
    families: Sequence[Family] = (),
    chunk_customers: int = 5_000,
) -> dict[date, int]:
    """Write the rows of `build_panel` as `folder/as_of=YYYY-MM-DD/part-0.parquet`.

    The folder appears when it is complete. Readers that know the Hive layout (DuckDB, Polars,
    Arrow, Spark) see `as_of` as a column; `read_panel` gives a DataFrame. Memory holds one part of
    the customers, and for each cutoff the rows of one row group.

    Parameters
    ----------
    days
        As for `build_panel`; or an iterator, list or tuple of parts of it, in order of customer,
        such as `customer_table_parts` gives.
    folder
        Must not exist.
    cutoffs, active_days, eligible_only, chunk_customers
        As for `build_panel`.
    labels
        Adds a column for each horizon; null for who is not eligible, and where it is not known yet.
    sample, seed
        Of the customers, drawn by their id: a share, a float, or so many of them, an int, which
        needs them all in one part. See `drawn`.
    families
        Features that come after those of the tables, such as
        `patronage.models.value_features.value_features(...).family`.

    Returns
    -------
    dict
        Rows written for each cutoff that has any. In a file they are ordered by customer; columns
        are customer_id, eligible, the features, null where one is undefined, and the labels. Each
        field's metadata give family, unit, window, meaning and what null means.

    Raises
    ------
    DataError
        If no customer has a purchase before any cutoff, no label of a cutoff is known yet, or see
        `day_table`.
    SettingsError
        If the folder exists, or the sample cannot be drawn.
    """
    if folder.exists():
        raise SettingsError(f"{folder} exists. Remove it, or name another folder for the panel.")
    if labels is not None:
        labels.refuse_immature(cutoffs)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with ExitStack() as stack:
            files = _Files(
                partial, max(GROUP_ROWS, chunk_customers), families, labels, active_days, stack
            )
            for part in _parts(days, sample, seed):
                tables = as_of_days(part, cutoffs)
                for chunk in tables.chunks(chunk_customers):
                    grid = panel_grid(chunk, cutoffs, active_days, eligible_only and labels is None)
                    if eligible_only and labels is not None:
                        grid = grid.where(labels.eligible(grid, active_days))
                    files.add(grid)
            if not files.by_day:
                raise DataError(_nobody(tables, cutoffs, sample))
            files.flush()
        partial.replace(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return {calendar_day(day): file.n_rows for day, file in sorted(files.by_day.items())}


def _parts(days: Any, sample: float | int, seed: int) -> Iterator[CustomerTables]:
    in_parts = isinstance(days, Iterator | list | tuple)
    if in_parts and isinstance(sample, int):
        raise SettingsError(
            f"sample={sample} customers cannot be drawn of tables that come in parts. Give a share "
            "of them, such as 0.1."
        )
    parts: Iterable[Any] = days if in_parts else [days]
    return (as_customer_tables(part).sample(sample, seed=seed) for part in parts)


def _nobody(tables: CustomerTables, cutoffs: Sequence[date], sample: float | int) -> str:
    if len(tables.days):
        return nobody(tables.days, cutoffs)
    return f"sample={sample} has drawn none of the customers. Give a larger one."


class _Files:
    """The files of all cutoffs, each opened when its first row comes."""

    def __init__(
        self,
        folder: Path,
        capacity: int,
        families: Sequence[Family],
        labels: ChurnLabels | None,
        active_days: int | None,
        stack: ExitStack,
    ) -> None:
        self.by_day: dict[int, _CutoffFile] = {}
        self._folder, self._capacity, self._stack = folder, capacity, stack
        self._families, self._labels, self._active_days = families, labels, active_days

    def add(self, grid: Grid) -> None:
        """Compute the features of the grid, and give each cutoff its rows."""
        if not grid.as_of.size:
            return
        order = np.argsort(grid.as_of, kind="stable")
        grid = Grid(grid.tables, grid.customer[order], grid.as_of[order])
        days, starts = np.unique(grid.as_of, return_index=True)
        spans = [slice(*ends) for ends in pairwise([*starts, order.size])]
        ids, families = customer_ids(grid), (*families_of(grid.tables), *self._families)
        features = [one for family in families for one in family.features_of(grid.tables)]
        schema = panel_schema(ids.type, features, self._labels)
        files = [self._file(int(day), schema) for day in days]
        for file, span in zip(files, spans, strict=True):
            file.make_room(span.stop - span.start)
        columns = panel_columns(grid, ids, families, self._labels, self._active_days)
        for name, column in zip(schema.names, columns, strict=True):
            for file, span in zip(files, spans, strict=True):
                file.put(name, column[span])

    def flush(self) -> None:
        """Write what is still in memory."""
        for file in self.by_day.values():
            file.flush()

    def _file(self, day: int, schema: pa.Schema) -> "_CutoffFile":
        if day not in self.by_day:
            part = self._folder / f"as_of={calendar_day(day)}"
            part.mkdir(parents=True)
            writer = pq.ParquetWriter(
                part / "part-0.parquet",
                schema,
                compression="zstd",
                use_dictionary=texts_of(schema),
                write_statistics=["customer_id"],
            )
            self._stack.enter_context(writer)
            self.by_day[day] = _CutoffFile(writer, self._capacity)
        return self.by_day[day]


class _CutoffFile:
    """One file, and the rows of its next row group."""

    def __init__(self, writer: pq.ParquetWriter, capacity: int) -> None:
        self.n_rows = 0
        self._writer = writer
        numbers = [one.name for one in writer.schema if one.type == pa.float64()]
        self._place = {name: place for place, name in enumerate(numbers)}
        self._values = np.empty((len(numbers), capacity))
        self._others: dict[str, list[pa.Array]] = {}
        self._begin = self._end = 0

    def make_room(self, n_rows: int) -> None:
        """For the next rows, which are put in column by column."""
        if self._end + n_rows > self._values.shape[1]:
            self.flush()
        self._begin, self._end = self._end, self._end + n_rows

    def put(self, name: str, column: pa.Array | FloatArray) -> None:
        """One column of the rows there is room for."""
        if name in self._place:
            self._values[self._place[name], self._begin : self._end] = column
        else:
            self._others.setdefault(name, []).append(column)

    def flush(self) -> None:
        """Write a row group; what is NaN here is null there."""
        if not self._end:
            return
        columns = [self._column(name) for name in self._writer.schema.names]
        self._writer.write_table(pa.table(columns, schema=self._writer.schema))
        self.n_rows += self._end
        self._others, self._begin, self._end = {}, 0, 0

    def _column(self, name: str) -> pa.Array | pa.ChunkedArray:
        if name not in self._place:
            return pa.chunked_array(self._others[name])
        return pa.array(self._values[self._place[name], : self._end], from_pandas=True)
