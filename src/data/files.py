"""Which files a source names, and what they hold by their first bytes."""

import glob
from pathlib import Path
from typing import Literal

from patronage.errors import DataError
from patronage.table_settings import FileSection

Format = Literal["csv", "parquet", "postgresql", "spark"]

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


def source_files(section: FileSection, folder: Path) -> list[Path]:
    """The files that a table's `source` names, each once, globs in order of name.

    Relative names are looked for in `folder`, that of the settings file.

    Raises
    ------
    DataError
        If an entry matches no file, or a folder.
    """
    source = section.source
    entries = [source] if isinstance(source, str) else source
    setting = f"[{section.table}] source"
    _refuse_addresses(entries, setting)
    found = [
        path for entry in entries for path in _matches((folder / entry).absolute(), entry, setting)
    ]
    return list(dict.fromkeys(found))


def _refuse_addresses(entries: list[str], setting: str) -> None:
    if not entries or not all(entry.strip() for entry in entries):
        raise DataError(f'{setting} is empty; name a file: source = "orders.csv"')
    for entry in entries:
        if "://" in entry:
            raise DataError(
                f"{setting} = {entry!r}: such addresses are not read here, only files of this "
                'machine; copy the files, or read Parquet on Spark: [engine] name = "spark"'
            )


def _matches(path: Path, entry: str, setting: str) -> list[Path]:
    if path.is_dir():
        raise DataError(
            f"{setting} = {entry!r} is a folder; name its files: {entry.rstrip('/')}/*.csv"
        )
    if path.exists():
        return [path]
    found = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
    files = [file for file in found if file.is_file()]
    if not files:
        raise DataError(
            f"{setting} = {entry!r} matches no file; looked for {path}. "
            "Paths are relative to the settings file."
        )
    return files


def format_of(files: list[Path], chosen: Format | None, table: str = "transactions") -> Format:
    """The format of all files of a table: the one chosen in the settings, or else by suffix.

    Raises
    ------
    DataError
        If a suffix is not known, files differ in format, or a file's first bytes belie its name.
    """
    formats = {file: chosen or _suffix_format(file, table) for file in files}
    if len(set(formats.values())) > 1:
        first = {form: file.name for file, form in reversed(formats.items())}
        raise DataError(
            f"[{table}] source mixes formats: "
            + " and ".join(f"{first[form]} is {form}" for form in sorted(first))
            + ". Name files of one format."
        )
    for file, form in formats.items():
        _check_first_bytes(file, form, table)
    return formats[files[0]]


def _suffix_format(file: Path, table: str) -> Format:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    if suffixes and suffixes[-1] in _WORKBOOKS:
        raise DataError(
            f"{file} is a workbook; save it as CSV (in Excel: Save As, CSV UTF-8) and name that "
            f"file as [{table}] source."
        )
    form = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if form is None:
        raise DataError(
            f"{file}: the format cannot be told from the name; known are "
            f'{", ".join(sorted(_SUFFIXES))} and .csv.gz. Say it: [{table}] format = "csv"'
        )
    return form


def _check_first_bytes(file: Path, form: Format, table: str) -> None:
    """Refuse a file that is something else than its name says."""
    try:
        with file.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise DataError(f"{file} cannot be opened: {error.strerror}") from error
    if not start:
        raise DataError(f"{file} is empty: it has no header and no rows.")
    fault = _belied(file, form, start, table)
    if fault:
        raise DataError(f"{file} is {fault}.")


def _belied(file: Path, form: Format, start: bytes, table: str) -> str | None:
    gzipped, named_gz = start[:2] == b"\x1f\x8b", file.suffix.lower() == ".gz"
    if form == "parquet":
        return None if start == b"PAR1" else "no Parquet file: it does not begin with PAR1"
    if start == b"PAR1":
        return f'a Parquet file; write [{table}] format = "parquet"'
    if gzipped != named_gz:
        return "named .gz but not compressed" if named_gz else "compressed; name it .csv.gz"
    return _FOREIGN.get(start)
