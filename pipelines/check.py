"""`patronage check`: read every source, and tell what would be quarantined."""

from datetime import datetime
from pathlib import Path

from patronage.config import Settings
from patronage.data import check_report, read_ledger
from patronage.pipelines.progress import reading_progress


def check(settings: Settings, *, write_to: Path | None, run_at: datetime) -> str:
    """The report on every table; with `write_to`, the bad rows go into that folder.

    Raises
    ------
    DataError
        If a source cannot be read, or too many of its rows are bad.
    """
    with reading_progress() as on_table:
        read = read_ledger(settings, read_at=run_at, on_table=on_table)
    with read as ledger:
        report = check_report(ledger)
        if write_to is not None:
            ledger.write_quarantine(write_to)
        print(report)
        ledger.refuse_if_bad(quarantine=write_to)
    return "everything else is in order"
