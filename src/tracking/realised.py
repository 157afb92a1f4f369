"""What came of earlier scores: predicted and actual churn once the label is known."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from patronage.features import CustomerTables, DayTable, churn_labels
from patronage.features.contract_labels import contract_labels
from patronage.features.customer_tables import as_customer_tables
from patronage.models.evaluation import (
    CLIP,
    calibration_in_the_large,
    log_losses,
    probability_metrics,
)
from patronage.models.training_panel import LabelRule

FloatArray = NDArray[np.float64]
NORMAL = 1.959963984540054
"""Standard errors on either side of a 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class ScoredRun:
    """A run that left scores, and the question that they answer.

    `model_as_of` is the day that its model was trained for, None where MLflow no longer knows it.
    """

    run_id: str
    as_of: date
    model_version: str
    rule: LabelRule
    model_as_of: date | None = None

    @property
    def matures(self) -> date:
        """The first day on which the data can hold the whole label window."""
        return self.as_of + timedelta(days=self.rule.label_days)

    @property
    def hindsight(self) -> bool:
        """Whether the model had seen days after the one that it scored."""
        return self.model_as_of is not None and self.model_as_of > self.as_of


@dataclass(frozen=True, kw_only=True)
class Realised:
    """Predicted and actual churn of one run's eligible customers.

    Parameters
    ----------
    n, n_unknown
        Customers judged, and those scored that today's data no longer hold as eligible then.
    n_treated
        Of those judged, on a list and contacted: what was predicted was to be prevented.
    predicted, actual
        Mean p_churn and share who left; `actual_low` to `actual_high` is its 95 % interval
        (Wilson), customers taken as independent.
    log_loss, log_loss_foreseen
        Mean over the customers, and what it would be on average if every probability were right.
        It is the excess that tells of the model; the level tells how hard the customers are.
    log_loss_excess_se
        Standard error of the difference of the two.
    slope, slope_low, slope_high
        Of the regression of the label on the log-odds of p_churn, with its 95 % interval; ideal: 1.
    auc, brier, intercept
        As in `patronage.models.evaluation`. `auc` and the slope are None where all or none left.
    """

    run_id: str
    as_of: date
    model_version: str
    hindsight: bool
    n: int
    n_unknown: int
    n_treated: int
    predicted: float
    actual: float
    actual_low: float
    actual_high: float
    log_loss: float
    log_loss_foreseen: float
    log_loss_excess_se: float
    brier: float
    auc: float | None
    slope: float | None
    slope_low: float | None
    slope_high: float | None
    intercept: float | None

    @property
    def gap(self) -> float:
        """Mean prediction less actual share."""
        return self.predicted - self.actual

    @property
    def log_loss_excess(self) -> float:
        """Log loss beyond what the probabilities themselves promise."""
        return self.log_loss - self.log_loss_foreseen

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"gap": self.gap, "log_loss_excess": self.log_loss_excess}


def realised(
    run: ScoredRun,
    customers: pd.DataFrame,
    tables: DayTable | CustomerTables,
    *,
    data_end: date,
    treated: Collection[str] = (),
) -> Realised | None:
    """Judge a run by what its customers have done since; None if nobody can be judged.

    Parameters
    ----------
    run
        Its label has matured: `run.matures` is not after `data_end`.
    customers
        What it left: `customer_id`, `eligible`, `p_churn`.
    tables
        The customer days of today; of contracts the customer tables, with the subscriptions.
    data_end
        The first day that they do not cover.
    treated
        Ids of customers whom a list of the run had contacted.

    Raises
    ------
    DataError
        If the label has not matured.
    """
    return realised_by(run, customers, labels_of(run, tables, data_end=data_end), treated=treated)


def realised_by(
    run: ScoredRun,
    customers: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    treated: Collection[str] = (),
) -> Realised | None:
    """Judge a run by labels that are known: `customer_id` and `churned`; else as `realised`."""
    scored = customers[customers["eligible"].astype(bool) & customers["p_churn"].notna()]
    judged = scored[["customer_id", "p_churn"]].merge(labels, on="customer_id")
    if judged.empty:
        return None
    churned = judged["churned"].to_numpy(dtype=float)
    p_churn = judged["p_churn"].to_numpy(dtype=float)
    touched = judged["customer_id"].isin(list(treated))
    return Realised(
        run_id=run.run_id,
        as_of=run.as_of,
        model_version=run.model_version,
        hindsight=run.hindsight,
        n=len(judged),
        n_unknown=len(scored) - len(judged),
        n_treated=int(touched.sum()),
        **_figures(churned, p_churn),
    )


def labels_of(run: ScoredRun, tables: DayTable | CustomerTables, *, data_end: date) -> pd.DataFrame:
    """`customer_id` and `churned` (0 or 1) of those eligible as of the day of the run.

    Raises
    ------
    SettingsError
        If it is a label of contracts, and there are no subscriptions.
    """
    rule, known = run.rule, as_customer_tables(tables)
    if rule.is_contractual:
        labels = contract_labels(
            known,
            cutoffs=[run.as_of],
            horizon_days=rule.horizon_days,
            lead_days=rule.lead_days,
            grace_days=rule.grace_days,
            data_end=data_end,
        )
    else:
        labels = churn_labels(
            known.days,
            cutoffs=[run.as_of],
            horizon_days=rule.horizon_days,
            lead_days=rule.lead_days,
            data_end=data_end,
            active_days=rule.active_days,
        )
    return labels.assign(customer_id=labels["customer_id"].astype(str))[["customer_id", "churned"]]


def share_interval(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share, after Wilson."""
    from scipy.stats import binomtest

    found = binomtest(hits, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def slope_error(churned: FloatArray, p_churn: FloatArray, slope: float) -> float:
    """Standard error of the calibration slope, from the observed information at the fit.

    Given the fitted slope, the fitted intercept is the one that meets the actual share.
    """
    log_odds = logit(np.clip(p_churn, CLIP, 1 - CLIP))
    p = expit(slope * log_odds + calibration_in_the_large(churned, slope * log_odds))
    weight = p * (1 - p)
    centred = log_odds - np.average(log_odds, weights=weight)
    return float((weight * centred**2).sum() ** -0.5)


def _figures(churned: FloatArray, p_churn: FloatArray) -> dict[str, Any]:
    low, high = share_interval(int(churned.sum()), len(churned))
    losses = log_losses(churned, p_churn)
    clipped = np.clip(p_churn, CLIP, 1 - CLIP)
    promised = -(clipped * np.log(clipped) + (1 - clipped) * np.log1p(-clipped))
    return {
        "predicted": float(p_churn.mean()),
        "actual": float(churned.mean()),
        "actual_low": low,
        "actual_high": high,
        "log_loss": float(losses.mean()),
        "log_loss_foreseen": float(promised.mean()),
        "log_loss_excess_se": float((losses - promised).std() / len(losses) ** 0.5),
        "brier": float(((p_churn - churned) ** 2).mean()),
        **_line(churned, p_churn),
    }


def _line(churned: FloatArray, p_churn: FloatArray) -> dict[str, float | None]:
    """Ranking and calibration line; all None where everybody, or nobody, left."""
    if churned.min() == churned.max():
        return dict.fromkeys(("auc", "slope", "slope_low", "slope_high", "intercept"))
    metrics = probability_metrics(churned, p_churn)
    slope = metrics["calibration_slope"]
    half = None if slope is None else NORMAL * slope_error(churned, p_churn, slope)
    return {
        "auc": metrics["auc"],
        "slope": slope,
        "slope_low": None if slope is None or half is None else slope - half,
        "slope_high": None if slope is None or half is None else slope + half,
        "intercept": metrics["calibration_intercept"],
    }
