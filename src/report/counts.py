"""The run's row counts, in plain words."""

from collections.abc import Iterator, Mapping
from typing import Any

_WORDS = {
    "rows_read": "rows read",
    "rows_filtered": "rows left out by your filter",
    "rows_in": "rows checked",
    "rows_kept": "rows used",
    "rows_quarantined": "rows in quarantine",
    "rows_dropped": "rows dropped as copies of another",
    "n_duplicates": "rows that are exact copies of another, used all the same",
    "oddities": "to look at",
}
_SECTIONS = {
    "scored": {
        "customers": "customers scored",
        "eligible": "customers who are listed",
        "learnt_from": "the model has learnt from them",
    },
    "listed": None,  # of the list before, where a report is made anew; the page's head has its own
}


def data_rows(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was read and what became of it: a label and a text each.

    Parameters
    ----------
    manifest
        Of the run: `counts`, one mapping for each table and step, and `data` with `first_day` and
        `last_day`, where it has them.

    Examples
    --------
    >>> data_rows({"counts": {"transactions": {"rows_read": 1200}, "scored": {"eligible": 70}}})
    [('transactions: rows read', '1,200'), ('customers who are listed', '70')]
    """
    return [*_days(manifest.get("data", {})), *_counted(manifest.get("counts", {}))]


def _days(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "first_day" in data and "last_day" in data:
        yield "days covered", f"{data['first_day']} to {data['last_day']}"


def _counted(counts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for section, values in counts.items():
        words = _SECTIONS.get(section, _WORDS)
        if words is None:
            continue
        before = "" if section in _SECTIONS else f"{section}: "
        for key, value in values.items():
            if key == "rows_dropped" and not value:
                continue
            if key == "reasons":
                yield from _reasons(value, f"{before}{_WORDS['rows_quarantined']}")
            else:
                yield f"{before}{words.get(key, key.replace('_', ' '))}", _text(value)


def _reasons(reasons: Mapping[str, int], label: str) -> Iterator[tuple[str, str]]:
    for reason, rows in reasons.items():
        yield f"{label}: {reason}", _text(rows)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(map(_text, value)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
