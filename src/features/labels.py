"""Churn labels: who of the eligible customers did not come back."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from patronage.errors import SettingsError
from patronage.features.collect import day_table
from patronage.features.cutoffs import refuse_immature
from patronage.features.grid import Grid


def churn_labels(
    days: Any,
    *,
    cutoffs: Sequence[date],
    horizon_days: int,
    lead_days: int = 0,
    data_end: date,
    active_days: int,
) -> pd.DataFrame:
    """1 for an eligible customer without a purchase in [as_of + lead, as_of + lead + horizon).

    Parameters
    ----------
    days
        Customer days: a `DayTable`, or the output of `customer_days`.
    cutoffs
        The days `as_of`.
    horizon_days
        Length of the window without a purchase, > 0.
    lead_days
        Days between `as_of` and the window, >= 0; purchases in them do not matter.
    data_end
        First day not covered by the data: the last day plus one.
    active_days
        Eligible is who bought within so many days before `as_of`.

    Returns
    -------
    DataFrame
        customer_id, as_of (datetime64[s]), churned (0 or 1): the rows of
        `build_panel(..., eligible_only=True)` with the same arguments, in the same order.

    Raises
    ------
    DataError
        If a label is not known yet at `data_end`; the message names each cutoff and its day.
    SettingsError
        If a length of time is out of range.
    """
    _check(horizon_days=horizon_days, active_days=active_days, at_least=1)
    _check(lead_days=lead_days, at_least=0)
    refuse_immature(cutoffs, data_end=data_end, horizon_days=horizon_days, lead_days=lead_days)
    grid = Grid.of(day_table(days), cutoffs)
    eligible = grid.where(grid.bought_within(active_days))
    begin = eligible.as_of + np.int32(lead_days)
    end = begin + np.int32(horizon_days)
    return pd.DataFrame(
        {
            "customer_id": eligible.table.customer_ids[eligible.customer],
            "as_of": eligible.as_of.astype("datetime64[D]").astype("datetime64[s]"),
            "churned": (eligible.purchases_before(end) == eligible.purchases_before(begin)).astype(
                np.int8
            ),
        }
    )


def _check(*, at_least: int, **lengths: int) -> None:
    for name, value in lengths.items():
        if value < at_least:
            raise SettingsError(f"{name}={value} must be at least {at_least}.")
