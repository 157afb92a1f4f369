"""What a churn model has to beat: a rule of thumb, a plain regression, plain trees."""

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from patronage.features import rfm
from patronage.models.panel_matrix import learn_categories, panel_matrix, places_of_texts

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
        steps = min(200, len(features))
        self.pipeline_ = make_pipeline(
            SimpleImputer(strategy="median"),
            QuantileTransformer(output_distribution="normal", n_quantiles=steps, random_state=0),
            LogisticRegression(C=0.01, max_iter=1000),
        ).fit(features[self.columns_], churned)
        return self

    def predict_proba(self, features: pd.DataFrame) -> FloatArray:
        """Probability of churn, shape (n,)."""
        check_is_fitted(self, "pipeline_")
        p: FloatArray = self.pipeline_.predict_proba(features[self.columns_])[:, 1]
        return p


class RFMRegression(BaseEstimator):  # type: ignore[misc]
    """Logistic regression on recency, frequency and money alone, logarithms of all three.

    Logarithms rather than ranks: what lies beyond the training rows, as the age of the oldest
    customers always does, is then carried on and not thrown to the edge.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = tuple(feature.name for feature in rfm.FEATURES)

    def fit(self, features: pd.DataFrame, churned: ArrayLike) -> Self:
        """Fit on `COLUMNS` of the features; gaps count as the mean."""
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.pipeline_ = make_pipeline(
            SimpleImputer(keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(max_iter=1000),
        ).fit(self._logarithms(features), churned)
        return self

    def predict_proba(self, features: pd.DataFrame) -> FloatArray:
        """Probability of churn, shape (n,)."""
        check_is_fitted(self, "pipeline_")
        p: FloatArray = self.pipeline_.predict_proba(self._logarithms(features))[:, 1]
        return p

    def _logarithms(self, features: pd.DataFrame) -> FloatArray:
        values = features[list(self.COLUMNS)].to_numpy(dtype=float)
        logarithms: FloatArray = np.sign(values) * np.log1p(np.abs(values))
        return logarithms


class PlainLightGBM(BaseEstimator):  # type: ignore[misc]
    """LightGBM as most would train it first: every feature, usual parameters, nothing tuned.

    It knows nothing of the value model and is not calibrated. The parameters are those of common
    benchmarks of churn: 250 trees of 15 leaves, learning rate 0.03.
    """

    PARAMS: ClassVar[dict[str, Any]] = {
        "objective": "binary",
        "learning_rate": 0.03,
        "num_leaves": 15,
        "verbosity": -1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": 0,
    }
    TREES: ClassVar[int] = 250

    def fit(self, features: pd.DataFrame, churned: ArrayLike) -> Self:
        """Fit on all columns of `features`; a text is a categorical feature."""
        import lightgbm as lgb

        self.columns_ = [str(name) for name in features]
        self.categories_ = learn_categories(features, self.columns_)
        data = lgb.Dataset(
            panel_matrix(features, self.columns_, self.categories_),
            np.asarray(churned, dtype=float),
            categorical_feature=places_of_texts(self.columns_, self.categories_),
            params=self.PARAMS,
        )
        self.booster_ = lgb.train(self.PARAMS, data, num_boost_round=self.TREES)
        return self

    def predict_proba(self, features: pd.DataFrame) -> FloatArray:
        """Probability of churn, shape (n,)."""
        check_is_fitted(self, "booster_")
        matrix = panel_matrix(features, self.columns_, self.categories_)
        return np.asarray(self.booster_.predict(matrix), dtype=float)
