"""The panel out of its files."""

import difflib
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from patronage.errors import DataError
from patronage.features.arrays import Places
from patronage.features.panel_schema import KEYS

PREFIX = "as_of="


def read_panel(
    folder: Path,
    *,
    columns: Sequence[str] | None = None,
    cutoffs: Collection[date] | None = None,
) -> pd.DataFrame:
    """What `write_panel` wrote, as `build_panel` gives it: ordered by customer, then cutoff.

    Parameters
    ----------
    folder
        That the panel was written to.
    columns
        Features and labels to read, in this order; all by default.
    cutoffs
        Only these; all by default.

    Returns
    -------
    DataFrame
        customer_id, as_of (datetime64[s]), eligible (bool), then features (float64, NaN where
        null; texts as categories, those that occur, sorted) and labels (Int8).

    Raises
    ------
    DataError
        If there is no panel, or it lacks a column or a cutoff.
    """
    files = _files(folder, cutoffs)
    schema = pq.read_schema(next(iter(files.values())))
    wanted = _wanted(schema, columns, folder)
    numbers = [name for name in wanted if schema.field(name).type == pa.float64()]
    others = [*KEYS, *(name for name in wanted if name not in numbers)]
    opened = [pq.ParquetFile(path) for path in files.values()]
    n_rows = [file.metadata.num_rows for file in opened]
    values = np.empty((len(numbers), sum(n_rows)))
    rest = pa.concat_tables(list(_filled(opened, numbers, others, values)))
    as_of = np.repeat(np.array(list(files), dtype="datetime64[s]"), n_rows)
    order = _by_customer(rest["customer_id"], as_of)
    for row in values:
        row[:] = row[order]
    rest = rest.take(pa.array(order))
    keys = pd.DataFrame(
        {
            "customer_id": rest["customer_id"].to_pandas(),
            "as_of": as_of[order],
            "eligible": rest["eligible"].to_pandas(),
        }
    )
    features = pd.DataFrame(values.T, columns=numbers, copy=False)
    found = pd.DataFrame({name: _column(rest[name]) for name in others[len(KEYS) :]})
    return pd.concat([keys, features, found], axis=1)[[*keys.columns, *wanted]]


def _files(folder: Path, cutoffs: Collection[date] | None) -> dict[date, Path]:
    """The file of each cutoff, ascending."""
    paths = sorted(folder.glob(f"{PREFIX}*/part-0.parquet"))
    found = {date.fromisoformat(path.parent.name.removeprefix(PREFIX)): path for path in paths}
    if not found:
        raise DataError(f"{folder} holds no panel. Write one: patronage panel --to {folder}")
    missing = sorted(str(day) for day in set(cutoffs or ()) - set(found))
    if missing:
        raise DataError(
            f"the panel in {folder} has no cutoff {', '.join(missing)}; it has "
            f"{', '.join(map(str, found))}."
        )
    return found if cutoffs is None else {day: found[day] for day in sorted(set(cutoffs))}


def _wanted(schema: pa.Schema, columns: Sequence[str] | None, folder: Path) -> list[str]:
    known = [name for name in schema.names if name not in KEYS]
    if columns is None:
        return known
    for name in columns:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {nearest[0]}?" if nearest else ""
            raise DataError(f"the panel in {folder} has no column {name}.{hint}")
    return list(columns)


def _filled(
    files: Sequence[pq.ParquetFile],
    numbers: Sequence[str],
    others: Sequence[str],
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> Iterator[pa.Table]:
    """Fill in the numbers row group by row group; give the other columns of each."""
    start = 0
    for file in files:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=[*others, *numbers])
            stop = start + table.num_rows
            for place, name in enumerate(numbers):
                values[place, start:stop] = pc.fill_null(table[name], np.nan).to_numpy()
            start = stop
            yield table.select(others)


def _by_customer(
    ids: pa.ChunkedArray, as_of: np.ndarray[tuple[int], np.dtype[np.datetime64]]
) -> Places:
    """Places of the rows in order of customer, then cutoff."""
    encoded = pc.dictionary_encode(ids.combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    rank = pc.rank(encoded.dictionary).to_numpy()[encoded.indices.to_numpy()]
    return np.lexsort((as_of, rank))


def _column(column: pa.ChunkedArray) -> object:
    if column.type == pa.string():
        texts = column.to_pandas()
        return pd.Categorical(
            texts, categories=pd.Index(sorted(texts.dropna().unique()), dtype="str")
        )
    if column.type == pa.int8():
        filled = pc.fill_null(column, 0).to_numpy()
        return pd.arrays.IntegerArray(filled, np.asarray(pc.is_null(column)))
    return column.to_pandas()
