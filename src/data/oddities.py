"""What may be right but looks like an error: said to the user, and kept as it stands."""

from datetime import date, timedelta

import duckdb

from patronage.data.typed_rows import Plan

LONGEST_SILENCE = timedelta(days=30)
"""A last day further than this from the one before is more often a typing error than business."""
LARGEST_MULTIPLE = 1_000
"""Of the 99.9th percentile of the amounts."""
DISTINCT_AT_ONCE = 20_000_000
"""Rows; a gigabyte of memory."""


def oddities(connection: duckdb.DuckDBPyConnection, kept: str, plan: Plan) -> list[str]:
    """A sentence for each thing to look at among the rows of table `rows` that meet `kept`."""
    if plan.section.table != "transactions":
        return []
    found = (_isolated_last_day(connection, kept), _absurd_amounts(connection, kept))
    return [text for text in found if text]


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


def _isolated_last_day(connection: duckdb.DuckDBPyConnection, kept: str) -> str | None:
    days: list[tuple[date, int]] = connection.execute(
        f"SELECT CAST(timestamp AS DATE) AS day, count(*) FROM rows WHERE {kept} "
        "GROUP BY day ORDER BY day DESC LIMIT 2"
    ).fetchall()
    if len(days) < 2 or days[0][0] - days[1][0] <= LONGEST_SILENCE:
        return None
    (last, count), (before, _) = days
    rows = "one row" if count == 1 else f"{count:,} rows"
    return (
        f"{rows} dated {last} {'comes' if count == 1 else 'come'} {(last - before).days} days "
        f"after the one before, {before}; if it is a typing error, everyone looks inactive"
    )


def _absurd_amounts(connection: duckdb.DuckDBPyConnection, kept: str) -> str | None:
    usual, count, (amount, customer, when) = connection.execute(
        f"""WITH kept AS (SELECT * FROM rows WHERE {kept}),
        usual AS (SELECT quantile_disc(abs(amount), 0.999) AS usual FROM kept)
        SELECT any_value(usual), count(*) FILTER (abs(amount) > {LARGEST_MULTIPLE} * usual),
            arg_max((amount, customer_id, CAST(timestamp AS DATE)), (abs(amount), customer_id))
        FROM kept, usual"""
    ).fetchall()[0]
    if count == 0 or usual == 0:
        return None
    amounts = "one amount is" if count == 1 else f"{count:,} amounts are"
    largest = "" if count == 1 else "the largest, "
    return (
        f"{amounts} more than {LARGEST_MULTIPLE:,} times the 99.9th percentile ({usual:,.2f}): "
        f"look at {largest}{amount:,.2f} of customer {customer} on {when}"
    )
