"""Transactions to what was bought: one row per customer, day and category, on any engine."""

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
    frame = lazy_transactions(transactions)
    if "category" not in frame.collect_schema().names():
        return None
    amount = nw.col("amount").cast(nw.Float64)
    bought = frame.filter(amount >= 0, ~nw.col("category").is_null()).select(
        "customer_id", "category", day=nw.col("timestamp").cast(nw.Date), amount=amount
    )
    return bought.group_by("customer_id", "day", "category").agg(
        nw.len().alias("lines"), nw.col("amount").sum().alias("value")
    )
