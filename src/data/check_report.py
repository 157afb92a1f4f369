"""What `patronage check` says about each table, in plain words."""

from patronage.data.checked_table import CheckedTable
from patronage.data.ledger import Ledger
from patronage.data.profile import TableProfile
from patronage.data.quarantine import Reason
from patronage.data.tables import CONTRACTS
from patronage.data.wording import on_one_line


def check_report(ledger: Ledger) -> str:
    """Each table's files, row counts, customers, days, columns, reasons, what to look at."""
    parts = [_table(table) for table in ledger.tables.values()]
    missing = [name for name in CONTRACTS if name not in ledger.tables]
    if missing:
        parts.append(f"not configured: {', '.join(missing)}")
    return "\n".join(parts)


def _table(table: CheckedTable) -> str:
    counts = table.counts
    lines = [table.name, *_listed(_facts(table)), "  columns"]
    lines += _listed(
        [(on_one_line(one.name), one.described()) for one in table.profile.columns], indent=4
    )
    if table.reasons:
        lines.append("  reasons for quarantine")
        lines += [f"    {_reason(reason, counts.rows_in)}" for reason in table.reasons]
    to_look_at = [*_copies(counts.n_duplicates), *table.warnings]
    if to_look_at:
        lines.append("  to be looked at")
        lines += [f"    {text}" for text in to_look_at]
    return "\n".join(lines)


def _facts(table: CheckedTable) -> list[tuple[str, str]]:
    counts, found = table.counts, table.profile
    names = [file.name for file in table.files]
    files = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
    facts = [
        ("files", files),
        ("rows read", f"{counts.rows_read:,}"),
        ("left out by where", f"{counts.rows_filtered:,}"),
        ("rows in", f"{counts.rows_in:,}"),
        ("kept", f"{counts.rows_kept:,}"),
        ("quarantined", f"{counts.rows_quarantined:,} ({counts.bad_share:.2%})"),
        ("customers", _customers(found)),
    ]
    if counts.rows_dropped:
        facts.insert(5, ("dropped as copies", f"{counts.rows_dropped:,}"))
    if found.first_day is not None:
        facts.append(("days", f"{found.first_day} to {found.last_day}"))
    return facts


def _customers(found: TableProfile) -> str:
    if found.table == "transactions":
        return f"{found.customers:,}"
    return f"{found.customers:,}, {found.covered:.1%} of those with a transaction"


def _listed(facts: list[tuple[str, str]], indent: int = 2) -> list[str]:
    width = max([20 - indent, *(len(name) + 1 for name, _ in facts)])
    return [f"{' ' * indent}{name:<{width}}{value}" for name, value in facts]


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
    return [
        f"{rows} of another row; {counted}. If your export doubles rows: "
        "[ledger] drop_duplicates = true"
    ]


def _reason(reason: Reason, rows_in: int) -> str:
    example = f", e.g. {reason.example!r}" if reason.example else ""
    return (
        f"{reason.rows:,} ({reason.rows / rows_in:.2%}) {reason.text}, "
        f"first in {reason.file} row {reason.row:,}{example}"
    )
