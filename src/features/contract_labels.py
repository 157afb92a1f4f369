"""Churn of contracts: who of those with a subscription in force let it end and did not renew."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from patronage.errors import SettingsError
from patronage.features.arrays import FloatArray
from patronage.features.customer_tables import CustomerTables
from patronage.features.cutoffs import refuse_immature
from patronage.features.grid import Grid
from patronage.features.labels import check_lengths
from patronage.features.records import Records

ENDED = "subscription_ended"
"""The feature that says who is eligible: 0 where the last term that has started runs."""


def contract_labels(
    tables: CustomerTables,
    *,
    cutoffs: Sequence[date],
    horizon_days: int,
    lead_days: int = 0,
    grace_days: int,
    data_end: date,
) -> pd.DataFrame:
    """1 where the subscription ends in [as_of + lead, as_of + lead + horizon) and is not renewed.

    Eligible is whose last term that started before as_of has not ended before it. The subscription
    goes on through every term that starts on or before the day its end is `grace_days` past.

    Parameters
    ----------
    tables
        With subscriptions; customers without a purchase before a cutoff are not looked at.
    cutoffs
        The days `as_of`.
    horizon_days, lead_days
        Of the window, in days; an end within the lead is none in the window.
    grace_days
        So many days after its end a subscription may still be renewed; a label is known so many
        days after its window.
    data_end
        First day not covered by the data.

    Returns
    -------
    DataFrame
        customer_id, as_of (datetime64[s]), churned (0 or 1) of the eligible, in the order of
        `build_panel`.

    Raises
    ------
    DataError
        If a label is not known yet at `data_end`; the message names each cutoff and day.
    SettingsError
        If there are no subscriptions, or a length of time is out of range.
    """
    check_lengths(horizon_days=horizon_days, at_least=1)
    check_lengths(lead_days=lead_days, grace_days=grace_days, at_least=0)
    if tables.subscriptions is None:
        raise SettingsError(
            '[churn] label = "subscriptions" needs the table of the subscriptions: [subscriptions]'
        )
    refuse_immature(
        cutoffs, data_end=data_end, horizon_days=horizon_days + grace_days, lead_days=lead_days
    )
    grid = Grid.of(tables, cutoffs)
    terms = grid.over("subscriptions")
    last_end = terms.latest(_ends(terms.records))
    end = terms.latest(subscription_ends(terms.records, grace_days))
    begin = grid.as_of + lead_days
    eligible = last_end >= grid.as_of
    churned = (end >= begin) & (end < begin + horizon_days)
    table = pd.DataFrame(
        {
            "customer_id": grid.table.customer_ids[grid.customer],
            "as_of": grid.as_of.astype("datetime64[D]").astype("datetime64[s]"),
            "churned": churned.astype(np.int8),
        }
    )
    return table[eligible].reset_index(drop=True)


def subscription_ends(terms: Records, grace_days: int) -> FloatArray:
    """Of each term, when the subscription it belongs to ends, as a day number; infinite if never.

    Terms are in order of their starts; one that starts more than `grace_days` after all before it
    have ended begins another subscription.
    """
    ends, starts = _ends(terms), terms.day.astype(np.float64)
    chain = np.empty_like(ends)
    for first, last in zip(terms.offsets[:-1], terms.offsets[1:], strict=True):
        reach, begin = -np.inf, first
        for place in range(first, last):
            if starts[place] > reach + grace_days:
                chain[begin:place] = reach
                begin = place
                reach = -np.inf
            reach = max(reach, ends[place])
        chain[begin:last] = reach
    return chain


def _ends(terms: Records) -> FloatArray:
    """The terms' ends; one without an end, or with one still to come, never ends."""
    ends = terms.number("end")
    return np.where(np.isnan(ends), np.inf, ends)
