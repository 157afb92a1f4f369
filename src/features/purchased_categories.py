"""Transactions to what was bought: one row per customer, day and category, or channel."""

from typing import Any

import narwhals as nw

from patronage.features.days import lazy_transactions


def purchased_categories(transactions: Any) -> nw.LazyFrame[Any] | None:
    """One row per customer, calendar day and category of lines bought; None without category.

    Returns
    -------
    nw.LazyFrame
        customer_id, day, category, lines, value (of lines with amount >= 0).
    """
    return purchases_by(transactions, "category")


def purchases_by(transactions: Any, column: str) -> nw.LazyFrame[Any] | None:
    """The same for any column of text; None where the transactions have no such column."""
    frame = lazy_transactions(transactions)
    if column not in frame.collect_schema().names():
        return None
    amount = nw.col("amount").cast(nw.Float64)
    bought = frame.filter(amount >= 0, ~nw.col(column).is_null()).select(
        "customer_id", column, day=nw.col("timestamp").cast(nw.Date), amount=amount
    )
    return bought.group_by("customer_id", "day", column).agg(
        nw.len().alias("lines"), nw.col("amount").sum().alias("value")
    )
