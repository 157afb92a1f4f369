"""Amounts that may be right but look like an error: their size, unit, currency and sign."""

from datetime import date

import duckdb

from patronage.data.typed_rows import Plan
from patronage.data.values import literal
from patronage.data.wording import row_count

LARGEST_MULTIPLE = 1_000
"""Of the 99.9th percentile of the amounts."""
FEWEST_ROWS = 30
"""Of a file whose median amount is compared with that of the others."""
_SIGNS = "[€$£¥₹₽]"


def money_oddities(connection: duckdb.DuckDBPyConnection, kept: str, plan: Plan) -> list[str]:
    """A sentence for each thing to look at among the amounts of the transactions in `rows`."""
    found = (
        _absurd_amounts(connection, kept),
        _unit_of_a_file(connection, kept),
        _other_currencies(connection, kept, plan),
        _signs(connection, kept),
        _quantities(connection, kept, plan),
    )
    return [text for text in found if text]


def currency_signs(connection: duckdb.DuckDBPyConnection) -> str | None:
    """What to look at when amounts in quarantine are written with several currencies' signs."""
    found = connection.execute(
        f"""SELECT regexp_extract(fault_value, '{_SIGNS}') AS sign, count(*) FROM quarantined
        WHERE starts_with(fault, 'amount') GROUP BY sign HAVING sign <> ''
        ORDER BY count(*) DESC, sign"""
    ).fetchall()
    if len(found) < 2:
        return None
    signs = ", ".join(f"{sign} in {row_count(rows)}" for sign, rows in found)
    return f"amounts are written in several currencies: {signs}; bring them into one first"


def _absurd_amounts(connection: duckdb.DuckDBPyConnection, kept: str) -> str | None:
    usual, count, (amount, customer, when) = connection.execute(
        f"""WITH kept AS (SELECT * FROM rows WHERE {kept}),
        usual AS (SELECT quantile_disc(abs(amount), 0.999) AS usual FROM kept)
        SELECT any_value(usual), count(*) FILTER (abs(amount) > {LARGEST_MULTIPLE} * usual),
            arg_max((amount, customer_id, CAST(timestamp AS DATE)), (abs(amount), customer_id))
        FROM kept, usual"""
    ).fetchall()[0]
    return absurd(count, usual, amount, customer, when)


def absurd(count: int, usual: float, amount: float, customer: str, when: date) -> str | None:
    """What to say of so many absurd amounts, the usual one, and the largest with its place."""
    if count == 0 or usual == 0:
        return None
    amounts = "one amount is" if count == 1 else f"{count:,} amounts are"
    largest = "" if count == 1 else "the largest, "
    return (
        f"{amounts} more than {LARGEST_MULTIPLE:,} times the 99.9th percentile ({usual:,.2f}): "
        f"look at {largest}{amount:,.2f} of customer {customer} on {when}"
    )


def _unit_of_a_file(connection: duckdb.DuckDBPyConnection, kept: str) -> str | None:
    """Pence in one file and pounds in the others: medians about a hundred apart."""
    medians: list[tuple[str, float]] = connection.execute(
        f"""SELECT parse_filename(source_file), median(abs(amount)) FROM rows
        WHERE {kept} AND amount <> 0 GROUP BY source_file HAVING count(*) >= {FEWEST_ROWS}
        ORDER BY source_file"""
    ).fetchall()
    if len(medians) < 2:
        return None
    usual = sorted(median for _, median in medians)[(len(medians) - 1) // 2]
    ratios = [(name, median, max(median / usual, usual / median)) for name, median in medians]
    odd = [(name, median) for name, median, ratio in ratios if 50 <= ratio <= 200]
    if not odd:
        return None
    name, median = odd[0]
    files = name if len(odd) == 1 else f"{name} and {len(odd) - 1:,} more files"
    return (
        f"the median amount in {files} is {median:,.2f}, in others {usual:,.2f}: are there cents "
        "in one and whole units in the other?"
    )


def _other_currencies(connection: duckdb.DuckDBPyConnection, kept: str, plan: Plan) -> str | None:
    if "currency" not in plan.mapped or "currency" in plan.checked:
        return None
    (ours,) = plan.contract.by_name["currency"].words
    found = connection.execute(
        f"SELECT currency, count(*) FROM rows WHERE {kept} AND currency <> {literal(ours)} "
        "GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 3"
    ).fetchall()
    if not found:
        return None
    others = ", ".join(f"{code} in {row_count(rows)}" for code, rows in found)
    return (
        f"the source's column {plan.mapped['currency'].name!r} says {others}, yet amounts are "
        f"taken as {ours}. To set such rows aside: [transactions.columns] currency = "
        f'"{plan.mapped["currency"].name}"'
    )


def _signs(connection: duckdb.DuckDBPyConnection, kept: str) -> str | None:
    rows, negative, zero = connection.execute(
        "SELECT count(*), count(*) FILTER (amount < 0), count(*) FILTER (amount = 0) "
        f"FROM rows WHERE {kept}"
    ).fetchall()[0]
    return signs(rows, negative, zero)


def signs(rows: int, negative: int, zero: int) -> str | None:
    """What to say of so many amounts below 0 and at 0 among the rows."""
    if zero == rows:
        return f"all {rows:,} amounts are 0: nobody has spent anything"
    if negative > rows / 2:
        share = f"all {rows:,}" if negative == rows else f"{negative:,} of {rows:,}"
        return f"{share} rows are returns (amount below 0): is the sign the other way round?"
    return None


def _quantities(connection: duckdb.DuckDBPyConnection, kept: str, plan: Plan) -> str | None:
    if "quantity" not in plan.mapped:
        return None
    against, none = connection.execute(
        "SELECT count(*) FILTER (quantity < 0 AND amount > 0), "
        f"count(*) FILTER (quantity = 0 AND amount <> 0) FROM rows WHERE {kept}"
    ).fetchall()[0]
    parts = [
        f"{row_count(count)} with {what}"
        for count, what in (
            (against, "a negative quantity and a positive amount"),
            (none, "quantity 0 and an amount other than 0"),
        )
        if count
    ]
    return f"{' and '.join(parts)}: kept as they stand" if parts else None
