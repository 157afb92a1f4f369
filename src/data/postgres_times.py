"""How PostgreSQL reads a text as a time, without ever failing on one that is none.

PostgreSQL has no cast that gives NULL for what cannot be read (before release 16 not even a test),
so a text is taken apart by one regular expression, and put together only when its parts are those
of a real day and time.
"""

import re

from patronage.data.values import literal
from patronage.errors import SettingsError

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DIGITS = {"d": r"\d{1,2}", "m": r"\d{1,2}", "H": r"\d{1,2}", "I": r"\d{1,2}", "M": r"\d{1,2}"}
_TOKENS = {
    **_DIGITS,
    "S": r"\d{1,2}",
    "Y": r"\d{1,4}",
    "y": r"\d{1,2}",
    "f": r"\d{1,6}",
    "p": "[AaPp][Mm]",
    "b": "|".join(month[:3] for month in _MONTHS),
    "B": "|".join(_MONTHS),
    "z": r"[+-](?:0\d|1[0-4]):?(?:\d\d)?",
}
_ISO = (
    r"^(\d{1,6})([-/ ])(\d{1,2})\2(\d{1,2})"
    r"(?:(?: +|T)(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:\.\d*)?))?)?"
)
_EIGHT_DIGITS = r"^(\d{4})(\d\d)(\d\d)$"
_OFFSET = r"(Z|[+-](?:0\d|1[0-4])(?::?\d\d)?| UTC)"


def iso_time(text: str, zone: str) -> str:
    """SQL for a text by ISO 8601; with an offset it is converted to the zone, else it is local."""
    plain = _when(_match(text, f"{_ISO}$"), _ISO_PARTS)
    offset = _when(_match(text, f"{_ISO}{_OFFSET}$"), {**_ISO_PARTS, "z": 8})
    day = _when(_match(text, _EIGHT_DIGITS), {"Y": 1, "m": 2, "d": 3})
    return f"coalesce({plain}, {_in_zone(offset, zone)}, {day})"


def _match(text: str, pattern: str, flags: str = "") -> str:
    return f"regexp_match({text}, {literal(pattern)}, {literal(flags)})"


def _in_zone(utc: str, zone: str) -> str:
    return f"({utc} AT TIME ZONE 'UTC' AT TIME ZONE {literal(zone)})"


_ISO_PARTS = {"Y": 1, "m": 3, "d": 4, "H": 5, "M": 6, "S": 7}


def formatted_time(text: str, date_format: str, zone: str) -> str:
    """SQL for a text by a strptime format; one with %z is converted to the zone.

    Raises
    ------
    SettingsError
        If the format has a directive that cannot be read in PostgreSQL.
    """
    pattern, parts = _pattern(date_format)
    time = _when(_match(text, pattern, "i" if {"b", "B", "p"} & parts.keys() else ""), parts)
    return _in_zone(time, zone) if "z" in parts else time


def _pattern(date_format: str) -> tuple[str, dict[str, int]]:
    """A regular expression with a group for each directive, and the place of each group."""
    pattern = ""
    parts: dict[str, int] = {}
    for percent, directive, blanks, other in re.findall(
        r"(%)-?(.)|(\s+)|(.)", date_format, flags=re.DOTALL
    ):
        if percent and directive == "%":
            pattern += "%"
        elif percent:
            if directive not in _TOKENS or directive in parts:
                raise SettingsError(
                    f"[transactions] date_format = {date_format!r} has %{directive}, which is not "
                    f"read in PostgreSQL{' twice' if directive in parts else ''}; known are "
                    f"{', '.join('%' + token for token in sorted(_TOKENS))}. Or cast the column: "
                    '[transactions] query = "SELECT ..., to_timestamp(...) FROM ..."'
                )
            parts[directive] = len(parts) + 1
            pattern += f"({_TOKENS[directive]})"
        else:
            pattern += r"\s+" if blanks else re.escape(other)
    return f"^{pattern}$", parts


def _when(found: str, parts: dict[str, int]) -> str:
    """SQL that makes a TIMESTAMP of the groups of a match; NULL without one, or for no real day."""
    names = {name: f"m[{place}]" for name, place in parts.items()}
    columns = ", ".join(
        f"{sql} AS {name}"
        for name, sql in (
            ("y", _year(names)),
            ("mo", _month(names)),
            ("d", f"{names['d']}::int" if "d" in names else "1"),
            ("h", _hour(names)),
            ("mi", _whole(names, "M")),
            ("s", _seconds(names)),
            ("o", _minutes_ahead(names["z"]) if "z" in names else "0"),
        )
    )
    leap = "y % 4 = 0 AND (y % 100 <> 0 OR y % 400 = 0)"
    short = f"WHEN mo <> 2 THEN 31 WHEN {leap} THEN 29 ELSE 28"
    last = f"CASE WHEN mo IN (4, 6, 9, 11) THEN 30 {short} END"
    clock = "h BETWEEN 0 AND 23 AND mi BETWEEN 0 AND 59 AND s < 60"
    made = "make_timestamp(y, mo, d, h, mi, s)"
    if "z" in names:
        made += " - make_interval(mins => o)"
    return (
        f"(SELECT CASE WHEN y BETWEEN 1 AND 200000 AND mo BETWEEN 1 AND 12 AND {clock} "
        f"THEN CASE WHEN d BETWEEN 1 AND {last} THEN {made} END END "
        f"FROM (SELECT {columns} FROM {found} AS m) AS parts)"
    )


def _whole(names: dict[str, str], directive: str) -> str:
    return f"coalesce({names[directive]}::int, 0)" if directive in names else "0"


def _year(names: dict[str, str]) -> str:
    if "Y" in names:
        return f"{names['Y']}::int"
    if "y" in names:
        year = f"{names['y']}::int"
        return f"{year} + CASE WHEN {year} < 69 THEN 2000 ELSE 1900 END"
    return "1900"


def _month(names: dict[str, str]) -> str:
    if "m" in names:
        return f"{names['m']}::int"
    name = names.get("b") or names.get("B")
    short = ", ".join(literal(month[:3].lower()) for month in _MONTHS)
    return f"array_position(ARRAY[{short}], left(lower({name}), 3))" if name else "1"


def _hour(names: dict[str, str]) -> str:
    if "I" not in names:
        return _whole(names, "H")
    hour = f"{names['I']}::int"
    late = f"CASE WHEN lower({names['p']}) = 'pm' THEN 12 ELSE 0 END" if "p" in names else "0"
    return f"CASE WHEN {hour} BETWEEN 1 AND 12 THEN {hour} % 12 + {late} ELSE 99 END"


def _seconds(names: dict[str, str]) -> str:
    if "S" not in names:
        return "CAST(0 AS float8)"
    seconds = f"coalesce({names['S']}::float8, 0)"
    if "f" in names:
        return f"({seconds} + ('0.' || {names['f']})::float8)"
    # More than six digits are cut, not rounded.
    return (
        f"CASE WHEN length({names['S']}) > 9 "
        f"THEN trunc({names['S']}::numeric, 6)::float8 ELSE {seconds} END"
    )


def _minutes_ahead(offset: str) -> str:
    """Minutes that "+01:30", "+0130", "+01" or "Z" lie ahead of UTC."""
    digits = f"rpad(regexp_replace({offset}, '[^0-9]', '', 'g'), 4, '0')"
    size = f"left({digits}, 2)::int * 60 + right({digits}, 2)::int"
    return f"CASE WHEN {offset} LIKE '-%' THEN -1 ELSE 1 END * ({size})"
