"""How one value of a PostgreSQL column is read: what `values` is to DuckDB, with the same results.

Every function takes columns and returns PostgreSQL's SQL. A value that cannot be read is NULL and
never an error, which would end the query for all rows.
"""

from typing import Any

from sqlglot import exp

from patronage.data.flag_words import FALSE_WORDS, TRUE_WORDS, word_list
from patronage.data.postgres_sql import postgres_sql
from patronage.data.postgres_times import formatted_time, iso_time
from patronage.data.values import BLANKS, Kind, Reading, SourceColumn, literal
from patronage.errors import SettingsError

_LARGEST_WHOLE = 9007199254740992
_LARGEST_FLOAT = "1.7976931348623158e308"
_SMALLEST_FLOAT = "1e-307"
_LONGEST_NUMBER = 300
_GROUPING = " '’\u00a0\u2007\u202f"
_NUMBER = r"^[+-]?(\d+(_\d+)*\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_PLAIN_NUMBER = r"^-?\d{1,15}(\.\d{1,15})?$"
_NAMED_NUMBERS = r"^[+-]?(nan|inf|infinity)$"
_TRUE, _FALSE = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"
_BITS = {exp.DataType.Type.TINYINT: 7, exp.DataType.Type.SMALLINT: 15, exp.DataType.Type.INT: 31}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "citext"), "text"),
    **dict.fromkeys(("int2", "int4", "int8", "oid"), "integer"),
    **dict.fromkeys(("float4", "float8"), "float"),
    "numeric": "number",
    "bool": "boolean",
    "date": "date",
    "timestamp": "time",
    "timestamptz": "zoned",
}


def kind_of(postgres_type: str) -> Kind:
    """The kind of a PostgreSQL type by its internal name.

    Examples
    --------
    >>> kind_of("int8"), kind_of("timestamptz"), kind_of("uuid")
    ('integer', 'zoned', 'other')
    """
    return _KINDS.get(postgres_type, "other")


def trimmed(key: str) -> str:
    """A column as text without blanks around it, NULL when nothing is left."""
    return f"nullif(btrim(CAST({key} AS text), {literal(BLANKS)}), '')"


def text_of(column: SourceColumn) -> str:
    """The value as text; the scan has trimmed a column of text already."""
    key = column.key
    text = f"CAST({key} AS text)"
    if column.kind == "text":
        return key
    if column.kind == "float":
        return (
            f"CASE WHEN {key} = 'NaN' THEN NULL WHEN {key} = 'Infinity' THEN 'inf' "
            f"WHEN {key} = '-Infinity' THEN '-inf' WHEN {_is_whole(key)} "
            f"THEN CAST(CAST({key} AS bigint) AS text) ELSE {text} END"
        )
    if column.kind == "number":
        return f"regexp_replace({text}, '\\.0+$', '')"
    return trimmed(key)


def shown(column: SourceColumn) -> str:
    """The value as it is shown to the user; NaN shows as such."""
    if column.kind == "number":
        return f"CAST({column.key} AS text)"
    if column.kind != "float":
        return text_of(column)
    key = column.key
    return (
        f"CASE WHEN {key} = 'NaN' THEN 'nan' WHEN {_is_whole(key)} "
        f"THEN CAST(CAST({key} AS bigint) AS text) || '.0' ELSE {text_of(column)} END"
    )


def _is_whole(key: str) -> str:
    return f"abs({key}) < {_LARGEST_WHOLE} AND {key} = trunc({key})"


def readings(key: str, reading: Reading) -> str:
    """SQL list of a trimmed text column read as number and as time, each once for each row."""
    return f"{_read_number(key, reading)} AS {key}_number, {_read_time(key, reading)} AS {key}_time"


def number_of(column: SourceColumn, reading: Reading) -> str:
    """The value as double precision; NULL when it is no number. See `values.number_of`."""
    if column.kind in ("integer", "number", "float"):
        return f"CAST({column.key} AS double precision)"
    if column.kind == "text":
        return f"{column.key}_number"
    return _double(text_of(column))


def _read_number(text: str, reading: Reading) -> str:
    mark, group = (r"\.", ",") if reading.decimal == "." else (",", ".")
    groups = f"[{group}{_GROUPING}]"
    pattern = literal(rf"^[+-]?\d{{1,3}}({groups}\d{{3}})+({mark}\d*)?$")
    bare = f"regexp_replace({text}, {literal(groups)}, '', 'g')"
    plain = text
    if reading.decimal == ",":
        bare = f"replace({bare}, ',', '.')"
        plain = f"CASE WHEN strpos({text}, '.') = 0 THEN replace({text}, ',', '.') END"
    return f"coalesce({_double(plain)}, CASE WHEN {text} ~ {pattern} THEN {_double(bare)} END)"


def _double(text: str) -> str:
    """A text as double precision, to the ends of its range: a cast out of range would fail."""
    digits = f"CAST(replace({text}, '_', '') AS numeric)"
    return (
        f"CASE WHEN {text} ~ '{_PLAIN_NUMBER}' THEN CAST({text} AS double precision) "
        f"WHEN lower({text}) ~ '{_NAMED_NUMBERS}' THEN CAST({text} AS double precision) "
        f"WHEN length({text}) <= {_LONGEST_NUMBER} AND {text} ~ '{_NUMBER}' THEN CASE "
        f"WHEN abs({digits}) >= {_LARGEST_FLOAT} THEN sign({digits}) * CAST('Infinity' AS float8) "
        f"WHEN abs({digits}) < {_SMALLEST_FLOAT} THEN 0 "
        f"ELSE CAST({digits} AS double precision) END END"
    )


def timestamp_of(column: SourceColumn, reading: Reading) -> str:
    """The value as timestamp on the ledger's clock; NULL when it is none."""
    if column.kind == "zoned":
        return f"({column.key} AT TIME ZONE {literal(reading.timezone)})"
    if column.kind in ("time", "date"):
        return f"CAST({column.key} AS timestamp)"
    if column.kind == "text":
        return f"{column.key}_time"
    return _read_time(text_of(column), reading)


def _read_time(text: str, reading: Reading) -> str:
    if reading.date_format is None:
        return iso_time(text, reading.timezone)
    return formatted_time(text, reading.date_format, reading.timezone)


def boolean_of(column: SourceColumn) -> str:
    """The value as boolean; NULL when it is none."""
    return _boolean(text_of(column))


def flag_of(column: SourceColumn) -> str:
    """The value as double precision, 1 for true and 0 for false; NULL when it is neither."""
    if column.kind == "boolean":
        return f"CAST(CAST({column.key} AS int) AS double precision)"
    # lower() leaves accents as they are where the database has no locale.
    word = f"lower(translate({text_of(column)}, 'ÍÌÃ', 'íìã'))"
    return (
        f"CASE WHEN {word} IN {word_list(TRUE_WORDS)} THEN CAST(1 AS double precision) "
        f"WHEN {word} IN {word_list(FALSE_WORDS)} THEN CAST(0 AS double precision) END"
    )


def finite(number: str) -> str:
    """A double precision that is finite, else NULL."""
    return f"nullif(nullif(nullif({number}, 'NaN'), 'Infinity'), '-Infinity')"


def as_text(sql: str) -> str:
    """The value of an expression as text without blanks around it, NULL when nothing is left."""
    return trimmed(sql)


def _boolean(text: str) -> str:
    return (
        f"CASE WHEN lower({text}) IN {_TRUE} THEN TRUE WHEN lower({text}) IN {_FALSE} "
        "THEN FALSE END"
    )


def as_number(sql: str) -> str:
    """The value of a numeric expression as double precision."""
    return f"CAST({sql} AS double precision)"


def rendered(tree: Any) -> str:
    """An expression of the settings in PostgreSQL's dialect; a cast that fails gives NULL."""
    if tree.find(exp.IntDiv):
        raise SettingsError("// is not known in PostgreSQL; write floor(a / b) instead.")
    for cast in list(tree.find_all(exp.Cast, exp.TryCast)):
        cast.replace(exp.Var(this=_cast(cast)))
    return postgres_sql(tree)


def _cast(cast: Any) -> str:
    value, kind = postgres_sql(cast.this), cast.to.this
    text = f"CAST({value} AS text)"
    target = cast.to.sql("postgres")
    if kind in exp.DataType.TEMPORAL_TYPES:
        parsed = iso_time(text, "UTC")
        return f"CAST({parsed} AS {target})"
    if kind == exp.DataType.Type.BOOLEAN:
        return _boolean(text)
    if kind in exp.DataType.INTEGER_TYPES:
        whole = _half_away(_double(text))
        limit = f"2 ^ {_BITS.get(kind, 63)}"
        return f"CASE WHEN abs({whole}) < {limit} THEN CAST({whole} AS {target}) END"
    if kind in exp.DataType.NUMERIC_TYPES:
        return f"CAST({_double(text)} AS {target})"
    return f"CAST({value} AS {target})"


def _half_away(number: str) -> str:
    """A number as the nearest whole, a half away from zero; PostgreSQL's goes to the even."""
    return f"(SELECT sign(n) * floor(abs(n) + 0.5) FROM (SELECT {number} AS n) AS number)"
