"""Parquet files: their columns, and the scan that keeps each value's own type."""

import glob
from pathlib import Path

import duckdb

from patronage.data.csv_source import header_difference
from patronage.data.values import SourceColumn, kind_of, literal
from patronage.errors import DataError


def parquet_columns(
    connection: duckdb.DuckDBPyConnection, files: list[Path], table: str
) -> list[SourceColumn]:
    """The columns of all files of a table, with the types that hold the values of each.

    Raises
    ------
    DataError
        If a file is no readable Parquet file, or two files differ in the names of their columns.
    """
    names = [_names(connection, file) for file in files]
    for file, other in zip(files, names, strict=True):
        if sorted(other) != sorted(names[0]):
            raise DataError(header_difference(files[0], names[0], file, other, table))
    described = connection.execute(f"DESCRIBE SELECT * FROM {_reader(files)}").fetchall()
    return [
        SourceColumn(name, f"c{place}", kind_of(row[1]), row[1])
        for place, (name, row) in enumerate(zip(names[0], described, strict=True))
    ]


def parquet_scan(files: list[Path], columns: list[SourceColumn]) -> str:
    """SQL that reads all columns, each row with its file and place in it."""
    keys = ", ".join(column.key for column in columns)
    reader = _reader(files, "file_row_number = true", "filename = true")
    return (
        f"SELECT {keys}, source_file, source_row + 1 AS source_row "
        f"FROM {reader} AS source({keys}, source_row, source_file)"
    )


def parquet_rows(connection: duckdb.DuckDBPyConnection, files: list[Path]) -> int:
    """Rows that the files' own footers promise."""
    rows = connection.execute(
        f"SELECT CAST(sum(num_rows) AS BIGINT) FROM parquet_file_metadata([{_paths(files)}])"
    ).fetchone()
    return int(rows[0]) if rows else 0


def _names(connection: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    """The file's top-level columns, as written; DuckDB would rename those that differ in case."""
    try:
        nodes = connection.execute(
            f"SELECT name, num_children FROM parquet_schema({_paths([file])})"
        ).fetchall()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{file} is no readable Parquet file: {reason}") from error
    names, skip = [], 0
    for name, children in nodes[1:]:
        if skip == 0:
            names.append(str(name))
        skip = max(skip - 1, 0) + (children or 0)
    return names


def _paths(files: list[Path]) -> str:
    return ", ".join(literal(glob.escape(str(file))) for file in files)


def _reader(files: list[Path], *options: str) -> str:
    # DuckDB 2.0 trusts Parquet statistics to hold no NaN unless told that they may.
    fixed = ("can_have_nan = true", "union_by_name = true", "hive_partitioning = false")
    return f"read_parquet([{_paths(files)}], {', '.join(fixed + options)})"
