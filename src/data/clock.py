"""Hours that the ledger's clock skips or repeats, and times that lie in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from patronage.data.typed_rows import Plan
from patronage.data.values import literal


@dataclass(frozen=True)
class ClockChange:
    """Local times that do not exist, or exist twice: from `start` up to, not including, `end`."""

    start: datetime
    end: datetime
    skipped: bool


def clock_changes(timezone: str, first: date, last: date) -> Iterator[ClockChange]:
    """The changes of a zone's clock from one day to another, both included.

    Examples
    --------
    >>> [(str(change.start), str(change.end), change.skipped)
    ...  for change in clock_changes("Europe/Berlin", date(2024, 1, 1), date(2024, 12, 31))]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('2024-03-31 02:00:00', '2024-03-31 03:00:00', True),
     ('2024-10-27 02:00:00', '2024-10-27 03:00:00', False)]
    """
    zone = ZoneInfo(timezone)
    moment = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=2)
    while moment < end:
        following = moment + timedelta(days=1)
        if _offset(moment, zone) != _offset(following, zone):
            yield _change(moment, following, zone)
        moment = following


def skipped_times(
    connection: duckdb.DuckDBPyConnection, plan: Plan, kept: str, timezone: str
) -> list[str]:
    """What to look at when times lie in hours that the clock skipped; midnight stands for a day."""
    found = (
        _skipped(connection, name, kept, timezone)
        for name in plan.contract.times
        if name in plan.mapped
    )
    return [text for text in found if text]


def _skipped(
    connection: duckdb.DuckDBPyConnection, name: str, kept: str, timezone: str
) -> str | None:
    first, last = connection.execute(
        f'SELECT min("{name}"), max("{name}") FROM rows WHERE {kept}'
    ).fetchall()[0]
    if first is None:
        return None
    gaps = [change for change in clock_changes(timezone, first, last) if change.skipped]
    inside = " OR ".join(
        f'("{name}" >= {literal(str(gap.start))} AND "{name}" < {literal(str(gap.end))})'
        for gap in gaps
    )
    count, example = connection.execute(
        f'SELECT count(*), min("{name}") FROM rows WHERE {kept} AND ({inside or "FALSE"}) '
        f'AND "{name}" <> date_trunc(\'day\', "{name}")'
    ).fetchall()[0]
    if not count:
        return None
    values = f"one {name} is" if count == 1 else f"{count:,} values of {name} are"
    return (
        f"{values} at a time that the clock of {timezone} skipped, such as {example}; the times "
        "may be those of another zone: give them their offset, or set [ledger] timezone"
    )


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> ClockChange:
    """The change between two moments, to the minute."""
    old, new = _offset(before, zone), _offset(after, zone)
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if _offset(middle, zone) == old else (before, middle)
    turn = after.replace(tzinfo=None, second=0, microsecond=0)
    start, end = sorted((turn + old, turn + new))
    return ClockChange(start, end, skipped=new > old)
