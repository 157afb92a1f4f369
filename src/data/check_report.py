"""What `patronage check` says about a table, in plain words."""

from patronage.data.ledger import Ledger
from patronage.data.quarantine import Reason


def check_report(ledger: Ledger) -> str:
    """Files, row counts, customers, days, reasons for quarantine, what to look at; a line each."""
    counts = ledger.counts
    names = [file.name for file in ledger.files]
    files = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
    facts = [
        ("files", files),
        ("rows read", f"{counts.rows_read:,}"),
        ("left out by where", f"{counts.rows_filtered:,}"),
        ("rows in", f"{counts.rows_in:,}"),
        ("kept", f"{counts.rows_kept:,}"),
        ("quarantined", f"{counts.rows_quarantined:,} ({counts.bad_share:.2%})"),
        ("customers", f"{ledger.n_customers:,}"),
        ("days", f"{ledger.first_day} to {ledger.last_day}"),
    ]
    lines = ["transactions", *(f"  {name:<18}{value}" for name, value in facts)]
    if ledger.reasons:
        lines.append("  reasons for quarantine")
        lines += [f"    {_reason(reason, counts.rows_in)}" for reason in ledger.reasons]
    to_look_at = [*_copies(counts.n_duplicates), *ledger.warnings]
    if to_look_at:
        lines.append("  to be looked at")
        lines += [f"    {text}" for text in to_look_at]
    return "\n".join(lines)


def _copies(n_duplicates: int) -> list[str]:
    if not n_duplicates:
        return []
    rows = (
        "one row is an exact copy"
        if n_duplicates == 1
        else f"{n_duplicates:,} rows are exact copies"
    )
    counted = (
        "it is counted as it stands" if n_duplicates == 1 else "they are counted as they stand"
    )
    return [f"{rows} of another row; {counted}. If your export doubles rows, remove them first"]


def _reason(reason: Reason, rows_in: int) -> str:
    example = f", e.g. {reason.example!r}" if reason.example else ""
    return (
        f"{reason.rows:,} ({reason.rows / rows_in:.2%}) {reason.text}, "
        f"first in {reason.file} row {reason.row:,}{example}"
    )
