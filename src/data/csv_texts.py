"""The text of CSV files: opened, decoded, and brought into an encoding that DuckDB knows."""

import codecs
import gzip
import io
import itertools
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from patronage.data.encodings import likely_encoding, odd_words
from patronage.data.values import literal
from patronage.errors import DataError
from patronage.table_settings import Encoding

_KNOWN_TO_DUCKDB = ("utf-8", "utf-16", "latin-1")
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class CsvTexts:
    """The files that DuckDB reads, and the files of the source that some of them are copies of."""

    files: list[Path]
    encoding: str
    originals: dict[Path, Path] = field(default_factory=dict)
    """Copy to original; empty where the files themselves are read."""

    def original(self, file: Path) -> Path:
        """The file of the source whose text `file` has."""
        return self.originals.get(file, file)

    def original_sql(self, column: str) -> str:
        """SQL for the path of the original, from a column with that of the file read."""
        cases = " ".join(
            f"WHEN {literal(str(copy))} THEN {literal(str(file))}"
            for copy, file in self.originals.items()
        )
        return f"CASE {column} {cases} ELSE {column} END" if cases else column


def csv_texts(files: list[Path], encoding: str, folder: Path, *, table: str) -> CsvTexts:
    """The files as DuckDB can read them: themselves, or UTF-8 copies in `folder`.

    Bytes that the encoding does not have stay as they are, which is no UTF-8, so that DuckDB
    rejects the lines that hold them.
    """
    if encoding in _KNOWN_TO_DUCKDB:
        return CsvTexts(files, encoding)
    originals = {folder / f"{table}-{place}.csv": file for place, file in enumerate(files)}
    for copy, file in originals.items():
        with (
            open_text(file, encoding, "surrogateescape", table=table) as text,
            copy.open("w", encoding="utf-8", errors="surrogateescape", newline="") as target,
        ):
            shutil.copyfileobj(text, target, _CHUNK)
    return CsvTexts(list(originals), "utf-8", originals)


def guess_encoding(files: list[Path]) -> Encoding:
    """UTF-16 by the mark it begins with, UTF-8 if all bytes are, or else what the letters tell."""
    if _begins_as_utf_16(files[0]):
        return "utf-16"
    others = [file for file in files if not _is_utf_8(file)]
    if not others:
        return "utf-8"
    return _by_letters(others)


def _by_letters(files: list[Path]) -> Encoding:
    return likely_encoding(odd_words(itertools.chain.from_iterable(map(_chunks, files))))


def _chunks(file: Path) -> Iterator[bytes]:
    with _open(file) as stream:
        yield from iter(lambda: stream.read(_CHUNK), b"")


def _open(file: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(file) if file.suffix.lower() == ".gz" else file.open("rb")


def _codec(encoding: str) -> str:
    """What Python calls it; UTF-8 with or without a mark in front."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _is_utf_8(file: Path) -> bool:
    try:
        with open_text(file, "utf-8") as text:
            while text.read(_CHUNK):
                pass
    except DataError as error:
        if isinstance(error.__cause__, UnicodeError):
            return False
        raise
    return True


@contextmanager
def open_text(
    file: Path, encoding: str, errors: str = "strict", *, table: str = "transactions"
) -> Iterator[TextIO]:
    """The file's text, unpacked and decoded, line ends untouched.

    `table` is the one whose settings a message names.

    Raises
    ------
    DataError
        If the file cannot be unpacked or decoded.
    """
    try:
        with (
            _open(file) as raw,
            io.TextIOWrapper(raw, encoding=_codec(encoding), errors=errors, newline="") as text,
        ):
            yield text
    except UnicodeError as error:
        other = _other_encoding(file, encoding)
        raise DataError(
            f'{file} is not {encoding}: {error}. Try [{table}] encoding = "{other}"'
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file} cannot be unpacked: {error}. Is it complete?") from error


def _other_encoding(file: Path, encoding: str) -> Encoding:
    """What a file may be instead, by the mark that UTF-16 begins with."""
    if encoding != "utf-16" and _begins_as_utf_16(file):
        return "utf-16"
    return _by_letters([file]) if encoding == "utf-8" else "utf-8"


def _begins_as_utf_16(file: Path) -> bool:
    try:
        with _open(file) as stream:
            return stream.read(2) in _UTF_16_MARKS
    except (OSError, EOFError, zlib.error):
        return False
