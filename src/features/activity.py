"""What was bought in a span of time: hold-outs, and the weekly totals of the tracking chart."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from patronage.errors import SettingsError
from patronage.features.arrays import day_number
from patronage.features.collect import day_table

WEEK = 7


def purchases_between(days: Any, *, start: date, end: date) -> pd.DataFrame:
    """Purchase days and net spend of each customer in [start, end).

    Returns
    -------
    DataFrame
        customer_id, purchases, spend: one row per customer of the table, also those with no
        purchase in the span (0) or with a first purchase after it.

    Raises
    ------
    SettingsError
        If `end` is not after `start`.
    """
    if end <= start:
        raise SettingsError(f"end={end} must be after start={start}.")
    table = day_table(days)
    inside = (table.day >= day_number(start)) & (table.day < day_number(end))
    customer = np.repeat(np.arange(len(table)), np.diff(table.offsets))[inside]
    sums = {
        name: np.bincount(customer, table.measures[measure][inside], minlength=len(table))
        for name, measure in (("purchases", "purchase_days"), ("spend", "spend"))
    }
    return pd.DataFrame({"customer_id": table.customer_ids, **sums})


def weekly_purchases(days: Any, *, end: date) -> pd.DataFrame:
    """Purchase days of all customers, week by week, from the first day of the data.

    Returns
    -------
    DataFrame
        week_start (datetime64[s]), first_purchases, repeat_purchases: whole weeks before `end`
        only, so the last is not low for want of days; weeks without purchases are 0.
    """
    table = day_table(days)
    n_weeks = max(day_number(end) - table.first_day, 0) // WEEK
    week = (table.purchase_day - table.first_day) // WEEK
    first = (table.repeat_number == 0)[week < n_weeks]
    week = week[week < n_weeks]
    starts = table.first_day + WEEK * np.arange(n_weeks)
    return pd.DataFrame(
        {
            "week_start": starts.astype("datetime64[D]").astype("datetime64[s]"),
            "first_purchases": np.bincount(week[first], minlength=n_weeks),
            "repeat_purchases": np.bincount(week[~first], minlength=n_weeks),
        }
    )
