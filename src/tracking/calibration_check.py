"""Whether a challenger's probabilities are neither far too bold nor far too timid."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from patronage.models.evaluation import CLIP, FloatArray, calibration_in_the_large

SLOPES = (0.7, 1.4)
NORMAL_95 = 1.6449  # of the normal distribution: both edges of a 90 % interval


@dataclass(frozen=True)
class CalibrationCheck:
    """The calibration slope, its 90 % interval, and the range that it may not miss beyond chance.

    `intercept` is the shift of the log-odds that the test cutoff asks for. It is shown and not
    judged: one season's level of churn is not the model's fault. `slope`, `low` and `high` are None
    where all customers got the same probability; such a model is refused.
    """

    slope: float | None
    low: float | None
    high: float | None
    intercept: float
    lowest: float
    highest: float
    passed: bool

    def __str__(self) -> str:
        """One line."""
        word = "passed" if self.passed else "FAILED"
        if self.slope is None:
            return f"{word}: no calibration slope, all customers got the same probability"
        return (
            f"{word}: calibration slope {self.slope:.2f} (90 % interval {self.low:.2f} to "
            f"{self.high:.2f}), allowed {self.lowest:g} to {self.highest:g}; "
            f"intercept {self.intercept:+.2f}, not judged"
        )


def check_calibration(
    churned: pd.Series, p_churn: pd.Series, allowed: tuple[float, float] = SLOPES
) -> CalibrationCheck:
    """Cox's regression of the label on logit(p), with the standard error of its slope.

    Parameters
    ----------
    churned, p_churn
        Label and probability of out-of-time customers; both labels occur.
    allowed
        Refused is a slope whose interval lies wholly outside of this range.
    """
    y = churned.to_numpy(dtype=float)
    log_odds = logit(np.clip(p_churn.to_numpy(dtype=float), CLIP, 1 - CLIP))
    intercept = calibration_in_the_large(y, log_odds)
    if np.ptp(log_odds) == 0:
        return CalibrationCheck(None, None, None, intercept, *allowed, passed=False)
    slope, error = _slope(y, log_odds)
    low, high = slope - NORMAL_95 * error, slope + NORMAL_95 * error
    inside = low <= allowed[1] and high >= allowed[0]
    return CalibrationCheck(slope, low, high, intercept, *allowed, passed=inside)


def _slope(y: FloatArray, log_odds: FloatArray) -> tuple[float, float]:
    """Slope and its standard error, from the Fisher information at the fit."""
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=np.inf, max_iter=1000).fit(log_odds[:, None], y)
    slope, level = float(line.coef_[0, 0]), float(line.intercept_[0])
    p = expit(level + slope * log_odds)
    weight = p * (1 - p)
    centred = log_odds - np.average(log_odds, weights=weight)
    return slope, float((weight * centred**2).sum() ** -0.5)
