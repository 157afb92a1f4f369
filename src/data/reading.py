"""From the files of [transactions] to one checked table inside DuckDB."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb
import narwhals as nw

from patronage.config import Settings, TransactionsSection
from patronage.data.columns import NUMBER_COLUMNS, map_columns, named_columns
from patronage.data.contract import with_faults
from patronage.data.csv_source import csv_columns, csv_scan
from patronage.data.csv_texts import CsvTexts, csv_texts
from patronage.data.expressions import Expression, ExpressionReader
from patronage.data.files import Format, format_of, source_files
from patronage.data.parquet_source import parquet_columns, parquet_scan
from patronage.data.values import (
    Reading,
    SourceColumn,
    number_of,
    shown,
    text_of,
    timestamp_of,
)
from patronage.errors import DataError, SettingsError


@dataclass(frozen=True)
class Source:
    """The files of a table with all that is needed to scan them."""

    files: list[Path]
    format: Format
    columns: list[SourceColumn]
    scan: str
    """SQL that gives c0, c1, ... (the columns), source_file and source_row."""
    lenient_scan: str | None = None
    """The same for files with mixed line ends."""
    texts: CsvTexts | None = None
    """What of a CSV source is really read."""

    @property
    def label(self) -> str:
        """The source for a message: its first file, and how many more there are."""
        more = len(self.files) - 1
        return f"{self.files[0]}" + (f" (and {more} more)" if more else "")


def open_source(
    connection: duckdb.DuckDBPyConnection,
    section: TransactionsSection,
    folder: Path,
    work_folder: Path,
) -> Source:
    """Find the files and their columns; relative names are looked for in `folder`.

    Copies of files that have to be recoded are made in `work_folder`.

    Raises
    ------
    DataError
        If no file is found, or one cannot be read or differs from the others.
    """
    files = source_files(section, folder)
    form = format_of(files, section.format)
    if form == "csv":
        columns, delimiter = csv_columns(files, section)
        texts = csv_texts(files, section.encoding, work_folder)
        strict, lenient = (csv_scan(texts, columns, delimiter, strict=way) for way in (True, False))
        return Source(files, form, columns, strict, lenient, texts)
    columns = parquet_columns(connection, files)
    return Source(files, form, columns, parquet_scan(files, columns))


def load(
    connection: duckdb.DuckDBPyConnection, source: Source, settings: Settings, latest: datetime
) -> list[str]:
    """Fill table `rows` with every record, typed and checked; return the contract columns.

    A kept row has its contract columns, a faulty one its source columns with `fault` and
    `fault_value`, a row left out by `where` only `filtered`.

    Raises
    ------
    DataError, SettingsError
        If a column is missing, or an expression or the date format cannot be used.
    """
    section = settings.transactions
    mapped = map_columns(section, source.columns, source.label)
    named = named_columns(section) & set(NUMBER_COLUMNS)
    typed = _typed_sql(connection, source, settings, mapped, named)
    rows = nw.from_native(connection.sql(typed))
    faulty = with_faults(rows, named=named, latest=latest, computed=section.amount is not None)
    contract = [name for name in rows.collect_schema().names() if not name.startswith(_INNER)]
    contract = [name for name in contract if name not in {column.key for column in source.columns}]
    outcome = faulty.select(
        "source_file",
        "source_row",
        "source_hash",
        "filtered",
        "fault",
        "fault_value",
        *(_only_if(nw.col(column.key), faulty=True) for column in source.columns),
        *(_only_if(nw.col(name), faulty=False) for name in contract),
    )
    query = outcome.to_native().sql_query()
    try:
        connection.execute(f"CREATE TABLE rows AS {query}")
    except duckdb.Error as error:
        if source.lenient_scan is not None and "state machine" in str(error):
            lenient = replace(source, scan=source.lenient_scan, lenient_scan=None)
            return load(connection, lenient, settings, latest)
        raise DataError(f"{source.label} cannot be read: {_said(error, source)}") from error
    return contract


_INNER = ("source_", "shown_", "filtered", "undecided")


def _only_if(value: nw.Expr, *, faulty: bool) -> nw.Expr:
    fault = nw.col("fault")
    wanted = ~fault.is_null() if faulty else fault.is_null() & ~nw.col("filtered")
    return nw.when(wanted).then(value)


def _typed_sql(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    settings: Settings,
    mapped: Mapping[str, SourceColumn],
    named: set[str],
) -> str:
    """SQL that gives the source's columns, the contract's, and the texts these were read from."""
    section = settings.transactions
    reading = Reading(section.decimal, section.date_format, settings.ledger.timezone)
    values = _contract_sql(mapped, named, reading)

    def reader(setting: str) -> ExpressionReader:
        return ExpressionReader(setting, source.columns, reading, mapped["timestamp"])

    if section.amount is not None:
        setting = f"[transactions] amount = {section.amount!r}"
        amount = reader(setting).number(section.amount)
        _try(connection, source, amount.sql, setting)
        values |= {"amount": amount.sql, "shown_amount": amount.shown}
    values |= {"filtered": "FALSE", "undecided": "FALSE", "shown_where": "CAST(NULL AS VARCHAR)"}
    if section.where is not None:
        setting = f"[transactions] where = {section.where!r}"
        where = reader(setting).condition(section.where)
        _try(connection, source, where.sql, setting)
        values |= _where_sql(where)
    _try(connection, source, values["timestamp"], "[transactions] date_format")
    listed = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
    keys = ", ".join(column.key for column in source.columns)
    return f"SELECT *, hash({keys}) AS source_hash, {listed} FROM ({source.scan})"


def _contract_sql(
    mapped: Mapping[str, SourceColumn], named: set[str], reading: Reading
) -> dict[str, str]:
    values = {}
    for name, column in mapped.items():
        if name == "timestamp":
            values[name] = timestamp_of(column, reading)
        elif name == "amount" or name in named:
            values[name] = number_of(column, reading)
        elif name in NUMBER_COLUMNS:
            number = number_of(column, reading)
            values[name] = f"CASE WHEN isfinite({number}) THEN {number} END"
        else:
            values[name] = text_of(column)
    for name in ("timestamp", "amount", *sorted(named)):
        if name in mapped:
            values[f"shown_{name}"] = shown(mapped[name])
    return values


def _where_sql(where: Expression) -> dict[str, str]:
    """A NULL that comes of an unreadable number must not leave out a row in silence."""
    undecided = f"({where.sql} IS NULL AND ({where.unreadable}))"
    return {
        "filtered": f"NOT coalesce({where.sql}, {undecided})",
        "undecided": undecided,
        "shown_where": where.shown,
    }


def _try(connection: duckdb.DuckDBPyConnection, source: Source, sql: str, setting: str) -> None:
    """Let DuckDB bind the expression of a setting, so that its refusal names the setting."""
    columns = ", ".join(f"{column.key}" for column in source.columns)
    try:
        connection.execute(f"SELECT {sql} FROM (SELECT {columns} FROM ({source.scan}) LIMIT 0)")
    except duckdb.Error as error:
        raise SettingsError(f"{setting} cannot be used: {_first_line(error)}") from error


def _said(error: duckdb.Error, source: Source) -> str:
    """DuckDB's message, with the files of the source in place of their copies."""
    text = _first_line(error)
    for copy, file in source.texts.originals.items() if source.texts else ():
        text = text.replace(str(copy), str(file))
    return text


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().splitlines()[0]
