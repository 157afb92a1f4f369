"""What `patronage check` says about a table, in plain words."""

from patronage.data.ledger import Ledger
from patronage.data.quarantine import Reason


def check_report(ledger: Ledger) -> str:
    """Files, row counts, reasons for quarantine, customers and days, one fact a line."""
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
    return "\n".join(lines)


def _reason(reason: Reason, rows_in: int) -> str:
    example = f", e.g. {reason.example!r}" if reason.example else ""
    return (
        f"{reason.rows:,} ({reason.rows / rows_in:.2%}) {reason.text}, "
        f"first in {reason.file} row {reason.row:,}{example}"
    )
