"""What the value models are fitted on: frequency, recency, T and monetary value per customer."""

from dataclasses import replace
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd

from patronage.errors import DataError, SettingsError
from patronage.features import rfm
from patronage.features.arrays import FloatArray, calendar_day, day_number
from patronage.features.collect import day_table
from patronage.features.day_table import DayTable
from patronage.features.grid import Grid
from patronage.features.refunds import Returns, apply_returns
from patronage.time_units import TimeUnit, days_in

Period = Literal["D", "W"]
WEEK = 7


def rfm_summary(
    days: Any,
    *,
    as_of: date,
    time_unit: TimeUnit | None = None,
    period: Period = "D",
    returns: Returns = "net",
    gaps: bool = False,
) -> pd.DataFrame:
    """One row per customer with a purchase before `as_of`, as lifetimes counts it.

    Parameters
    ----------
    days
        Customer days: a `DayTable`, or the output of `customer_days`.
    as_of
        Days at or after it are not seen.
    time_unit
        Unit of recency and T: "D" days, "W" days divided by 7 (lifetimes' freq_multiplier=7), "M"
        by 365.25 / 12, "Y" by 365.25, "h" hours. That of `period` by default.
    period
        What counts as one purchase: "D" a purchase day; "W" a calendar week, Monday to Sunday,
        with a purchase day, and recency and T are whole weeks (lifetimes' freq="W").
    returns
        What lines of negative amount do to monetary_value: "net", they count against the purchase
        before them; "drop", they are passed over; "refuse", there may be none.

    gaps
        Add `log_gap_sum`, which the models of regular timing learn from: the sum of the logarithms
        of the times between purchases, 0 without a repeat purchase.

    Returns
    -------
    DataFrame
        customer_id; frequency, purchases after the first; recency, first to last purchase; T,
        first purchase to `as_of`; monetary_value, mean net spend per repeat purchase, 0 with
        none; last, `as_of`, or with weeks the Monday before it. Net, what is returned before the
        second purchase belongs to the first and is left out, and the mean can be 0 or negative:
        `GammaGammaModel` leaves such customers out and counts them in `n_left_out_`.
        `attrs["returns"]` says what was touched: `setting`, `lines`, `amount`, `customers`, and
        `without_net_spend`, the repeat customers whose mean is 0 or less.

    Raises
    ------
    SettingsError
        If `time_unit`, `period` or `returns` is not known.
    DataError
        If no customer has a purchase before `as_of`, returns are refused and there are some, or
        see `day_table`.

    References
    ----------
    .. [1] Fader, Hardie & Lee (2005), "RFM and CLV", Journal of Marketing Research 42(4).
    """
    unit = days_in(time_unit or period)
    _check(period)
    table, touched = apply_returns(day_table(days), returns, day_number(as_of))
    grid = Grid.of(table, [as_of])
    if not grid.as_of.size:
        raise DataError(
            f"no customer has a purchase before as_of {as_of}; the data cover "
            f"{calendar_day(table.first_day)} to {calendar_day(table.last_day)}."
        )
    if period == "W":
        grid = Grid.of(_weeks(table, day_number(as_of)), [as_of])
    into_week = _weekday(day_number(as_of)) if period == "W" else 0
    summary = _summary(grid, into_week, unit)
    empty = (summary["frequency"] > 0) & (summary["monetary_value"] <= 0)
    summary.attrs["returns"] = touched | {"without_net_spend": int(empty.sum())}
    if gaps:
        summary["log_gap_sum"] = _log_gap_sum(grid, unit)
    summary["as_of"] = pd.Timestamp(as_of).as_unit("s") - pd.Timedelta(days=into_week)
    return summary


def _check(period: str) -> None:
    if period not in ("D", "W"):
        raise SettingsError(f'period="{period}" must be "D" (days) or "W" (weeks).')


def _summary(grid: Grid, into_week: int, unit: float) -> pd.DataFrame:
    values = rfm.compute(grid)
    return pd.DataFrame(
        {
            "customer_id": grid.table.customer_ids[grid.customer],
            "frequency": values["frequency"],
            "recency": values["recency"] / unit,
            "T": (values["T"] - into_week) / unit,
            "monetary_value": values["monetary_value"],
        }
    )


def _log_gap_sum(grid: Grid, unit: float) -> FloatArray:
    """Of each customer of a grid with one as_of: the gaps between the purchases before it."""
    table = grid.table
    seen = np.zeros(len(table))
    seen[grid.customer] = grid.purchases
    customer = np.repeat(np.arange(len(table)), np.diff(table.purchase_offsets))
    counted = (table.repeat_number > 0) & (table.repeat_number < seen[customer])
    logs = np.log(table.gap[counted] / unit)
    sums = np.bincount(customer[counted], logs, minlength=len(table)).astype(np.float64)
    return sums[grid.customer]


def _weekday(day: int) -> int:
    """0 for a Monday; 1 January 1970 was a Thursday."""
    return (day + 3) % WEEK


def _weeks(table: DayTable, as_of: int) -> DayTable:
    """The days before as_of, summed to calendar weeks that bear the date of their Monday.

    The week of as_of counts with the days before as_of, so T = 0 is possible, as in lifetimes.
    """
    customer = np.repeat(np.arange(len(table)), np.diff(table.offsets))
    seen = table.day < as_of
    customer, day = customer[seen], table.day[seen]
    monday = day - (day + 3) % WEEK
    begins = np.flatnonzero(np.diff(customer, prepend=-1) | np.diff(monday, prepend=monday[0]))
    sums = {k: np.add.reduceat(values[seen], begins) for k, values in table.measures.items()}
    sums["purchase_days"] = (sums["purchase_days"] > 0).astype(np.float64)
    kept, counts = np.unique(customer[begins], return_counts=True)
    return replace(
        table,
        customer_ids=table.customer_ids[kept],
        offsets=np.concatenate(([0], np.cumsum(counts))),
        day=monday[begins],
        measures=sums,
    )
