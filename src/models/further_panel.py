"""What churn models of further horizons learn from: a panel's rows, labelled and started anew."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from patronage.errors import DataError
from patronage.features import DayTable, churn_labels, rfm_summary
from patronage.models.known_season import with_known_season
from patronage.models.purchase_model import PurchaseModel
from patronage.models.time_folds import mature_at, time_ordered_folds
from patronage.models.training_panel import LabelRule

FloatArray = NDArray[np.float64]
Columns = dict[int, FloatArray]


@dataclass(frozen=True, kw_only=True)
class HorizonDays:
    """A further horizon, its label, and which cutoffs train and judge its model."""

    rule: LabelRule
    train: tuple[date, ...]
    """Cutoffs whose labels were known on the day that judges."""
    judge: date
    """The newest cutoff at which the label is known."""


def days_of_horizons(
    cutoffs: Sequence[date], horizons_days: Sequence[int], *, rule: LabelRule, data_end: date
) -> dict[int, HorizonDays]:
    """The days at which each further horizon is learnt and judged, by its days.

    A horizon shorter than the main one is judged at the newest cutoff and learns from cutoffs as
    new as its label allows; a longer one is judged at an earlier cutoff.

    Parameters
    ----------
    cutoffs
        Those of the panel.
    horizons_days
        The further horizons.
    rule
        Of the main horizon.
    data_end
        The first day that the data do not cover.

    Raises
    ------
    DataError
        If the cutoffs do not reach far enough back for one of them; it is named.
    """
    found = {}
    for horizon in horizons_days:
        own = replace(rule, horizon_days=horizon)
        known = mature_at(cutoffs, day=data_end, label_days=own.label_days)
        train = mature_at(known, day=known[-1], label_days=own.label_days) if known else ()
        if not time_ordered_folds(train, label_days=own.label_days, count=1):
            raise DataError(_too_short(cutoffs, own, data_end))
        found[horizon] = HorizonDays(rule=own, train=train, judge=known[-1])
    return found


@dataclass(frozen=True, kw_only=True)
class FurtherPanel:
    """Labels and starts of further horizons for the rows of a panel."""

    days: Mapping[int, HorizonDays]
    churned: Columns
    """Of each horizon the label of each row; NaN where it is not known."""
    starts: Columns
    """Of each horizon P(no purchase) of each row; NaN where the label is not known."""

    @classmethod
    def of(
        cls,
        panel: pd.DataFrame,
        table: DayTable,
        days: Mapping[int, HorizonDays],
        *,
        purchases: PurchaseModel,
        data_end: date,
    ) -> "FurtherPanel":
        """Label the rows of a panel for further horizons; its features are not computed again.

        As for the main horizon, the starts are of models of purchases fitted on each cutoff's past
        alone, with the season, where there is one, as it was known on the day that judges.

        Parameters
        ----------
        panel
            As `training_panel` makes it.
        table
            The customer days of everybody, in the panel or not.
        days
            Of `days_of_horizons`.
        purchases
            Unfitted; the model of the panel.
        data_end
            The first day that the data do not cover.
        """
        churned = {horizon: np.full(len(panel), np.nan) for horizon in days}
        starts = {horizon: np.full(len(panel), np.nan) for horizon in days}
        as_of = panel["as_of"].dt.date.to_numpy()
        for judge, horizons in _judged_together(days):
            model = _with_season_of(purchases, table, judge, horizons)
            for cutoff in sorted(set(as_of[as_of <= judge])):
                rows = np.flatnonzero(as_of == cutoff)
                ids = panel["customer_id"].iloc[rows]
                label = _labels(table, cutoff, horizons, data_end)
                chance = _chances(table, cutoff, horizons, model, ids)
                for horizon in horizons:
                    churned[horizon][rows] = label[horizon].reindex(ids).to_numpy(dtype=float)
                    starts[horizon][rows] = chance[horizon]
        return cls(days=days, churned=churned, starts=starts)

    def rows_of(self, panel: pd.DataFrame, horizon: int, cutoffs: Sequence[date]) -> pd.DataFrame:
        """The panel's rows at these cutoffs, with `p_no_purchase` and `churned` of the horizon."""
        rows = np.flatnonzero(panel["as_of"].dt.date.isin(cutoffs))
        label = self.churned[horizon][rows].astype(np.int8)
        start = self.starts[horizon][rows]
        labelled = panel.iloc[rows].assign(p_no_purchase=start, churned=label)
        return labelled.reset_index(drop=True)


def _judged_together(
    days: Mapping[int, HorizonDays],
) -> Iterator[tuple[date, dict[int, LabelRule]]]:
    """Each day that judges, with the horizons that it judges."""
    for judge in sorted({one.judge for one in days.values()}):
        yield judge, {horizon: one.rule for horizon, one in days.items() if one.judge == judge}


def _with_season_of(
    purchases: PurchaseModel, table: DayTable, judge: date, horizons: Mapping[int, LabelRule]
) -> PurchaseModel:
    ahead = max(rule.label_days for rule in horizons.values())
    return with_known_season(purchases, table, as_of=judge, ahead_days=ahead)


def _labels(
    table: DayTable, cutoff: date, horizons: Mapping[int, LabelRule], data_end: date
) -> dict[int, pd.Series]:
    """Of each horizon the label of every customer who is eligible at the cutoff, by id."""
    rule = next(iter(horizons.values()))
    found = churn_labels(
        table,
        cutoffs=[cutoff],
        horizons_days=list(horizons),
        lead_days=rule.lead_days,
        data_end=data_end,
        active_days=rule.active_days,
    ).set_index("customer_id")
    return {horizon: found[f"churned_{horizon}"] for horizon in horizons}


def _chances(
    table: DayTable,
    cutoff: date,
    horizons: Mapping[int, LabelRule],
    purchases: PurchaseModel,
    ids: pd.Series,
) -> Columns:
    """Of each horizon P(no purchase) of these customers, in their order."""
    rfm = rfm_summary(table, as_of=cutoff, gaps=True)
    model = clone(purchases).fit_days(table, as_of=cutoff, rfm=rfm)
    asked = rfm.iloc[pd.Index(rfm["customer_id"]).get_indexer(ids)]
    return {
        horizon: model.probability_no_purchase(
            asked, horizon=horizon, lead=rule.lead_days
        ).to_numpy()
        for horizon, rule in horizons.items()
    }


def _too_short(cutoffs: Sequence[date], own: LabelRule, data_end: date) -> str:
    return (
        f"[churn] more_horizons_days has {own.horizon_days}, for which the history is too short: "
        f"its label is known {own.label_days} days after a cutoff, so that three cutoffs are "
        f"needed which lie so far apart, the newest at least so long before {data_end}, where the "
        f"data end. There are {len(cutoffs)}, from {min(cutoffs)} to {max(cutoffs)}. Leave it out, "
        "or give a longer history or cutoffs that reach further back: [churn] cutoffs, max_cutoffs."
    )
