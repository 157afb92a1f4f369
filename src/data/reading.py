"""From a table's files to checked rows inside DuckDB."""

from dataclasses import replace
from datetime import datetime

import duckdb
import narwhals as nw

from patronage.data.contract import ambiguous_keys, with_faults
from patronage.data.source import Source
from patronage.data.typed_rows import Plan, typed_sql
from patronage.errors import DataError, refuse_without_space

KEPT = "fault IS NULL AND NOT filtered AND NOT dropped"
_OUTCOME = (
    "source_file",
    "source_row",
    "source_hash",
    "source_id",
    "source_unread",
    "filtered",
)


def load(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: Plan, *, latest: datetime
) -> None:
    """Fill table `rows` with every record, typed and checked.

    A kept row has its contract columns, a faulty one its source columns with `fault` and
    `fault_value`, a row left out by `where` only `filtered`. Tables with a key keep their source
    columns in all rows.

    Raises
    ------
    DataError, SettingsError
        If an expression or the date format cannot be used, or a file not be read.
    """
    query = checked_query(connection, source, plan, latest=latest)
    try:
        connection.execute(f"CREATE TABLE rows AS {query}")
    except duckdb.Error as error:
        if source.lenient_scan is not None and "state machine" in str(error):
            lenient = replace(source, scan=source.lenient_scan, lenient_scan=None)
            return load(connection, lenient, plan, latest=latest)
        refuse_without_space(error, "the folder for scratch files, TMPDIR")
        raise DataError(f"{source.label} cannot be read: {_said(error, source)}") from error


def checked_query(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: Plan, *, latest: datetime
) -> str:
    """SQL that types and checks every record of the source's scan; see `load`."""
    rows = nw.from_native(connection.sql(typed_sql(connection, source, plan)))
    faulty = with_faults(
        rows,
        named=plan.checked,
        latest=latest,
        computed=plan.computed is not None,
        contract=plan.contract,
    )
    keyed = bool(plan.contract.key)
    outcome = faulty.select(
        *_OUTCOME,
        nw.lit(False).alias("dropped"),
        "fault",
        "fault_value",
        *(
            nw.col(column.key) if keyed else _only_if(nw.col(column.key), faulty=True)
            for column in source.columns
        ),
        *(_only_if(column.kept, faulty=False).alias(column.name) for column in plan.present),
    )
    return str(outcome.to_native().sql_query())


def set_aside_repeats(
    connection: duckdb.DuckDBPyConnection, plan: Plan, *, drop_duplicates: bool
) -> None:
    """Mark as `dropped` what repeats an earlier row, and as faulty what contradicts another.

    In a table with a key, rows equal in all that is kept of them are one row, and rows of the same
    key that differ contradict each other: which is right cannot be told, so all are faulty. In
    other tables, rows equal in every source column are dropped only when `drop_duplicates`.
    """
    names = [column.name for column in plan.kept]
    listed = ", ".join(f'"{name}"' for name in names)
    if plan.contract.key:
        _refuse_contradictions(connection, plan, names)
        _drop(connection, ", ".join(_key(plan)), listed)
    elif drop_duplicates:
        _drop(connection, "source_hash", f"source_hash, {listed}")


def _refuse_contradictions(
    connection: duckdb.DuckDBPyConnection, plan: Plan, names: list[str]
) -> None:
    key = _key(plan)
    kept = nw.from_native(connection.sql(f"SELECT * FROM rows WHERE {KEPT}"))
    ambiguous = ambiguous_keys(kept, contract=plan.contract, columns=names)
    reason = f"several different rows have the same {' and '.join(key)}"
    shown = " || ', ' || ".join(f'CAST("{name}" AS VARCHAR)' for name in key)
    same = " AND ".join(f'rows."{name}" = found."{name}"' for name in key)
    connection.execute(
        f"UPDATE rows SET fault = '{reason}', fault_value = {shown.replace('CAST(', 'CAST(rows.')} "
        f"FROM ({ambiguous.to_native().sql_query()}) AS found WHERE {KEPT} AND {same}"
    )


def _key(plan: Plan) -> list[str]:
    """The contract's key as far as the table has it."""
    names = {column.name for column in plan.kept}
    return [name for name in plan.contract.key if name in names]


def _drop(connection: duckdb.DuckDBPyConnection, first_by: str, columns: str) -> None:
    """Mark all but the first of rows equal in `columns`; only repeats in `first_by` are sorted."""
    connection.execute(
        f"""WITH repeated AS (
            SELECT {first_by} FROM rows WHERE {KEPT} GROUP BY {first_by} HAVING count(*) > 1
        ), placed AS (
            SELECT rowid AS place, row_number() OVER (PARTITION BY {columns} ORDER BY rowid) AS copy
            FROM rows SEMI JOIN repeated USING ({first_by}) WHERE {KEPT}
        )
        UPDATE rows SET dropped = TRUE
        WHERE rowid IN (SELECT place FROM placed WHERE copy > 1)"""
    )


def _only_if(value: nw.Expr, *, faulty: bool) -> nw.Expr:
    fault = nw.col("fault")
    wanted = ~fault.is_null() if faulty else fault.is_null() & ~nw.col("filtered")
    return nw.when(wanted).then(value)


def _said(error: duckdb.Error, source: Source) -> str:
    """DuckDB's message, with the files of the source in place of their copies."""
    text = str(error).strip().splitlines()[0]
    for copy, file in source.texts.originals.items() if source.texts else ():
        text = text.replace(str(copy), str(file))
    if "Could not convert Timestamp" in text:
        # DuckDB's reader counts microseconds, and stops before any row could be set aside.
        text += (
            ". A time lies beyond the years 290,309 BC to 294,247 AD. Write null in its place, or "
            "the column as text, so that the row alone is set aside."
        )
    return text
