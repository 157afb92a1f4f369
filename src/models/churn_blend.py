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
SPREAD = 0.4  # log-odds by which churn moved between cutoffs in the retail data that were looked at


class CalibratedBlend(BaseEstimator):  # type: ignore[misc]
    """P(churn) from two estimates of it: a logistic regression on their log-odds.

    With weights that sum to one it is a geometric mean of odds; slope and shift calibrate it in
    the sense of Platt [1]_. Two things are learnt with caution. The weights are held at or above
    zero and drawn towards one half each by a ridge penalty worth `prior_rows` rows. The shift
    moves all customers of a cutoff at once, with season and trend, so a thousand customers of one
    cutoff tell it no better than one: each judging cutoff gets its own shift, and the mean of
    these counts by how much they agree and by how many label windows they span (empirical Bayes,
    a random effect of the cutoff).

    Parameters
    ----------
    prior_rows
        Strength of the pull of the weights towards the plain mean, in rows.
    prior_shift_sd
        Standard deviation, in log-odds, of a lasting bias before any data are seen.

    Attributes
    ----------
    shift_, booster_weight_, p_no_purchase_weight_
        logit p = shift + booster weight * logit p_booster + other weight * logit p_no_purchase.
    cutoff_shifts_
        The shift of each judging cutoff by itself, oldest first.

    References
    ----------
    .. [1] Platt (1999), Probabilistic outputs for support vector machines.
    """

    def __init__(self, *, prior_rows: float = 1000.0, prior_shift_sd: float = 0.2) -> None:
        self.prior_rows = prior_rows
        self.prior_shift_sd = prior_shift_sd

    def fit(
        self,
        p_booster: ArrayLike,
        p_no_purchase: ArrayLike,
        churned: ArrayLike,
        *,
        cutoff: ArrayLike,
        overlap: float,
    ) -> Self:
        """Fit on rows that are later than those that trained the booster.

        Parameters
        ----------
        cutoff
            The judging cutoff of each row; any values that sort by time.
        overlap
            How many neighbouring cutoffs share a label window: the label's length over the step
            between cutoffs, at least 1. So many cutoffs are worth one independent one.
        """
        _, place = np.unique(np.asarray(cutoff), return_inverse=True)
        y = np.asarray(churned, dtype=float)
        weights, shifts = _weights_and_shifts(
            _log_odds(p_booster, p_no_purchase), y, place, self.prior_rows
        )
        self.booster_weight_, self.p_no_purchase_weight_ = map(float, weights)
        self.cutoff_shifts_ = tuple(map(float, shifts))
        self.shift_ = _lasting_shift(shifts, overlap=overlap, prior_sd=self.prior_shift_sd)
        return self

    def predict_proba(self, p_booster: ArrayLike, p_no_purchase: ArrayLike) -> FloatArray:
        """Calibrated probability of churn, shape (n,)."""
        check_is_fitted(self, "shift_")
        # Written out: a matrix product would round differently with the number of rows.
        mixed = self.booster_weight_ * log_odds(p_booster)
        mixed += self.p_no_purchase_weight_ * log_odds(p_no_purchase)
        p: FloatArray = expit(self.shift_ + mixed)
        return p

    def to_dict(self) -> dict[str, Any]:
        """The fitted numbers, for JSON."""
        check_is_fitted(self, "shift_")
        return {
            **self.get_params(),
            "shift": self.shift_,
            "cutoff_shifts": list(self.cutoff_shifts_),
            "booster_weight": self.booster_weight_,
            "p_no_purchase_weight": self.p_no_purchase_weight_,
        }

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> Self:
        """The blend that `to_dict` described."""
        blend = cls(prior_rows=numbers["prior_rows"], prior_shift_sd=numbers["prior_shift_sd"])
        blend.shift_ = numbers["shift"]
        blend.cutoff_shifts_ = tuple(numbers["cutoff_shifts"])
        blend.booster_weight_ = numbers["booster_weight"]
        blend.p_no_purchase_weight_ = numbers["p_no_purchase_weight"]
        return blend


def log_odds(p: ArrayLike) -> FloatArray:
    """Log-odds of a probability, certainty clipped."""
    odds: FloatArray = logit(np.clip(np.asarray(p, dtype=float), CLIP, 1 - CLIP))
    return odds


def _log_odds(p_booster: ArrayLike, p_no_purchase: ArrayLike) -> FloatArray:
    return np.column_stack([log_odds(p_booster), log_odds(p_no_purchase)])


def _weights_and_shifts(
    terms: FloatArray, y: FloatArray, place: NDArray[np.intp], prior_rows: float
) -> tuple[FloatArray, FloatArray]:
    """Penalised maximum likelihood of two weights and one shift per cutoff."""
    count = int(place.max()) + 1

    def loss(both: FloatArray) -> tuple[float, FloatArray]:
        away = both[:2] - 0.5
        fitted = terms @ both[:2] + both[2:][place]
        value = -(y * log_expit(fitted) + (1 - y) * log_expit(-fitted)).sum()
        rest = expit(fitted) - y
        by_cutoff = np.bincount(place, rest, count)
        by_weight = terms.T @ rest + prior_rows * away
        slope = np.concatenate([by_weight, by_cutoff], dtype=np.float64) / len(y)
        return float(value + prior_rows / 2 * away @ away) / len(y), slope

    start = np.append([0.5, 0.5], np.zeros(count))
    bounds = [(0.0, None)] * 2 + [(None, None)] * count
    best = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return best[:2], best[2:]


def _lasting_shift(shifts: FloatArray, *, overlap: float, prior_sd: float) -> float:
    """The part of the cutoffs' mean shift that is taken to last.

    The spread between cutoffs is drawn towards `SPREAD` as if two more had shown it, for two or
    three cutoffs tell little about it.
    """
    seen = ((shifts - shifts.mean()) ** 2).sum()
    spread = (seen + 2 * SPREAD**2) / (len(shifts) + 1)
    independent = max(len(shifts) / overlap, 1.0)
    return float(shifts.mean() * independent / (independent + spread / prior_sd**2))
