"""Churn of contracts: who of those with a subscription in force let it end and did not renew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from patronage.errors import SettingsError
from patronage.features.arrays import FloatArray, day_number
from patronage.features.contract_kernels import chain_ends
from patronage.features.customer_tables import CustomerTables
from patronage.features.grid import Grid
from patronage.features.labels import UNKNOWN, ChurnLabels, LabelArray, check_lengths
from patronage.features.records import Records

ENDED = "subscription_ended"
"""The feature that says who is eligible: 0 where the last term that has started runs."""
NO_TERMS = '[churn] label = "subscriptions" needs the table of the subscriptions: [subscriptions]'


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
    labels = ContractLabels(
        horizons_days=(horizon_days,),
        lead_days=lead_days,
        grace_days=grace_days,
        data_end=data_end,
    )
    if tables.subscriptions is None:
        raise SettingsError(NO_TERMS)
    labels.refuse_immature(cutoffs)
    grid = Grid.of(tables, cutoffs)
    (churned,) = labels.of(grid).values()
    table = pd.DataFrame(
        {
            "customer_id": grid.table.customer_ids[grid.customer],
            "as_of": grid.as_of.astype("datetime64[D]").astype("datetime64[s]"),
            "churned": churned,
        }
    )
    return table[labels.eligible(grid, None)].reset_index(drop=True)


@dataclass(frozen=True, kw_only=True)
class ContractLabels(ChurnLabels):
    """The subscription ends in [as_of + lead, as_of + lead + horizon) and is not renewed.

    As `ChurnLabels`, of contracts: a label is known `grace_days` after its horizon, and eligible is
    who has a subscription in force.
    """

    grace_days: int
    """So many days after its end a subscription may still be renewed."""

    def __post_init__(self) -> None:
        """Refuse lengths of time that are none."""
        super().__post_init__()
        check_lengths(grace_days=self.grace_days, at_least=0)

    @property
    def decided_after(self) -> int:
        """Days after its horizon on which a label is known."""
        return self.grace_days

    def eligible(self, grid: Grid, active_days: int | None) -> npt.NDArray[np.bool_]:
        """Whose last term that started before as_of has not ended before it."""
        terms = grid.over("subscriptions")
        return np.asarray(terms.latest(_ends(terms.records)) >= grid.as_of)

    def of(self, grid: Grid) -> dict[str, LabelArray]:
        """0, 1 or unknown for each row of the grid, by name; of the eligible."""
        terms = grid.over("subscriptions")
        end = terms.latest(subscription_ends(terms.records, self.grace_days))
        begin = grid.as_of + self.lead_days
        found = {}
        for name, horizon in zip(self.names, self.horizons_days, strict=True):
            churned = ((end >= begin) & (end < begin + horizon)).astype(np.int8)
            known_on = begin + horizon + self.grace_days
            churned[known_on > day_number(self.data_end)] = UNKNOWN
            found[name] = churned
        return found

    def meaning(self, horizon: int) -> str:
        """What the label of a horizon means."""
        return (
            f"1: the subscription ends in the {horizon} days{self.from_words} and is not renewed "
            f"within {self.grace_days} days; 0: it goes on."
        )


def subscription_ends(terms: Records, grace_days: int) -> FloatArray:
    """Of each term, when the subscription it belongs to ends, as a day number; infinite if never.

    Terms are in order of their starts; one that starts more than `grace_days` after all before it
    have ended begins another subscription.
    """
    return chain_ends(terms.day.astype(np.float64), _ends(terms), terms.offsets, float(grace_days))


def _ends(terms: Records) -> FloatArray:
    """The terms' ends; one without an end, or with one still to come, never ends."""
    ends = terms.number("end")
    return np.where(np.isnan(ends), np.inf, ends)
