"""strptime formats, from how texts look that are no ISO 8601."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from patronage.data.declaration import EARLIEST
from patronage.data.values import Reading, SourceColumn, literal, timestamp_of

_NUMBERS = re.compile(r"(\d{1,4})([./-])( ?)(\d{1,2})\2\3(\d{4}|\d{1,2})(?!\d)")
_NAMED_FIRST = re.compile(r"([A-Za-z]{3,9})([ .-]+)\d{1,2}(,? )\d{4}(?!\d)")
_NAMED_SECOND = re.compile(r"\d{1,2}([ .-]+)([A-Za-z]{3,9})([ .,-]+)(\d{4}|\d{2})(?!\d)")
_CLOCK = re.compile(r"(,? +|T)?\d{1,2}:\d\d(:\d\d)?(\.\d+)?( ?)([AaPp][Mm])?")
_ISO = re.compile(r"\d{4}[-/]\d|\d{8}$")


@dataclass(frozen=True)
class DateGuess:
    """A format, None for ISO 8601, with the share of the values that it fits, 0 to 1.

    `other` fits them all as well: the days have no number that could not be a month.
    """

    format: str | None
    share: float
    other: str | None = None


def formats_like(value: str) -> list[str]:
    """Formats that a value may have, day first before month first; none for a form not known.

    Examples
    --------
    >>> formats_like("31.01.2024 18:05"), formats_like("1/2/24")
    (['%d.%m.%Y %H:%M'], ['%d/%m/%y', '%m/%d/%y'])
    """
    if re.fullmatch(r"\d{14}", value):
        return ["%Y%m%d%H%M%S"]
    for pattern, formats in _DATES:
        found = pattern.match(value)
        clock = _clock(value[found.end() :]) if found else None
        if found and clock is not None:
            return [date + clock for date in formats(found)]
    return []


def guess_date_format(connection: duckdb.DuckDBPyConnection, values: Sequence[str]) -> DateGuess:
    """The format that reads most of the values; ISO 8601 where none reads more."""
    texts = list(dict.fromkeys(values))
    if not texts:
        return DateGuess(None, 0.0)
    like_iso = [text for text in texts if _ISO.match(text)]
    iso = _read_by(connection, like_iso, None)
    listed = Counter(itertools.chain.from_iterable(map(formats_like, texts)))
    counts = {form: _read_by(connection, texts, form) for form in sorted(listed, key=_day_first)}
    best = max(counts.values(), default=0)
    if iso >= best:
        return DateGuess(None, iso / len(texts))
    chosen, *others = [form for form, count in counts.items() if count == best]
    return DateGuess(chosen, best / len(texts), next(iter(others), None))


def _day_first(form: str) -> tuple[int, str]:
    return (form.index("%d"), form)


def _read_by(connection: duckdb.DuckDBPyConnection, texts: list[str], form: str | None) -> int:
    """How many texts become a time of our day; a year of two digits read as one of four is none."""
    time = timestamp_of(SourceColumn("value", "value"), Reading(date_format=form))
    ours = f"BETWEEN {literal(str(EARLIEST))} AND '2100-01-01'"
    query = f"SELECT count(*) FROM (SELECT unnest(?::VARCHAR[]) AS value) WHERE {time} {ours}"
    return int(connection.execute(query, [texts]).fetchall()[0][0])


def _clock(rest: str) -> str | None:
    """The format of what follows the day; None if it is no time of day."""
    if not rest:
        return ""
    found = _CLOCK.fullmatch(rest)
    if found is None:
        return None
    gap, seconds, fraction, blank, half = found.groups()
    clock = f"{gap or ''}{'%I' if half else '%H'}:%M"
    clock += (":%S" if seconds else "") + (".%f" if fraction else "")
    return clock + (f"{blank}%p" if half else "")


def _numbers(found: re.Match[str]) -> list[str]:
    first, mark, blank, second, last = found.groups()
    between = f"{mark}{blank}"
    if len(first) > 2:
        return [between.join(("%Y", "%m", "%d"))] if len(first) == 4 else []
    year = "%Y" if len(last) == 4 else "%y"
    orders = [("%d", "%m", year)] * (int(first) <= 31 and int(second) <= 12)
    orders += [("%m", "%d", year)] * (int(first) <= 12 and int(second) <= 31)
    sure = mark == "."  # nobody who writes dots puts the month first where the day could be
    return [between.join(order) for order in (orders[:1] if sure else orders)]


def _named_second(found: re.Match[str]) -> list[str]:
    before, month, after, year = found.groups()
    return [f"%d{before}{_month(month)}{after}{'%Y' if len(year) == 4 else '%y'}"]


def _named_first(found: re.Match[str]) -> list[str]:
    month, before, after = found.groups()
    return [f"{_month(month)}{before}%d{after}%Y"]


def _month(name: str) -> str:
    return "%b" if len(name) == 3 else "%B"


_DATES = ((_NUMBERS, _numbers), (_NAMED_SECOND, _named_second), (_NAMED_FIRST, _named_first))
