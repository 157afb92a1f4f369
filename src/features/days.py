"""Transactions to customer days: one row per customer and calendar day, on any engine."""

from typing import Any

import narwhals as nw

from patronage.errors import DataError

KEYS = ("customer_id", "day")
REQUIRED = ("customer_id", "timestamp", "amount")
SUMS = {"quantity": "units", "discount": "discount", "margin": "margin"}
"""Optional transaction column -> measure that is its sum over the day."""
DISTINCT = {"order_id": "orders", "product_id": "products", "category": "categories"}
"""Optional transaction column -> measure that counts its distinct values on the day."""
NET = ("margin",)
"""Lines returned take part in these; in all others, only lines bought do."""


def customer_days(transactions: Any) -> nw.LazyFrame[Any]:
    """One row per customer and calendar day with a transaction.

    A day is a purchase day when a line of amount >= 0 falls on it (as lifetimes, a free line
    counts); a negative amount is a return. Nothing is computed until the result is collected.

    Parameters
    ----------
    transactions
        Any frame Narwhals knows, lazy or not, with customer_id, timestamp (local time) and
        amount, and optionally order_id, product_id, category, quantity, margin, discount.
        Pandas and Arrow tables are run by DuckDB.

    Returns
    -------
    nw.LazyFrame
        customer_id, day, spend (net), returned (>= 0), purchases (lines of amount >= 0),
        return_lines, orders (1 per purchase day without order_id); and, where the source column
        exists, margin (net), and of the lines bought: units, discount, the distinct products
        and categories, and new_products (never bought by the customer before that day).

    Raises
    ------
    DataError
        If a required column is missing.
    """
    frame = lazy_transactions(transactions)
    columns = frame.collect_schema().names()
    require_columns(columns)
    lines = _lines(frame, columns)
    days = lines.group_by(*KEYS).agg(*_aggregates(columns)).select(*KEYS, *_measures(columns))
    return _with_new_products(days, lines) if "product_id" in columns else days


def lazy_transactions(frame: Any) -> nw.LazyFrame[Any]:
    """The frame, lazy; pandas and Arrow in DuckDB, since pandas has no calendar day type."""
    known = nw.from_native(frame, pass_through=False)
    if isinstance(known, nw.LazyFrame):
        return known
    lazy: nw.LazyFrame[Any] = known.lazy(None if known.implementation.is_polars() else "duckdb")
    return lazy


def require_columns(columns: list[str]) -> None:
    """Raise DataError naming the columns that transactions lack."""
    missing = sorted(set(REQUIRED) - set(columns))
    if missing:
        raise DataError(
            f"transactions have no column {', '.join(missing)}; they have "
            f"{', '.join(sorted(columns))}. Name the source's columns: [transactions.columns]"
        )


def _lines(frame: nw.LazyFrame[Any], columns: list[str]) -> nw.LazyFrame[Any]:
    """The lines with their day, and what identifies something bought, null on a return."""
    amount = nw.col("amount").cast(nw.Float64)
    bought = (amount >= 0).cast(nw.Int64)
    dated = frame.select(
        "customer_id",
        *(name for name in (*SUMS, *DISTINCT) if name in columns),
        day=nw.col("timestamp").cast(nw.Date),
        amount=amount,
        bought=bought,
        line_returned=1 - bought,
        amount_returned=nw.when(amount < 0).then(-amount).otherwise(0.0),
    )
    only_bought = [name for name in (*SUMS, *DISTINCT) if name in columns and name not in NET]
    masked = dated.with_columns(
        nw.when(nw.col("bought") == 1).then(nw.col(name)).alias(name) for name in only_bought
    )
    return masked.with_columns(
        nw.col(name).is_null().cast(nw.Int64).alias(f"no_{name}")
        for name in DISTINCT
        if name in columns
    )


def _aggregates(columns: list[str]) -> list[nw.Expr]:
    sums = [
        nw.col(source).cast(nw.Float64).sum().alias(name)
        for source, name in SUMS.items()
        if source in columns
    ]
    distinct = [
        (nw.col(source).n_unique() - nw.col(f"no_{source}").max()).alias(name)
        for source, name in DISTINCT.items()
        if source in columns
    ]
    return [
        nw.col("amount").sum().alias("spend"),
        nw.col("amount_returned").sum().alias("returned"),
        nw.col("bought").sum().alias("purchases"),
        nw.col("line_returned").sum().alias("return_lines"),
        *sums,
        *distinct,
    ]


def _measures(columns: list[str]) -> list[nw.Expr]:
    """The aggregates in order; a purchase day without any order_id is one order."""
    bought = (nw.col("purchases") > 0).cast(nw.Int64)
    counted = nw.max_horizontal(bought, nw.col("orders")) if "order_id" in columns else bought
    optional = {**SUMS, "product_id": "products", "category": "categories"}
    return [
        *(nw.col(name) for name in ("spend", "returned", "purchases", "return_lines")),
        counted.alias("orders"),
        *(nw.col(name) for source, name in optional.items() if source in columns),
    ]


def _with_new_products(days: nw.LazyFrame[Any], lines: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Count a product on the day of its first purchase by the customer: the past alone decides."""
    bought = lines.filter(~nw.col("product_id").is_null())
    firsts = bought.group_by("customer_id", "product_id").agg(nw.col("day").min())
    counts = firsts.group_by(*KEYS).agg(nw.len().alias("new_products"))
    joined = days.join(counts, on=list(KEYS), how="left")
    return joined.with_columns(nw.col("new_products").fill_null(0))
