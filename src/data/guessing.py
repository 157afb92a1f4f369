"""What a table shows of itself: its columns' meaning, its encoding, how numbers and days look."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from patronage.data.column_names import PRICE, recognise
from patronage.data.csv_texts import guess_encoding
from patronage.data.date_formats import DateGuess, guess_date_format
from patronage.data.files import format_of, source_files
from patronage.data.source import Source, open_source
from patronage.data.values import Reading, SourceColumn, number_of, text_of
from patronage.errors import DataError
from patronage.table_settings import Encoding, TransactionsSection

SAMPLE_ROWS = 20_000
_NUMBERS = ("quantity", "amount", PRICE, "discount", "margin")
_ENOUGH = 0.5
_SURE = 0.9


@dataclass(frozen=True)
class Guess:
    """What the settings of a source may say."""

    names: list[str]
    """All columns of the source."""
    columns: dict[str, str]
    """Contract column to source column, for those that were recognised."""
    amount: str | None
    """An expression, where there is no amount column but a quantity and a price."""
    encoding: Encoding
    decimal: Literal[".", ","]
    date: DateGuess
    """How the column of `timestamp` is written."""
    timestamp_by_values: bool = False
    """Whether that column was found by its values, for no name was known."""


def guess(source: str, folder: Path) -> Guess:
    """Guess how a source is to be read, from its header and a sample of its rows.

    Raises
    ------
    DataError
        If the source cannot be read.
    """
    section = TransactionsSection(source=source)
    files = source_files(section, folder)
    if format_of(files, None) == "csv":
        section = section.model_copy(update={"encoding": guess_encoding(files)})
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as work_folder:
        opened = open_source(connection, section, folder, Path(work_folder))
        return _guess(_Sample(connection, _sampled(connection, opened)), section.encoding)


@dataclass(frozen=True)
class _Sample:
    """Texts of each column, and a connection to try them with."""

    connection: duckdb.DuckDBPyConnection
    values: dict[str, list[str]]

    def fits(self, contract: str, name: str) -> bool:
        """Whether most of the values can be read as the contract has them; any text is an id."""
        values = self.values[name]
        if not values:
            return True
        if contract == "timestamp":
            return guess_date_format(self.connection, values).share >= _ENOUGH
        if contract == "discount" and any(value.startswith("-") for value in values):
            return False
        best = max(self.numbers(name, "."), self.numbers(name, ","))
        return contract not in _NUMBERS or best >= _ENOUGH * len(values)

    def is_of_days(self, name: str) -> bool:
        """Whether nearly all values are days that are written with marks, whatever the name."""
        values = [value for value in self.values[name] if not value.isdigit()]
        days = guess_date_format(self.connection, values).share * len(values)
        return bool(values) and days >= _SURE * len(self.values[name])

    def numbers(self, name: str, decimal: Literal[".", ","]) -> int:
        """How many values are numbers with that decimal mark."""
        number = number_of(SourceColumn("value", "value"), Reading(decimal=decimal))
        query = f"SELECT count({number}) FROM (SELECT unnest(?::VARCHAR[]) AS value)"
        return int(self.connection.execute(query, [self.values[name]]).fetchall()[0][0])


def _guess(sample: _Sample, encoding: Encoding) -> Guess:
    found = recognise(list(sample.values), sample.fits)
    free = [name for name in sample.values if name not in found.values()]
    by_values = None if "timestamp" in found else next(filter(sample.is_of_days, free), None)
    if by_values is not None:
        found["timestamp"] = by_values
    price = found.pop(PRICE, None)
    amount = None
    if "amount" not in found and "quantity" in found and price is not None:
        amount = f"{_quoted(found['quantity'])} * {_quoted(price)}"
    numbers = [name for name in (*map(found.get, _NUMBERS), price) if name]
    points, commas = (sum(sample.numbers(name, mark) for name in numbers) for mark in (".", ","))
    return Guess(
        names=list(sample.values),
        columns=found,
        amount=amount,
        encoding=encoding,
        decimal="," if commas > points else ".",
        date=guess_date_format(
            sample.connection, sample.values.get(found.get("timestamp", ""), [])
        ),
        timestamp_by_values=by_values is not None,
    )


def _sampled(connection: duckdb.DuckDBPyConnection, source: Source) -> dict[str, list[str]]:
    """Different texts of each column in a sample that is drawn from all rows."""
    texts = ", ".join(f"{text_of(column)} AS {column.key}" for column in source.columns)
    lists = ", ".join(f"list(DISTINCT {column.key})" for column in source.columns)
    failed: duckdb.Error | None = None
    for scan in filter(None, (source.scan, source.lenient_scan)):
        sample = f"SELECT {texts} FROM ({scan}) USING SAMPLE reservoir({SAMPLE_ROWS} ROWS)"
        try:
            row = connection.execute(f"SELECT {lists} FROM ({sample})").fetchall()[0]
        except duckdb.Error as error:
            failed = error
            continue
        return {
            column.name: sorted(text for text in values or () if text is not None)
            for column, values in zip(source.columns, row, strict=True)
        }
    raise DataError(f"{source.label} cannot be read: {str(failed).splitlines()[0]}") from failed


def _quoted(name: str) -> str:
    """The name as SQL takes it."""
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'
