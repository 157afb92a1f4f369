"""How good the model is, beside what it has to beat."""

from collections.abc import Mapping
from typing import Any

SCORE_NAMES = {
    "patronage": "patronage",
    "recency": "Days since last purchase",
    "inactivity_rule": "Best inactivity rule",
    "one_minus_p_alive": "1 - P(alive)",
    "p_no_purchase": "P(no purchase), value model",
    "logistic_regression": "Logistic regression",
}
METRIC_NAMES = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "top_decile_lift": "Top-decile lift",
}


def quality_rows(models: Mapping[str, Mapping[str, float | None]]) -> list[list[str]]:
    """One row of texts per score, patronage first: its name, then its metrics, a dash for None."""
    known = [name for name in SCORE_NAMES if name in models]
    others = [name for name in models if name not in SCORE_NAMES]
    return [
        [SCORE_NAMES.get(name, name), *(_shown(models[name].get(key)) for key in METRIC_NAMES)]
        for name in (*known, *others)
    ]


def quality_sentence(metrics: Mapping[str, Any]) -> str:
    """How well the model ranks, in words a retention team can use.

    Parameters
    ----------
    metrics
        `test`, with `as_of`, `n` and `models`, as in `ReportData`.
    """
    test = metrics["test"]
    auc = test["models"]["patronage"]["auc"]
    return (
        f"Of one customer who left and one who stayed, the model gives the one who left the higher "
        f"chance to leave in {100 * auc:.0f} of 100 cases; tossing a coin gives 50. Measured on "
        f"{test['n']:,} customers as of {test['as_of']}, whom it had not been trained on."
    )


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
