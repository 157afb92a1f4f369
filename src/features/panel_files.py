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
from patronage.features.catalogue import families_of, features_of
from patronage.features.customer_tables import CustomerTables, as_customer_tables
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.lines import Flags
from patronage.features.own_tables import as_of_days
from patronage.features.panel import feature_columns, nobody, panel_grid
from patronage.features.records import Texts

GROUP_ROWS = 32_768


def write_panel(
    days: Any,
    folder: Path,
    *,
    cutoffs: Sequence[date],
    active_days: int | None = None,
    eligible_only: bool = False,
    chunk_customers: int = 5_000,
) -> dict[date, int]:
    """Write the rows of `build_panel` as `folder/as_of=YYYY-MM-DD/part-0.parquet`.

    The folder appears when it is complete. Readers that know the Hive layout (DuckDB, Polars,
    Arrow, Spark) see `as_of` as a column. Memory holds one part of the customers, and for each
    cutoff the rows of one row group.

    Parameters
    ----------
    days
        As for `build_panel`; or an iterator, list or tuple of parts of it, in order of customer,
        such as `collapse_parts` gives.
    folder
        Must not exist.
    cutoffs, active_days, eligible_only, chunk_customers
        As for `build_panel`.

    Returns
    -------
    dict
        Rows written for each cutoff that has any. In a file they are ordered by customer; columns
        are customer_id, eligible and the features, null where one is undefined.

    Raises
    ------
    DataError
        If no customer has a purchase before any cutoff, or see `day_table`.
    SettingsError
        If the folder exists.
    """
    if folder.exists():
        raise SettingsError(f"{folder} exists. Remove it, or name another folder for the panel.")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with ExitStack() as stack:
            files = _Files(partial, max(GROUP_ROWS, chunk_customers), stack)
            for part in _parts(days):
                tables = as_of_days(part, cutoffs)
                for chunk in tables.chunks(chunk_customers):
                    files.add(panel_grid(chunk, cutoffs, active_days, eligible_only), active_days)
            if not files.by_day:
                raise DataError(nobody(tables.days, cutoffs))
            files.flush()
        partial.replace(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return {calendar_day(day): file.n_rows for day, file in sorted(files.by_day.items())}


def _parts(days: Any) -> Iterator[CustomerTables]:
    parts: Iterable[Any] = days if isinstance(days, Iterator | list | tuple) else [days]
    return map(as_customer_tables, parts)


class _Files:
    """The files of all cutoffs, each opened when its first row comes."""

    def __init__(self, folder: Path, capacity: int, stack: ExitStack) -> None:
        self.by_day: dict[int, _CutoffFile] = {}
        self._folder, self._capacity, self._stack = folder, capacity, stack

    def add(self, grid: Grid, active_days: int | None) -> None:
        """Compute the features of the grid, and give each cutoff its rows."""
        order = np.argsort(grid.as_of, kind="stable")
        grid = Grid(grid.tables, grid.customer[order], grid.as_of[order])
        days, starts = np.unique(grid.as_of, return_index=True)
        spans = [slice(*ends) for ends in pairwise([*starts, order.size])]
        families = families_of(grid.tables)
        features = features_of(grid.tables)
        ids = pa.array(grid.table.customer_ids).take(pa.array(grid.customer))
        eligible = grid.bought_within(active_days)
        rows = [
            self._file(int(day), ids.type, features).rows(ids[span], eligible[span])
            for day, span in zip(days, spans, strict=True)
        ]
        for place, (_, column) in enumerate(feature_columns(grid, families)):
            for target, span in zip(rows, spans, strict=True):
                target.fill(place, column, span)

    def flush(self) -> None:
        """Write what is still in memory."""
        for file in self.by_day.values():
            file.flush()

    def _file(self, day: int, id_type: pa.DataType, features: Sequence[Feature]) -> "_CutoffFile":
        if day not in self.by_day:
            part = self._folder / f"as_of={calendar_day(day)}"
            part.mkdir(parents=True)
            keys = [("customer_id", id_type), ("eligible", pa.bool_())]
            writer = pq.ParquetWriter(
                part / "part-0.parquet",
                pa.schema([*keys, *((feature.name, _type(feature)) for feature in features)]),
                compression="zstd",
                use_dictionary=False,
                write_statistics=["customer_id"],
            )
            self._stack.enter_context(writer)
            self.by_day[day] = _CutoffFile(writer, len(features), self._capacity)
        return self.by_day[day]


def _type(feature: Feature) -> pa.DataType:
    return pa.string() if feature.unit == "text" else pa.float64()


class _CutoffFile:
    """One file, and the rows of its next row group."""

    def __init__(self, writer: pq.ParquetWriter, n_features: int, capacity: int) -> None:
        self.n_rows = 0
        self._writer = writer
        self._values = np.empty((n_features, capacity))
        self._texts: dict[int, list[pa.Array]] = {}
        self._ids: list[pa.Array] = []
        self._eligible: list[Flags] = []
        self._begin = self._end = 0

    def rows(self, ids: pa.Array, eligible: Flags) -> "_CutoffFile":
        """Make room for rows, whose features are then filled in."""
        if self._end + len(ids) > self._values.shape[1]:
            self.flush()
        self._begin, self._end = self._end, self._end + len(ids)
        self._ids.append(ids)
        self._eligible.append(eligible)
        return self

    def fill(self, place: int, column: FloatArray | Texts, span: slice) -> None:
        """A feature of the newest rows."""
        if isinstance(column, Texts):
            codes = column.codes[span]
            values = pa.array(column.values, pa.string())
            self._texts.setdefault(place, []).append(values.take(pa.array(codes, mask=codes < 0)))
        else:
            self._values[place, self._begin : self._end] = column[span]

    def flush(self) -> None:
        """Write a row group; what is NaN here is null there."""
        columns = [
            pa.chunked_array(self._ids),
            pa.array(np.concatenate(self._eligible)),
            *(self._column(place) for place in range(len(self._values))),
        ]
        self._writer.write_table(pa.table(columns, schema=self._writer.schema))
        self.n_rows += self._end
        self._ids, self._eligible, self._texts = [], [], {}
        self._begin = self._end = 0

    def _column(self, place: int) -> pa.Array | pa.ChunkedArray:
        if place in self._texts:
            return pa.chunked_array(self._texts[place])
        return pa.array(self._values[place, : self._end], from_pandas=True)
