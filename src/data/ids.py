"""Ids that may not be what they seem: written with blanks, or unknown to the transactions."""

import duckdb

from patronage.data.profile import TableProfile
from patronage.data.wording import row_count


def blank_ids(connection: duckdb.DuckDBPyConnection, kept: str) -> str | None:
    """What to look at when ids differ only in the blanks around them, and so became one."""
    count, rows, examples = connection.execute(
        f"""WITH odd AS (
            SELECT DISTINCT customer_id FROM rows WHERE {kept} AND source_id IS NOT NULL
        ), written AS (
            SELECT customer_id, count(*) AS rows,
                list_sort(list(DISTINCT coalesce(source_id, customer_id))) AS ways
            FROM rows SEMI JOIN odd USING (customer_id) WHERE {kept} GROUP BY customer_id
        )
        SELECT count(*), CAST(sum(rows) AS BIGINT), min(ways) FROM written WHERE len(ways) > 1"""
    ).fetchall()[0]
    if not count:
        return None
    ids = "one customer_id is" if count == 1 else f"{count:,} values of customer_id are"
    ways = " and ".join(repr(way) for way in examples[:2])
    return (
        f"{ids} written in several ways that differ only in blanks, such as {ways}; they are taken "
        f"as one customer each ({row_count(rows)})"
    )


def unknown_customers(
    connection: duckdb.DuckDBPyConnection, kept: str, found: TableProfile
) -> str | None:
    """What to look at when a table has customers that no transaction has."""
    if not found.unknown_customers:
        return None
    examples = connection.execute(
        f"""SELECT DISTINCT customer_id FROM rows ANTI JOIN "transactions".ids USING (customer_id)
        WHERE {kept} ORDER BY customer_id LIMIT 3"""
    ).fetchall()
    such_as = ", ".join(repr(customer) for (customer,) in examples)
    if found.unknown_customers < found.customers:
        share = found.unknown_customers / found.customers
        return (
            f"{found.unknown_customers:,} of {found.customers:,} customers "
            f"({share:.1%}, {row_count(found.unknown_rows)}) have "
            f"no transaction, such as {such_as}; their rows are kept"
        )
    (known,) = connection.execute('SELECT min(customer_id) FROM "transactions".ids').fetchall()[0]
    return (
        f"none of the {found.customers:,} customers has a transaction; ids here are like "
        f"{such_as}, in transactions like {known!r}: are they the same ids?"
    )
