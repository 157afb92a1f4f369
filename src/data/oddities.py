"""What may be right but looks like an error: said to the user, and kept as it stands."""

from collections.abc import Sequence
from datetime import date, timedelta

import duckdb

from patronage.data.clock import skipped_times
from patronage.data.ids import blank_ids, unknown_customers
from patronage.data.money import currency_signs, money_oddities
from patronage.data.profile import TableProfile
from patronage.data.typed_rows import Plan
from patronage.data.wording import row_count

LONGEST_SILENCE = timedelta(days=30)
"""A last day further than this from the one before is more often a typing error than business."""
MANY_VALUES = 200
"""Different texts of an attribute."""
DISTINCT_AT_ONCE = 20_000_000
"""Rows; a gigabyte of memory."""


def oddities(
    connection: duckdb.DuckDBPyConnection,
    kept: str,
    plan: Plan,
    found: TableProfile,
    *,
    timezone: str,
) -> list[str]:
    """A sentence for each thing to look at among the rows of table `rows` that meet `kept`."""
    texts = [
        _unread(connection, kept, plan.section.table),
        blank_ids(connection, kept),
        *skipped_times(connection, plan, kept, timezone),
    ]
    if plan.section.table == "transactions":
        texts = [
            _isolated_last_day(connection, kept),
            *money_oddities(connection, kept, plan),
            currency_signs(connection),
            *texts,
        ]
    else:
        texts = [
            *_emptiness(found),
            *_many_texts(found),
            unknown_customers(connection, kept, found),
            *texts,
        ]
    return [text for text in texts if text]


def duplicates(connection: duckdb.DuckDBPyConnection, kept: str) -> int:
    """Rows that are the same in all source columns as one that came before, by their hash.

    Distinct hashes are counted share by share, for DuckDB counts them in memory.
    """
    (rows,) = connection.execute(f"SELECT count(*) FROM rows WHERE {kept}").fetchall()[0]
    shares = rows // DISTINCT_AT_ONCE + 1
    distinct = sum(
        connection.execute(
            f"SELECT count(DISTINCT source_hash) FROM rows WHERE {kept} "
            f"AND source_hash % {shares} = {share}"
        ).fetchall()[0][0]
        for share in range(shares)
    )
    return int(rows - distinct)


def _many_texts(found: TableProfile) -> list[str]:
    """Attributes that tell customers apart rather than group them, such as postcodes."""
    if found.table != "customers":
        return []
    return [
        f"attribute {one.name} is a text with {one.distinct:,} values: a model "
        "learns little from it. Group them in the export, or list the others: "
        "[customers] attributes = [...]"
        for one in found.columns
        if one.kind == "text" and (one.distinct or 0) > MANY_VALUES
    ]


def _emptiness(found: TableProfile) -> list[str]:
    if found.rows == 0:
        return ["no row is kept: its features will all be empty"]
    if found.table == "customers" and found.first_day is None:
        return [
            "without a valid_from the attributes are taken to have held at all times: a model may "
            "learn from what was not known then"
        ]
    return []


def _unread(connection: duckdb.DuckDBPyConnection, kept: str, table: str) -> str | None:
    found = connection.execute(
        f"SELECT source_unread, count(*) FROM rows WHERE {kept} AND source_unread IS NOT NULL "
        "GROUP BY source_unread ORDER BY count(*) DESC, source_unread"
    ).fetchall()
    if not found:
        return None
    columns = ", ".join(f"{name} in {row_count(count)}" for name, count in found)
    name = found[0][0]
    return (
        "values that are no numbers, lost digits as a float or break a rule were left empty: "
        f"{columns}. To set such rows aside, "
        f'name the column: [{table}.columns] {name} = "{name}"'
    )


def _isolated_last_day(connection: duckdb.DuckDBPyConnection, kept: str) -> str | None:
    days: list[tuple[date, int]] = connection.execute(
        f"SELECT CAST(timestamp AS DATE) AS day, count(*) FROM rows WHERE {kept} "
        "GROUP BY day ORDER BY day DESC LIMIT 2"
    ).fetchall()
    return isolated_day(days)


def isolated_day(days: Sequence[tuple[date, int]]) -> str | None:
    """What to say of the last two days, newest first, with their counts of rows."""
    if len(days) < 2 or days[0][0] - days[1][0] <= LONGEST_SILENCE:
        return None
    (last, count), (before, _) = days
    rows = "one row" if count == 1 else f"{count:,} rows"
    return (
        f"{rows} dated {last} {'comes' if count == 1 else 'come'} {(last - before).days} days "
        f"after the one before, {before}; if it is a typing error, everyone looks inactive"
    )
