"""What a churn model has to beat: one rule of thumb and one plain regression."""

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

FloatArray = NDArray[np.float64]


class InactivityRule(BaseEstimator):  # type: ignore[misc]
    """Who has been away for longer than some number of days counts as lost.

    The number of days is the one with the best log loss on the training rows; the two groups get
    their training churn rates, so that the rule can be judged as a probability too.

    Attributes
    ----------
    days_
        Customers away for more than so many days are called lost.
    rates_
        Churn rate of those within and those beyond `days_`.
    """

    def fit(self, days_since_last: ArrayLike, churned: ArrayLike) -> Self:
        """Find the best threshold over all distinct numbers of days."""
        away = np.asarray(days_since_last, dtype=float)
        order = np.argsort(away, kind="stable")
        away, y = away[order], np.asarray(churned, dtype=float)[order]
        last_of_its_day = np.append(np.flatnonzero(np.diff(away)), len(away) - 1)
        within = (np.cumsum(y)[last_of_its_day], last_of_its_day + 1.0)
        beyond = (y.sum() - within[0], len(y) - within[1])
        loss = _group_loss(*within) + _group_loss(*beyond)
        best = int(np.argmin(loss))
        self.days_ = float(away[last_of_its_day[best]])
        self.rates_ = (_rate(within[0], within[1])[best], _rate(beyond[0], beyond[1])[best])
        return self

    def predict_proba(self, days_since_last: ArrayLike) -> FloatArray:
        """Training churn rate of the customer's side of the threshold, shape (n,)."""
        check_is_fitted(self, "days_")
        away = np.asarray(days_since_last, dtype=float)
        p: FloatArray = np.where(away > self.days_, self.rates_[1], self.rates_[0])
        return p


def _rate(churners: FloatArray, size: FloatArray) -> FloatArray:
    """Churn rate with half a churner and half a stayer added, so that it is never 0 or 1."""
    rate: FloatArray = (churners + 0.5) / (size + 1.0)
    return rate


def _group_loss(churners: FloatArray, size: FloatArray) -> FloatArray:
    rate = _rate(churners, size)
    loss: FloatArray = -(churners * np.log(rate) + (size - churners) * np.log1p(-rate))
    return loss


class LogisticBaseline(BaseEstimator):  # type: ignore[misc]
    """Logistic regression on the same features: medians for gaps, normal scores, ridge penalty.

    Fitted on at most `max_rows` rows drawn at random; its few coefficients need no more.
    """

    def __init__(self, *, max_rows: int = 50_000) -> None:
        self.max_rows = max_rows

    def fit(self, features: pd.DataFrame, churned: ArrayLike) -> Self:
        """Fit on all columns of `features` that have a value in any row."""
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import QuantileTransformer

        rows = np.random.default_rng(0).permutation(len(features))[: self.max_rows]
        features, churned = features.iloc[rows], np.asarray(churned)[rows]
        self.columns_ = [name for name in features if features[name].notna().any()]
        self.pipeline_ = make_pipeline(
            SimpleImputer(strategy="median"),
            QuantileTransformer(output_distribution="normal", n_quantiles=200, random_state=0),
            LogisticRegression(C=0.01, max_iter=1000),
        ).fit(features[self.columns_], churned)
        return self

    def predict_proba(self, features: pd.DataFrame) -> FloatArray:
        """Probability of churn, shape (n,)."""
        check_is_fitted(self, "pipeline_")
        p: FloatArray = self.pipeline_.predict_proba(features[self.columns_])[:, 1]
        return p
