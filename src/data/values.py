"""How one value of a source column is read as an id, a number or a time.

Every function takes columns and returns DuckDB SQL, so that a value that cannot be read becomes
NULL in the engine, and its text is still at hand for the quarantine.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from sqlglot import exp

from patronage.data.flag_words import FALSE_WORDS, TRUE_WORDS, word_list

Kind = Literal["text", "integer", "number", "float", "boolean", "date", "time", "zoned", "other"]

BLANKS = " \t\r\n\v\f\u00a0\u2007\u202f\u3000\ufeff"
"""Cut off at both ends of every text."""
_GROUPING = r" '’\x{a0}\x{2007}\x{202f}"
_KINDS: dict[str, Kind] = {
    "VARCHAR": "text",
    "ENUM": "text",
    "FLOAT": "float",
    "DOUBLE": "float",
    "DECIMAL": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "zoned",
}


@dataclass(frozen=True)
class SourceColumn:
    """A column of the source: its own name, and the safe name it has inside SQL."""

    name: str
    key: str
    kind: Kind = "text"
    type: str = ""
    """The engine's name of its type, where it is known."""


@dataclass(frozen=True)
class Reading:
    """What the settings say about numbers and times."""

    decimal: Literal[".", ","] = "."
    date_format: str | None = None
    timezone: str = "UTC"


def kind_of(duckdb_type: str) -> Kind:
    """The kind of a DuckDB type, such as "integer" for UBIGINT.

    Examples
    --------
    >>> kind_of("DECIMAL(18,2)"), kind_of("UBIGINT"), kind_of("TIMESTAMP_NS")
    ('number', 'integer', 'time')
    """
    name = duckdb_type.split("(")[0]
    if re.fullmatch(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", name):
        return "integer"
    if re.fullmatch(r"TIMESTAMP(_S|_MS|_NS)?", name):
        return "time"
    return _KINDS.get(name, "other")


def literal(text: str) -> str:
    """A text as SQL literal.

    Examples
    --------
    >>> print(literal("it's"))
    'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def text_of(column: SourceColumn) -> str:
    """The value as text without blanks around it, NULL when nothing is left.

    Whole numbers that were stored as floats, as pandas does for ids with gaps, lose their ".0", and
    so do decimals.
    """
    text = f"CAST({column.key} AS VARCHAR)"
    if column.kind == "float":
        whole = f"CAST(TRY_CAST({column.key} AS HUGEINT) AS VARCHAR)"
        text = (
            f"CASE WHEN isnan({column.key}) THEN NULL WHEN isfinite({column.key}) "
            f"AND {column.key} = trunc({column.key}) AND abs({column.key}) < 9007199254740992 "
            f"THEN {whole} ELSE {text} END"
        )
    if column.kind == "number":
        return f"regexp_replace({text}, '\\.0+$', '')"
    if column.kind not in ("text", "other"):
        return text
    trimmed = f"nullif(trim({text}, {literal(BLANKS)}), '')"
    # To trim a set of characters costs ten times as much as to see that there are none.
    return f"CASE WHEN regexp_matches({text}, '^[!-~](.*[!-~])?$') THEN {text} ELSE {trimmed} END"


def shown(column: SourceColumn) -> str:
    """The value as it is shown to the user; NaN shows as such."""
    if column.kind in ("float", "number"):
        return f"CAST({column.key} AS VARCHAR)"
    return text_of(column)


def number_of(column: SourceColumn, reading: Reading) -> str:
    """The value as DOUBLE; NULL when it is no number, while NaN and infinity stay what they are.

    In text, the mark that is not the decimal mark, blanks and apostrophes may group thousands, but
    only where groups belong: with decimal ".", "1,234.5" is a number and "1,5" is none.
    """
    if column.kind in ("integer", "number", "float"):
        return f"CAST({column.key} AS DOUBLE)"
    text = text_of(column)
    mark, group = ("\\.", ",") if reading.decimal == "." else (",", ".")
    pattern = literal(rf"[+-]?\d{{1,3}}([{group}{_GROUPING}]\d{{3}})+({mark}\d*)?")
    bare = f"regexp_replace({text}, {literal(f'[{group}{_GROUPING}]')}, '', 'g')"
    plain = text
    if reading.decimal == ",":
        bare = f"replace({bare}, ',', '.')"
        plain = f"CASE WHEN NOT contains({text}, '.') THEN replace({text}, ',', '.') END"
    return (
        f"coalesce(TRY_CAST({plain} AS DOUBLE), "
        f"CASE WHEN regexp_full_match({text}, {pattern}) THEN TRY_CAST({bare} AS DOUBLE) END)"
    )


def timestamp_of(column: SourceColumn, reading: Reading) -> str:
    """The value as TIMESTAMP on the clock of the ledger's time zone; NULL when it is no time.

    A time with an offset from UTC is converted; one without is taken to be local already. Whole
    numbers are read as text, so that 20240131 is a day.
    """
    zone = literal(reading.timezone)
    if column.kind == "zoned":
        return f"timezone({zone}, {column.key})"
    if column.kind in ("time", "date"):
        return f"TRY_CAST({column.key} AS TIMESTAMP)"
    text = text_of(column)
    if reading.date_format is not None:
        parsed = f"try_strptime({text}, {literal(reading.date_format)})"
        return f"timezone({zone}, {parsed})" if "%z" in reading.date_format.lower() else parsed
    # DuckDB would drop what follows the time, be it an offset, a zone or PM.
    offset = literal(r":\d\d.*([A-Za-z]|[+-]\d\d(:?\d\d)?)$")
    no_offset = literal(r":\d\d.*[+-](1[5-9]|[2-9]\d)(:?\d\d)?$")  # the farthest is 14 hours
    return (
        f"CASE WHEN regexp_matches({text}, {no_offset}) THEN NULL "
        f"WHEN regexp_matches({text}, {offset}) "
        f"THEN timezone({zone}, TRY_CAST({text} AS TIMESTAMPTZ)) "
        f"WHEN regexp_full_match({text}, '\\d{{8}}') THEN try_strptime({text}, '%Y%m%d') "
        f"ELSE TRY_CAST({text} AS TIMESTAMP) END"
    )


def boolean_of(column: SourceColumn) -> str:
    """The value as BOOLEAN; NULL when it is none."""
    return f"TRY_CAST({text_of(column)} AS BOOLEAN)"


def as_number(sql: str) -> str:
    """The value of a numeric expression as DOUBLE."""
    return f"TRY_CAST({sql} AS DOUBLE)"


def as_text(sql: str) -> str:
    """The value of an expression as text without blanks around it, NULL when nothing is left."""
    return f"nullif(trim(CAST({sql} AS VARCHAR), {literal(BLANKS)}), '')"


def finite(number: str) -> str:
    """A DOUBLE that is finite, else NULL."""
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def rendered(tree: Any) -> str:
    """An expression of the settings in DuckDB's dialect; a cast that fails gives NULL."""
    for cast in list(tree.find_all(exp.Cast)):
        if not isinstance(cast, exp.TryCast):
            cast.replace(exp.TryCast(this=cast.this, to=cast.to))
    return str(tree.sql("duckdb"))


def flag_of(column: SourceColumn) -> str:
    """The value as DOUBLE, 1 for true and 0 for false; NULL when it is neither.

    In text, the words of `patronage.data.flag_words` are, in any case of letters.
    """
    if column.kind == "boolean":
        return f"CAST({column.key} AS DOUBLE)"
    word = f"lower({text_of(column)})"
    return (
        f"CASE WHEN {word} IN {word_list(TRUE_WORDS)} THEN 1.0::DOUBLE "
        f"WHEN {word} IN {word_list(FALSE_WORDS)} THEN 0.0::DOUBLE END"
    )


def quoted(name: str) -> str:
    """A column's name as SQL takes it, whatever characters it holds.

    Examples
    --------
    >>> print(quoted('an "end" date'))
    "an ""end"" date"
    """
    return '"' + name.replace('"', '""') + '"'
