"""What is said when a table as a whole is refused for its rows."""

import json
from pathlib import Path

from patronage.config import Settings
from patronage.data.counts import TableCounts
from patronage.data.quarantine import Reason
from patronage.data.reading import Source
from patronage.errors import DataError

_HINTS = {
    "timestamp cannot be read": ("date_format", '"%d/%m/%Y %H:%M"'),
    "amount is not a number": ("decimal", '","'),
    "line is not in the encoding of the settings": ("encoding", '"latin-1"'),
}


def refuse_nothing_kept(
    counts: TableCounts, found: list[Reason], source: Source, settings: Settings
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
            f"[transactions] where = {settings.transactions.where!r} leaves out all "
            f"{counts.rows_read:,} rows of {source.label}."
        )
    if counts.rows_kept == 0:
        raise DataError(
            f"none of the {counts.rows_in:,} rows of {source.label} can be used:\n"
            + _reason_text(found, settings)
        )


def too_bad(
    counts: TableCounts,
    found: list[Reason],
    settings: Settings,
    max_bad_share: float,
    quarantine: Path | None,
) -> str:
    """The message for a share of quarantined rows above `max_bad_share`."""
    where = (
        f"All of them are in {quarantine}."
        if quarantine
        else "See all of them: patronage check --write FOLDER"
    )
    return (
        f"{counts.rows_quarantined:,} of {counts.rows_in:,} rows of transactions "
        f"({counts.bad_share:.1%}) break the contract; "
        f"[ledger] max_bad_share = {max_bad_share} allows {max_bad_share:.1%}.\n"
        f"{_reason_text(found, settings)}\n{where}"
    )


def _reason_text(found: list[Reason], settings: Settings, most: int = 5) -> str:
    """The most frequent reasons, one a line, with the settings that often mend them."""
    lines = [
        f"  {reason.rows:,} x {reason.text}, first in {reason.file} row {reason.row:,}"
        + (f": {reason.example!r}" if reason.example else "")
        for reason in found[:most]
    ]
    if len(found) > most:
        rest = sum(reason.rows for reason in found[most:])
        lines.append(f"  {rest:,} x other reasons")
    hinted = [_HINTS[reason.text] for reason in found[:most] if reason.text in _HINTS]
    for key, example in hinted:
        now = getattr(settings.transactions, key)
        lines.append(f"Check [transactions] {key} = {json.dumps(now)}, e.g. {key} = {example}")
    return "\n".join(lines)
