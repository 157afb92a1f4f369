"""Blend of the booster with the value model's P(no purchase), calibrated in the same step."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

FloatArray = NDArray[np.float64]
CLIP = 1e-4  # a model's 0 or 1 is not taken as certainty


class CalibratedBlend(BaseEstimator):  # type: ignore[misc]
    """P(churn) from two estimates of it: a logistic regression on their log-odds.

    With weights that sum to one it is a geometric mean of odds; the slope and the shift make it
    calibrated in the sense of Platt [1]_. The weights are held at or above zero and drawn towards
    one half each, the shift towards zero, by a ridge penalty worth `prior_rows` rows, so that few
    rows give a plain mean rather than a wild fit.

    Parameters
    ----------
    prior_rows
        Strength of the pull towards the plain mean, in rows.

    Attributes
    ----------
    shift_, booster_weight_, p_no_purchase_weight_
        logit p = shift + booster weight * logit p_booster + other weight * logit p_no_purchase.

    References
    ----------
    .. [1] Platt (1999), Probabilistic outputs for support vector machines.
    """

    def __init__(self, *, prior_rows: float = 200.0) -> None:
        self.prior_rows = prior_rows

    def fit(self, p_booster: ArrayLike, p_no_purchase: ArrayLike, churned: ArrayLike) -> Self:
        """Fit on rows that are later than those that trained the booster."""
        terms = _log_odds_terms(p_booster, p_no_purchase)
        y = np.asarray(churned, dtype=float)
        centre = np.array([0.0, 0.5, 0.5])

        def loss(weights: FloatArray) -> tuple[float, FloatArray]:
            log_odds = terms @ weights
            away = weights - centre
            value = -(y * log_expit(log_odds) + (1 - y) * log_expit(-log_odds)).sum()
            slope = terms.T @ (expit(log_odds) - y)
            return (
                float(value + self.prior_rows / 2 * away @ away) / len(y),
                (slope + self.prior_rows * away) / len(y),
            )

        bounds = [(None, None), (0.0, None), (0.0, None)]
        best = minimize(loss, centre, jac=True, bounds=bounds, method="L-BFGS-B").x
        self.shift_, self.booster_weight_, self.p_no_purchase_weight_ = map(float, best)
        return self

    def predict_proba(self, p_booster: ArrayLike, p_no_purchase: ArrayLike) -> FloatArray:
        """Calibrated probability of churn, shape (n,)."""
        check_is_fitted(self, "shift_")
        weights = np.array([self.shift_, self.booster_weight_, self.p_no_purchase_weight_])
        p: FloatArray = expit(_log_odds_terms(p_booster, p_no_purchase) @ weights)
        return p

    def to_dict(self) -> dict[str, float]:
        """The fitted numbers, for JSON."""
        check_is_fitted(self, "shift_")
        return {
            "prior_rows": self.prior_rows,
            "shift": self.shift_,
            "booster_weight": self.booster_weight_,
            "p_no_purchase_weight": self.p_no_purchase_weight_,
        }

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> Self:
        """The blend that `to_dict` described."""
        blend = cls(prior_rows=numbers["prior_rows"])
        blend.shift_ = numbers["shift"]
        blend.booster_weight_ = numbers["booster_weight"]
        blend.p_no_purchase_weight_ = numbers["p_no_purchase_weight"]
        return blend


def _log_odds_terms(p_booster: ArrayLike, p_no_purchase: ArrayLike) -> FloatArray:
    """Columns 1, logit p_booster, logit p_no_purchase."""
    pair = np.clip(np.column_stack([p_booster, p_no_purchase]).astype(float), CLIP, 1 - CLIP)
    return np.column_stack([np.ones(len(pair)), logit(pair)])
