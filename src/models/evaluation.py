"""How good churn scores are: ranking, probability and calibration, out of time."""

from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

FloatArray = NDArray[np.float64]
CLIP = 1e-6  # keeps the log loss of a probability of exactly 0 or 1 finite


class ChurnMetrics(TypedDict):
    """Quality of one score; the last five are None for a score that is no probability.

    `calibration_slope` is None too where all customers got the same probability.
    """

    auc: float
    average_precision: float
    top_decile_lift: float
    log_loss: float | None
    brier: float | None
    calibration_slope: float | None
    calibration_intercept: float | None
    mean_predicted: float | None


def ranking_metrics(churned: ArrayLike, score: ArrayLike) -> ChurnMetrics:
    """Metrics of a score that only ranks; higher means more likely to churn."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    return ChurnMetrics(
        auc=float(roc_auc_score(churned, score)),
        average_precision=float(average_precision_score(churned, score)),
        top_decile_lift=top_decile_lift(churned, score),
        log_loss=None,
        brier=None,
        calibration_slope=None,
        calibration_intercept=None,
        mean_predicted=None,
    )


def probability_metrics(churned: ArrayLike, p_churn: ArrayLike) -> ChurnMetrics:
    """Metrics of a probability of churn in [0, 1]."""
    from sklearn.metrics import brier_score_loss, log_loss

    p = np.clip(np.asarray(p_churn, dtype=float), CLIP, 1 - CLIP)
    slope, intercept = calibration_line(churned, p)
    metrics = ranking_metrics(churned, p)
    metrics["log_loss"] = float(log_loss(churned, p))
    metrics["brier"] = float(brier_score_loss(churned, p))
    metrics["calibration_slope"] = slope
    metrics["calibration_intercept"] = intercept
    metrics["mean_predicted"] = float(p.mean())
    return metrics


def top_decile_lift(churned: ArrayLike, score: ArrayLike) -> float:
    """Churn rate of the tenth with the highest score over the overall rate.

    Ties at the edge of the tenth count in proportion, so the order of rows changes nothing.
    """
    y, s = np.asarray(churned, dtype=float), np.asarray(score, dtype=float)
    size = len(y) / 10
    edge = np.sort(s)[::-1][max(int(np.ceil(size)) - 1, 0)]
    above, tied = s > edge, s == edge
    caught = y[above].sum() + y[tied].mean() * (size - above.sum())
    return float(caught / size / y.mean())


def calibration_line(churned: ArrayLike, p_churn: ArrayLike) -> tuple[float | None, float]:
    """Slope and intercept of the logistic regression of the label on logit(p); ideal: 1 and 0.

    The slope is None where all probabilities are the same.

    References
    ----------
    .. [1] Cox (1958), Two further applications of a model for binary regression, Biometrika 45.
    .. [2] Van Calster et al. (2019), Calibration: the Achilles heel of predictive analytics,
       BMC Medicine 17: the intercept is taken with the slope fixed at 1.
    """
    from sklearn.linear_model import LogisticRegression

    log_odds = logit(np.clip(np.asarray(p_churn, dtype=float), CLIP, 1 - CLIP))
    if np.ptp(log_odds) == 0:
        return None, calibration_in_the_large(churned, log_odds)
    line = LogisticRegression(C=np.inf, max_iter=1000).fit(log_odds[:, None], churned)
    return float(line.coef_[0, 0]), calibration_in_the_large(churned, log_odds)


def calibration_in_the_large(churned: ArrayLike, log_odds: FloatArray) -> float:
    """The shift of the log-odds that makes the mean probability equal the churn rate."""
    from scipy.optimize import brentq
    from scipy.special import expit

    rate = float(np.mean(np.asarray(churned, dtype=float)))
    return float(brentq(lambda shift: float(expit(log_odds + shift).mean()) - rate, -50.0, 50.0))


def log_losses(churned: ArrayLike, p_churn: ArrayLike) -> FloatArray:
    """Log loss of every row, for paired comparisons."""
    y = np.asarray(churned, dtype=float)
    p = np.clip(np.asarray(p_churn, dtype=float), CLIP, 1 - CLIP)
    losses: FloatArray = -(y * np.log(p) + (1 - y) * np.log1p(-p))
    return losses


def metrics_table(churned: pd.Series, scores: pd.DataFrame) -> dict[str, ChurnMetrics]:
    """Metrics of every column of `scores`; a column within [0, 1] counts as a probability."""
    return {
        str(name): (
            probability_metrics(churned, column)
            if column.between(0, 1).all()
            else ranking_metrics(churned, column)
        )
        for name, column in scores.items()
    }
