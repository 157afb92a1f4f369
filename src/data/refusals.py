"""What is said when a table as a whole is refused for its rows."""

import json
import re
from pathlib import Path

from patronage.data.contract import UNDECIDED
from patronage.data.counts import TableCounts
from patronage.data.date_formats import formats_like
from patronage.data.flag_words import FLAG_HINT
from patronage.data.quarantine import Reason
from patronage.data.source import Source
from patronage.data.values import quoted
from patronage.errors import DataError
from patronage.table_settings import FileSection

_CURRENCY = re.compile("[€$£¥₹₽]")
_NUMBER_WITH = {
    ",": re.compile(r"(?<![\w.,])[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+(?![\w.,])"),
    ".": re.compile(r"(?<![\w.,])[+-]?(\d{1,3}(,\d{3})+|\d+)\.\d+(?![\w.,])"),
}


def refuse_nothing_kept(
    counts: TableCounts, found: list[Reason], source: Source, section: FileSection
) -> None:
    """Refuse a table of which no row is left.

    Raises
    ------
    DataError
        If it has no rows, if `where` leaves out all of them, or if all are quarantined.
    """
    if counts.rows_read == 0:
        raise DataError(f"{source.label} has a header but no rows.")
    if counts.rows_in == 0:
        raise DataError(
            f"[{section.table}] where = {section.where!r} leaves out all "
            f"{counts.rows_read:,} rows of {source.label}."
        )
    if counts.rows_kept == 0:
        raise DataError(
            f"none of the {counts.rows_in:,} rows of {source.label} can be used:\n"
            + _reason_text(found, section, counts.rows_in)
        )


def too_bad(
    counts: TableCounts,
    found: list[Reason],
    section: FileSection,
    max_bad_share: float,
    quarantine: Path | None,
) -> str:
    """The message for a share of quarantined rows above `max_bad_share`."""
    where = (
        f"All of them are in {quarantine}."
        if quarantine
        else "See all of them: patronage check --write FOLDER"
    )
    owner = "ledger" if section.max_bad_share is None else section.table
    return (
        f"{counts.rows_quarantined:,} of {counts.rows_in:,} rows of {section.table} "
        f"({counts.bad_share:.1%}) break the contract; "
        f"[{owner}] max_bad_share = {max_bad_share} allows {max_bad_share:.1%}.\n"
        f"{_reason_text(found, section, counts.rows_in)}\n{where}"
    )


def _reason_text(found: list[Reason], section: FileSection, rows_in: int, most: int = 5) -> str:
    """The most frequent reasons, one a line, with the settings that often mend them."""
    lines = [
        f"  {reason.rows:,} x {reason.text}, first in {reason.file} row {reason.row:,}"
        + (f": {reason.example!r}" if reason.example else "")
        for reason in found[:most]
    ]
    if len(found) > most:
        rest = sum(reason.rows for reason in found[most:])
        lines.append(f"  {rest:,} x other reasons")
    hints = [_hint(reason, section, rows_in) for reason in found[:most]]
    return "\n".join([*lines, *dict.fromkeys(hint for hint in hints if hint)])


def _hint(reason: Reason, section: FileSection, rows_in: int) -> str | None:
    """The setting that often mends the reason, by the value that could not be read."""
    if reason.text.endswith(" cannot be read"):
        # Where most times are read, another format would read fewer.
        return _date_hint(reason.example or "", section) if 2 * reason.rows >= rows_in else None
    if reason.text == "line is not in the encoding of the settings":
        other = "cp1252" if section.encoding == "utf-8" else "utf-8"
        more = "; docs/settings.md lists others" if other == "cp1252" else ""
        return f'Try [{section.table}] encoding = "{other}" (now "{section.encoding}"){more}'
    if reason.text.endswith(" is neither true nor false"):
        return FLAG_HINT
    sign = _CURRENCY.search(reason.example or "")
    if reason.text == "amount is not a number" and sign:
        return f"Amounts hold {sign[0]}; take it off: {_without(sign[0], section)}"
    mark = "," if section.decimal == "." else "."
    if _about_numbers(reason.text) and _NUMBER_WITH[mark].search(reason.example or ""):
        return f'Try [{section.table}] decimal = "{mark}" (now "{section.decimal}")'
    return None


def _without(sign: str, section: FileSection) -> str:
    """The setting that computes amounts from texts with a sign."""
    column = vars(section)["columns"].amount
    amount = f"CAST(replace({quoted(column)}, '{sign}', '') AS DOUBLE)"
    return f"[{section.table}] amount = {json.dumps(amount, ensure_ascii=False)}"


def _about_numbers(text: str) -> bool:
    return text.endswith("is not a number") or text in ("amount cannot be computed", UNDECIDED)


def _date_hint(example: str, section: FileSection) -> str:
    now = "ISO 8601" if section.date_format is None else json.dumps(section.date_format)
    formats = [form for form in formats_like(example) if form != section.date_format]
    if formats:
        choice = " or ".join(json.dumps(form) for form in formats)
        return f"Try [{section.table}] date_format = {choice} (now {now})"
    written = f"Say how times are written: [{section.table}] date_format"
    return f'{written} = "%d/%m/%Y %H:%M" (now {now})'
