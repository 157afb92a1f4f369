"""A churn model beside what it has to beat, on a cutoff that nothing has been fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from patronage.errors import DataError
from patronage.models.churn import ChurnModel
from patronage.models.churn_baselines import InactivityRule, LogisticBaseline
from patronage.models.evaluation import ChurnMetrics, metrics_table
from patronage.models.panel_matrix import is_text

OURS = "patronage"
RULE = "inactivity_rule"
BASE_RATE = "base_rate"
AWAY = "days_since_last"
FEWEST = 10  # of either outcome: with fewer no figure would mean anything


@dataclass(frozen=True)
class Evaluation:
    """Labels and scores of one test cutoff.

    `scores` has one row per eligible customer: `customer_id`, `churned`, and a column for each
    model; `metrics` the metrics of each column.
    """

    scores: pd.DataFrame
    metrics: dict[str, ChurnMetrics]

    def to_dict(self) -> dict[str, Any]:
        """Size, churn rate and metrics, for JSON."""
        return {
            "n": len(self.scores),
            "churn_rate": float(self.scores["churned"].mean()),
            "models": self.metrics,
        }


def evaluate(
    model: ChurnModel, *, train: pd.DataFrame, test: pd.DataFrame, features: Sequence[str]
) -> Evaluation:
    """Score `test` by `model` and by baselines that see no more than `train`, and no text.

    Raises
    ------
    DataError
        If fewer than `FEWEST` of the test customers churned, or stayed.
    """
    refuse_too_few(
        test,
        who=f"customers as of {test['as_of'].iloc[0].date()}",
        remedy="Bring more customers, or choose another [churn] horizon_days or [features] "
        "active_days.",
    )
    numbers = [name for name in features if not is_text(train[name])]
    columns = [*numbers, "p_no_purchase"]
    rule = InactivityRule().fit(train[AWAY], train["churned"])
    regression = LogisticBaseline().fit(train[columns], train["churned"])
    scores = pd.DataFrame(
        {
            OURS: model.predict_proba(test),
            "p_no_purchase": test["p_no_purchase"],
            "logistic_regression": regression.predict_proba(test[columns]),
            RULE: rule.predict_proba(test[AWAY]),
            "one_minus_p_alive": 1 - test["p_alive"],
            "recency": test[AWAY],
        }
    )
    if not model.from_value_model:  # of contracts, where purchases say little
        scores[BASE_RATE] = float(train["churned"].mean())
    return Evaluation(
        scores=pd.concat([test[["customer_id", "churned"]], scores], axis=1),
        metrics=metrics_table(test["churned"], scores),
    )


def refuse_too_few(test: pd.DataFrame, *, who: str, remedy: str) -> None:
    """Refuse to judge by rows of which hardly any churned, or stayed.

    Parameters
    ----------
    test
        `churned` of each row.
    who, remedy
        Of the message: what the rows are, and what to do about it.

    Raises
    ------
    DataError
        If there are fewer than `FEWEST` of either.
    """
    churned = int(test["churned"].sum())
    if min(churned, len(test) - churned) < FEWEST:
        raise DataError(
            f"the model cannot be judged: of {len(test):,} {who}, {churned:,} churned and "
            f"{len(test) - churned:,} stayed, and {FEWEST} of each are the least. {remedy}"
        )
