"""The files of a snapshot as one table: joined, texts that are numbers read as numbers."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_object_dtype, is_string_dtype

from patronage.data.columns import suggestion
from patronage.data.expressions import ExpressionReader
from patronage.data.source import Source, open_source
from patronage.data.values import (
    Reading,
    SourceColumn,
    finite,
    number_of,
    text_of,
    timestamp_of,
)
from patronage.errors import DataError
from patronage.snapshot_settings import SnapshotJoin, SnapshotSection
from patronage.table_settings import FileSection


def snapshot_table(
    section: SnapshotSection, *, folder: Path, source: str | list[str] | None = None
) -> pd.DataFrame:
    """All columns of the snapshot and its joins, under their own names, rows in order of the files.

    Numbers are float64, days datetime64, all else text; empty is missing.

    Parameters
    ----------
    source
        Files to read in place of the section's, with the same joins.

    Raises
    ------
    DataError
        If a file or column is missing, a record cannot be read, a join's key occurs twice in it, or
        a number is none.
    SettingsError
        If `where` is no condition.
    """
    asked = section if source is None else section.model_copy(update={"source": source})
    table = _read(asked, folder, times=_times(section))
    for join in section.joins:
        table = _joined(table, _read(join, folder), join)
    return _with_numbers(table, section)


def _times(section: SnapshotSection) -> Sequence[str]:
    return () if section.as_of is None else (section.as_of,)


def _read(section: FileSection, folder: Path, times: Sequence[str] = ()) -> pd.DataFrame:
    with TemporaryDirectory() as work, duckdb.connect() as connection:
        source = open_source(connection, section, folder, Path(work))
        reading = Reading(decimal=section.decimal, date_format=section.date_format)
        wanted = ", ".join(_value(column, reading, times) for column in source.columns)
        kept = _condition(section, source, reading)
        table: pd.DataFrame = connection.execute(f"SELECT {wanted} FROM ({source.scan}){kept}").df()
        _refuse_unread(connection, source)
    table.columns = pd.Index([column.name for column in source.columns])
    return table


def _value(column: SourceColumn, reading: Reading, times: Sequence[str]) -> str:
    if column.name in times:
        return f"date_trunc('day', {timestamp_of(column, reading)}) AS {column.key}"
    if column.kind in ("integer", "number", "float"):
        return f"{finite(number_of(column, reading))} AS {column.key}"
    if column.kind == "boolean":
        return f"CAST({column.key} AS DOUBLE) AS {column.key}"
    if column.kind in ("date", "time", "zoned"):
        return f"{timestamp_of(column, reading)} AS {column.key}"
    return f"{text_of(column)} AS {column.key}"


def _condition(section: FileSection, source: Source, reading: Reading) -> str:
    if section.where is None:
        return ""
    setting = f'[{section.table}] where = "{section.where}"'
    found = ExpressionReader(setting, source.columns, reading, ()).condition(section.where)
    return f" WHERE {found.sql}"


def _refuse_unread(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Records that are no rows of the header's shape."""
    if source.format != "csv":
        return
    count, line, text = connection.execute(
        "SELECT count(*), min(line), any_value(error_message) FROM reject_errors"
    ).fetchall()[0]
    if count:
        raise DataError(
            f"{source.label}: {count:,} records cannot be read, the first in line {line}: {text} "
            "Mend them, or leave them out of the file."
        )


def _joined(table: pd.DataFrame, other: pd.DataFrame, join: SnapshotJoin) -> pd.DataFrame:
    """With the columns of the other table that the first does not have."""
    keys = [join.on] if isinstance(join.on, str) else list(join.on)
    for key in keys:
        for columns in (table.columns, other.columns):
            if key not in columns:
                raise DataError(
                    f"[[snapshot.joins]] {join.source}: there is no column {key!r} to join by. "
                    f"{suggestion(key, columns)}"
                )
    twice = other.duplicated(keys)
    if twice.any():
        first = other.loc[twice, keys].iloc[0].tolist()
        raise DataError(
            f"[[snapshot.joins]] {join.source}: {int(twice.sum()):,} rows have a {', '.join(keys)} "
            f"seen before, first {first}. Join by more columns, or bring one row for each."
        )
    new = [name for name in other if name in keys or name not in table]
    left, right = (
        one.assign(**{key: _key(one[key]) for key in keys}) for one in (table, other[new])
    )
    joined = left.merge(right, on=keys, how="left")
    return joined.assign(**{key: table[key].to_numpy() for key in keys})


def _key(column: pd.Series) -> pd.Series:
    """As text, so that a code matches whether its table holds it as number or as text."""
    if not (is_object_dtype(column) or is_string_dtype(column)):
        return column.map(lambda value: None if pd.isna(value) else f"{value:g}").astype(object)
    return column.astype(object)


def _with_numbers(table: pd.DataFrame, section: SnapshotSection) -> pd.DataFrame:
    known = {*section.numbers, *section.texts}
    for name in sorted(known):
        if name not in table:
            raise DataError(f"[snapshot] has no column {name!r}. {suggestion(name, table.columns)}")
    return table.assign(**{str(name): _read_as(table[name], str(name), section) for name in table})


def _read_as(column: pd.Series, name: str, section: SnapshotSection) -> pd.Series:
    if name in section.texts:
        return column.map(_text).astype(object)
    if is_datetime64_any_dtype(column) or not (is_object_dtype(column) or is_string_dtype(column)):
        return column
    texts = column.astype(object).where(column.notna(), None)
    numbers = _numbers(texts, section)
    bad = numbers.isna() & texts.notna()
    if name in section.numbers and bad.any():
        raise DataError(
            f"[snapshot] numbers: {name} holds {int(bad.sum()):,} values that are no number, first "
            f"{texts[bad].iloc[0]!r} in row {int(np.argmax(bad)) + 1:,}."
        )
    codes = texts.dropna().str.match(r"[+-]?0\d").any()
    is_number = not bad.any() and texts.notna().any() and not codes
    return numbers if is_number or name in section.numbers else texts


def _numbers(texts: pd.Series, section: SnapshotSection) -> pd.Series:
    """Each distinct text read once, by the decimal mark of the settings."""
    distinct = pd.DataFrame({"c0": texts.dropna().unique().astype(str)})
    with duckdb.connect() as connection:
        connection.register("found", distinct)
        sql = finite(number_of(SourceColumn("c0", "c0"), Reading(decimal=section.decimal)))
        read = connection.execute(f"SELECT c0, {sql} AS number FROM found").df()
    return texts.map(dict(zip(read["c0"], read["number"], strict=True))).astype(float)


def _text(value: object) -> str | None:
    """A number that is a code loses the .0 that a column with gaps gives it."""
    if value is None or value is pd.NaT or value != value:
        return None
    return f"{value:.15g}" if isinstance(value, float) else str(value)
