"""CSV files: their dialect and header, and the scan that reads every field as text."""

import csv
import glob
import io
import itertools
from collections import Counter
from pathlib import Path

from patronage.data.csv_texts import CsvTexts, open_text
from patronage.data.values import SourceColumn, literal
from patronage.errors import DataError
from patronage.table_settings import FileSection

LONGEST_LINE = 2_000_000
"""Bytes; a longer record is a quote that was never closed."""

_DELIMITERS = [",", ";", "\t", "|"]
_SAMPLE = 65_536


def csv_columns(files: list[Path], section: FileSection) -> tuple[list[SourceColumn], str]:
    """The columns that all files share, and the delimiter.

    Raises
    ------
    DataError
        If a file is empty, a name occurs twice, or two files differ in their header.
    """
    samples = {file: _sample(file, section) for file in files}
    delimiter = section.delimiter or _delimiter(samples[files[0]])
    if len(delimiter) > 1 and delimiter not in (first := samples[files[0]].splitlines()[0]):
        raise DataError(
            f"[{section.table}] delimiter = {delimiter!r} is not in the header of {files[0]}: "
            f"{first[:200]!r}. Leave it out, and it is found in the file."
        )
    headers = {file: _header(file, sample, delimiter) for file, sample in samples.items()}
    names = headers[files[0]]
    for file, other in headers.items():
        if other != names:
            raise DataError(header_difference(files[0], names, file, other, section.table))
    return [SourceColumn(name, f"c{place}") for place, name in enumerate(names)], delimiter


def header_difference(
    first: Path, names: list[str], file: Path, other: list[str], table: str
) -> str:
    """What differs between the headers of two files of one source."""
    parts = [
        f"{what} {', '.join(repr(name) for name in found)}"
        for what, found in (
            ("lacks", [name for name in names if name not in other]),
            ("adds", [name for name in other if name not in names]),
        )
        if found
    ]
    fault = " and ".join(parts) or f"has the order {', '.join(other)}"
    return (
        f"{file} has other columns than {first}: it {fault}. All files of [{table}] source "
        f"need the header of the first: {', '.join(names)}."
    )


def csv_scan(
    texts: CsvTexts, columns: list[SourceColumn], delimiter: str, *, strict: bool = True
) -> str:
    """SQL that reads all columns as text; records of another shape go to DuckDB's reject tables.

    Only if it is not `strict` does DuckDB read a file whose lines end now in one way, now another.
    """
    paths = ", ".join(literal(glob.escape(str(file))) for file in texts.files)
    types = ", ".join(f"'{column.key}': 'VARCHAR'" for column in columns)
    keys = ", ".join(column.key for column in columns)
    return (
        f"SELECT {keys}, {texts.original_sql('read_from')} AS source_file, "
        f"CAST(NULL AS BIGINT) AS source_row FROM read_csv([{paths}], "
        f"auto_detect = false, columns = {{{types}}}, header = true, "
        f"delim = {literal(delimiter)}, quote = '\"', escape = '\"', "
        f"encoding = {literal(texts.encoding)}, filename = 'read_from', hive_partitioning = false, "
        f"store_rejects = true, rejects_limit = 0, strict_mode = {str(strict).lower()}, "
        f"max_line_size = {LONGEST_LINE}, rejects_line_size_limit = {LONGEST_LINE})"
    )


def _sample(file: Path, section: FileSection) -> str:
    with open_text(file, section.encoding, table=section.table) as text:
        sample = text.read(_SAMPLE)
    if not sample.strip():
        raise DataError(f"{file} is empty: it has no header and no rows.")
    if sample.startswith(("\n", "\r")):
        raise DataError(f"{file} begins with a blank line; its first line must be the header.")
    return sample


def _records(sample: str, delimiter: str) -> list[list[str]]:
    """The first records that are not blank; csv knows no delimiter of several characters."""
    if len(delimiter) > 1:
        return [line.split(delimiter) for line in sample.splitlines() if line.strip()][:100]
    records = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    return list(itertools.islice((record for record in records if record), 100))


def _delimiter(sample: str) -> str:
    """The delimiter that cuts most records into as many fields as the header."""

    def score(delimiter: str) -> tuple[bool, float, int]:
        records = _records(sample, delimiter)
        width = len(records[0])
        alike = sum(len(record) == width for record in records) / len(records)
        return width > 1, alike, width

    return max(_DELIMITERS, key=score)


def _header(file: Path, sample: str, delimiter: str) -> list[str]:
    record = _records(sample, delimiter)[0]
    names = [name.strip() or f"column{place}" for place, name in enumerate(record, start=1)]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(
            f"{file} names {', '.join(repr(name) for name in twice)} more than once in its header. "
            "Give each column its own name."
        )
    return names
