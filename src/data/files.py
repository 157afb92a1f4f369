"""Which files a source names, and what they hold by their first bytes."""

import glob
from pathlib import Path
from typing import Literal

from patronage.config import TransactionsSection
from patronage.errors import DataError

Format = Literal["csv", "parquet", "postgresql"]

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or a zip archive; save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save it as CSV",
}


def source_files(section: TransactionsSection, folder: Path) -> list[Path]:
    """The files that [transactions] source names, each once, globs in order of name.

    Relative names are looked for in `folder`, that of the settings file.

    Raises
    ------
    DataError
        If an entry matches no file, or a folder.
    """
    source = section.source
    entries = [source] if isinstance(source, str) else source
    found = [path for entry in entries for path in _matches((folder / entry).absolute(), entry)]
    if not found:
        raise DataError('[transactions] source is empty; name a file: source = "orders.csv"')
    return list(dict.fromkeys(found))


def _matches(path: Path, entry: str) -> list[Path]:
    if path.is_dir():
        raise DataError(
            f"[transactions] source = {entry!r} is a folder; name its files: "
            f"{entry.rstrip('/')}/*.csv"
        )
    if path.exists():
        return [path]
    found = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
    files = [file for file in found if file.is_file()]
    if not files:
        raise DataError(
            f"[transactions] source = {entry!r} matches no file; looked for {path}. "
            "Paths are relative to the settings file."
        )
    return files


def format_of(files: list[Path], chosen: Format | None) -> Format:
    """The format of all files: the one chosen in the settings, or else by suffix.

    Raises
    ------
    DataError
        If a suffix is not known, files differ in format, or a file's first bytes belie its name.
    """
    formats = {file: chosen or _suffix_format(file) for file in files}
    if len(set(formats.values())) > 1:
        first = {form: file.name for file, form in reversed(formats.items())}
        raise DataError(
            "[transactions] source mixes formats: "
            + " and ".join(f"{first[form]} is {form}" for form in sorted(first))
            + ". Name files of one format."
        )
    for file, form in formats.items():
        _check_first_bytes(file, form)
    return formats[files[0]]


def _suffix_format(file: Path) -> Format:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    if suffixes and suffixes[-1] in _WORKBOOKS:
        raise DataError(
            f"{file} is a workbook; save it as CSV (in Excel: Save As, CSV UTF-8) and name that "
            "file as [transactions] source."
        )
    form = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if form is None:
        raise DataError(
            f"{file}: the format cannot be told from the name; known are "
            f'{", ".join(sorted(_SUFFIXES))} and .csv.gz. Say it: [transactions] format = "csv"'
        )
    return form


def _check_first_bytes(file: Path, form: Format) -> None:
    """Refuse a file that is something else than its name says."""
    try:
        with file.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise DataError(f"{file} cannot be opened: {error.strerror}") from error
    if not start:
        raise DataError(f"{file} is empty: it has no header and no rows.")
    fault = _belied(file, form, start)
    if fault:
        raise DataError(f"{file} is {fault}.")


def _belied(file: Path, form: Format, start: bytes) -> str | None:
    gzipped, named_gz = start[:2] == b"\x1f\x8b", file.suffix.lower() == ".gz"
    if form == "parquet":
        return None if start == b"PAR1" else "no Parquet file: it does not begin with PAR1"
    if start == b"PAR1":
        return 'a Parquet file; write [transactions] format = "parquet"'
    if gzipped != named_gz:
        return "named .gz but not compressed" if named_gz else "compressed; name it .csv.gz"
    return _FOREIGN.get(start)
