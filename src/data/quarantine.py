"""Rows that break the contract, with file, row and reason."""

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from patronage.data.values import SourceColumn, literal

# A CSV record's place: its place among the records read, plus the lines rejected before it.
_VIEW = """
CREATE TABLE quarantined AS
WITH starts AS (
    SELECT source_file, min(rowid) - 1 AS before FROM rows GROUP BY source_file
), shifts AS (
    SELECT source_file, good_before, max(lines_so_far) AS lines
    FROM rejected GROUP BY source_file, good_before
), faulty AS (
    SELECT rows.*, rows.rowid - starts.before AS place
    FROM rows JOIN starts USING (source_file) WHERE rows.fault IS NOT NULL
)
SELECT f.source_file, coalesce(f.source_row, f.place + coalesce(shifts.lines, 0)) AS source_row,
    f.fault, f.fault_value, 1 AS lines, {keys}
FROM faulty f ASOF LEFT JOIN shifts
    ON f.source_file = shifts.source_file AND f.place > shifts.good_before
UNION ALL BY NAME
SELECT source_file, source_row, fault, fault_value, lines FROM rejected
"""
_NO_REJECTED = """
CREATE TABLE rejected (source_file VARCHAR, good_before BIGINT, lines_so_far BIGINT,
    source_row BIGINT, lines BIGINT, fault VARCHAR, fault_value VARCHAR)
"""


@dataclass(frozen=True)
class Reason:
    """A reason for quarantine: how often, and where first."""

    text: str
    rows: int
    file: str
    row: int
    """1-based data row: the header and blank lines are not counted."""
    example: str | None
    """The offending value of the first row."""


def collect_quarantine(
    connection: duckdb.DuckDBPyConnection, columns: list[SourceColumn], *, rejected: bool
) -> None:
    """Fill table `quarantined` from tables `rows` and, where there is one, `rejected`."""
    if not rejected:
        connection.execute(_NO_REJECTED)
    keys = ", ".join(f"CAST(f.{column.key} AS VARCHAR) AS {column.key}" for column in columns)
    connection.execute(_VIEW.format(keys=keys))


def reasons(connection: duckdb.DuckDBPyConnection, files: list[Path], folder: Path) -> list[Reason]:
    """All reasons, most frequent first."""
    order = ", ".join(literal(str(file)) for file in files)
    found = connection.execute(
        f"""SELECT fault, CAST(sum(lines) AS BIGINT),
            arg_min((source_file, source_row, fault_value),
                (list_position([{order}], source_file), source_row)) AS first
        FROM quarantined GROUP BY fault ORDER BY sum(lines) DESC, fault"""
    ).fetchall()
    return [
        Reason(text, rows, relative(first[0], folder), first[1], first[2])
        for text, rows, first in found
    ]


def relative(file: str, folder: Path) -> str:
    """The file's path from the settings folder, or all of it where it lies elsewhere."""
    path = Path(file)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else file


def write_quarantine(
    connection: duckdb.DuckDBPyConnection,
    columns: list[SourceColumn],
    settings_folder: Path,
    target: Path,
) -> None:
    """Write all quarantined rows: file, row, reason, and the source's columns as they were."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    keys = [column.key for column in columns]
    names = ["file", "row", "reason", *_own_names(columns)]
    header = ", ".join(literal(name) for name in names)
    prefix = literal(f"{settings_folder}{os.sep}")
    connection.execute(
        f"""COPY (
            SELECT {header} UNION ALL
            (SELECT CASE WHEN starts_with(source_file, {prefix})
                    THEN substr(source_file, {len(str(settings_folder)) + 2}) ELSE source_file END,
                CAST(source_row AS VARCHAR),
                fault || coalesce(': ' || fault_value, ''), {", ".join(keys)}
             FROM quarantined ORDER BY source_file, source_row)
        ) TO {literal(str(partial))} (FORMAT csv, HEADER false)"""
    )
    partial.replace(target)


def _own_names(columns: list[SourceColumn]) -> list[str]:
    """The source's names; one that the file gives to a column of its own gets a prefix."""
    own = {"file", "row", "reason"}
    return [
        f"source_{column.name}" if column.name.lower() in own else column.name for column in columns
    ]
