"""The files of a table, opened: their columns, and the SQL that scans them."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from patronage.data.csv_source import csv_columns, csv_scan
from patronage.data.csv_texts import CsvTexts, csv_texts
from patronage.data.files import Format, format_of, source_files
from patronage.data.parquet_source import parquet_columns, parquet_scan
from patronage.data.values import SourceColumn
from patronage.table_settings import FileSection


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
    connection: duckdb.DuckDBPyConnection, section: FileSection, folder: Path, work_folder: Path
) -> Source:
    """Find the files and their columns; relative names are looked for in `folder`.

    Copies of files that have to be recoded are made in `work_folder`.

    Raises
    ------
    DataError
        If no file is found, or one cannot be read or differs from the others.
    """
    files = source_files(section, folder)
    form = format_of(files, section.format, section.table)
    if form == "csv":
        columns, delimiter = csv_columns(files, section)
        texts = csv_texts(files, section.encoding, work_folder, table=section.table)
        strict, lenient = (csv_scan(texts, columns, delimiter, strict=way) for way in (True, False))
        return Source(files, form, columns, strict, lenient, texts)
    columns = parquet_columns(connection, files, section.table)
    return Source(files, form, columns, parquet_scan(files, columns))
