"""The table a churn model learns from: features, value model and label at many cutoffs."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from patronage.errors import DataError
from patronage.features import (
    ChurnLabels,
    CustomerTables,
    DayTable,
    build_panel,
    churn_labels,
    rfm_summary,
    value_model,
)
from patronage.features.contract_labels import ENDED, contract_labels
from patronage.features.customer_tables import as_customer_tables
from patronage.features.panel_cache import PanelCache
from patronage.features.panel_store import stored_panel
from patronage.models.betageo import BetaGeoModel
from patronage.models.known_season import with_known_season
from patronage.models.purchase_model import PurchaseModel
from patronage.models.value_features import FittedValue

log = logging.getLogger(__name__)
KEY = ["customer_id", "as_of"]
MAX_ROWS = 1_000_000
PURCHASES, SUBSCRIPTIONS = "purchases", "subscriptions"
VALUE_FEATURES = tuple(feature.name for feature in value_model.FEATURES)


@dataclass(frozen=True, kw_only=True)
class LabelRule:
    """Who is eligible and what churn means: design of the label, in days."""

    active_days: int
    horizon_days: int
    lead_days: int = 0
    label: str = PURCHASES
    """"purchases": no purchase in the horizon; "subscriptions": the subscription ends in it."""
    grace_days: int = 0
    """Of a subscription, to be renewed in."""

    @property
    def label_days(self) -> int:
        """So long after its cutoff a label is known."""
        return self.lead_days + self.decided_days

    @property
    def decided_days(self) -> int:
        """So long after the lead a label is known."""
        return self.horizon_days + (self.grace_days if self.is_contractual else 0)

    @property
    def is_contractual(self) -> bool:
        """Whether churn is the end of a subscription."""
        return self.label == SUBSCRIPTIONS

    def with_eligible(self, features: pd.DataFrame) -> pd.DataFrame:
        """The features of one day, `eligible` as this rule has it."""
        if not self.is_contractual:
            return features
        return features.assign(eligible=features[ENDED].to_numpy() == 0)


def training_panel(
    days: DayTable | CustomerTables,
    *,
    cutoffs: Sequence[date],
    rule: LabelRule,
    data_end: date,
    purchases: PurchaseModel | None = None,
    max_rows: int = MAX_ROWS,
    cache: PanelCache | None = None,
) -> pd.DataFrame:
    """One row per eligible customer and cutoff.

    The columns are `customer_id`, `as_of`, every feature that the tables allow, `p_no_purchase`,
    `p_alive`, `horizon_purchases` and `expected_spend` of value models fitted on that cutoff's
    past alone, and the label `churned`. A season, where the model has one, is the one that is known
    at the newest cutoff. A cutoff at which no model of purchases can be fitted,
    since nobody has come back yet, is left out with a note in the log.

    Parameters
    ----------
    days
        The customer days, or all customer tables.
    data_end
        The first day that the data do not cover.
    purchases
        Unfitted value model; BG/NBD by default.
    max_rows
        Where customers x cutoffs are more, so many customers are drawn by a hash of their id that
        they are not: a bound on memory. The value models are fitted on everybody all the same.
    cache
        Keeps features and labels for the next time, and bounds the memory that computing them
        takes; without it they are computed in memory.

    Raises
    ------
    DataError
        If a label is not mature, or no cutoff is left.
    """
    labels = ChurnLabels(
        horizons_days=(rule.decided_days,), lead_days=rule.lead_days, data_end=data_end
    )
    labels.refuse_immature(cutoffs)
    tables = as_customer_tables(days)
    model = with_known_season(
        BetaGeoModel() if purchases is None else purchases,
        tables.days,
        as_of=max(cutoffs),
        ahead_days=rule.label_days,
    )
    chances = pd.concat([_chances_or_none(tables.days, cutoff, rule, model) for cutoff in cutoffs])
    if chances.empty:
        raise DataError(
            f"at none of the {len(cutoffs)} cutoffs had anybody bought twice, so that no value "
            "model can be fitted. Give a longer history, or check that customer_id names the same "
            "customer in every purchase."
        )
    some = tables.sample(max(max_rows // len(cutoffs), 1), seed=0)
    fitted = sorted(chances["as_of"].dt.date.unique())
    if rule.is_contractual:
        panel = _contracts(some, fitted, rule, data_end, cache)
    else:
        panel = _features_and_label(some, fitted, rule, labels, cache)
    churned = panel.pop("churned")
    expected = panel[KEY].merge(chances, on=KEY, how="left")[list(VALUE_FEATURES)]
    return pd.concat([panel, expected, churned], axis=1)


def _features_and_label(
    tables: CustomerTables,
    cutoffs: Sequence[date],
    rule: LabelRule,
    labels: ChurnLabels,
    cache: PanelCache | None,
) -> pd.DataFrame:
    """Of the eligible: every feature, and `churned`."""
    if cache is not None:
        panel = stored_panel(
            tables,
            cache,
            cutoffs=cutoffs,
            active_days=rule.active_days,
            eligible_only=True,
            labels=labels,
        )
        return panel.assign(churned=panel.pop(labels.names[0]).to_numpy(dtype=np.int8))
    panel = build_panel(tables, cutoffs=cutoffs, active_days=rule.active_days, eligible_only=True)
    label = churn_labels(
        tables.days,
        cutoffs=cutoffs,
        horizon_days=rule.horizon_days,
        lead_days=rule.lead_days,
        data_end=labels.data_end,
        active_days=rule.active_days,
    )
    return panel.assign(churned=label["churned"])


def _contracts(
    tables: CustomerTables,
    cutoffs: Sequence[date],
    rule: LabelRule,
    data_end: date,
    cache: PanelCache | None,
) -> pd.DataFrame:
    """Of those with a subscription in force: every feature, and `churned`."""
    label = contract_labels(
        tables,
        cutoffs=cutoffs,
        horizon_days=rule.horizon_days,
        lead_days=rule.lead_days,
        grace_days=rule.grace_days,
        data_end=data_end,
    )
    if cache is None:
        panel = build_panel(tables, cutoffs=cutoffs)
    else:
        panel = stored_panel(tables, cache, cutoffs=cutoffs)
    if label.empty:
        raise DataError(
            f"nobody with a purchase had a subscription in force at any of the {len(cutoffs)} "
            f"cutoffs, {min(cutoffs)} to {max(cutoffs)}. Do both tables name the same customers?"
        )
    in_force = panel[panel[ENDED] == 0].drop(columns="eligible", errors="ignore")
    return in_force.merge(label, on=KEY, validate="one_to_one").reset_index(drop=True)


def churned_shares(panel: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Of each cutoff, how many rows there are and what share of them churned."""
    by_day = panel.groupby(panel["as_of"].dt.date)["churned"].agg(["size", "mean"])
    return {
        str(day): {"rows": int(rows), "share": float(share)}
        for day, rows, share in by_day.itertuples()
    }


def purchase_chances(
    days: DayTable, *, as_of: date, rule: LabelRule, purchases: PurchaseModel | None = None
) -> pd.DataFrame:
    """The features of the family value_model for every customer, fitted on the past alone."""
    rfm = rfm_summary(days, as_of=as_of, gaps=True)
    fitted = FittedValue.of_days(days, as_of=as_of, purchases=purchases, rfm=rfm)
    chances = fitted.expected(rfm, horizons_days=[rule.horizon_days], lead_days=rule.lead_days)
    return chances.reset_index()


def _chances_or_none(
    days: DayTable, cutoff: date, rule: LabelRule, purchases: PurchaseModel
) -> pd.DataFrame:
    try:
        chances = purchase_chances(days, as_of=cutoff, rule=rule, purchases=purchases)
    except DataError as error:
        log.warning("cutoff %s is left out: %s", cutoff, error)
        chances = pd.DataFrame({name: [] for name in ("customer_id", *VALUE_FEATURES)})
    return chances.assign(as_of=pd.Timestamp(cutoff).as_unit("s"))
