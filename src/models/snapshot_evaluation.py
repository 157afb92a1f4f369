"""A snapshot's churn model beside what it has to beat, on rows that nothing was fitted on."""

from collections.abc import Sequence
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from patronage.models.churn import ChurnModel
from patronage.models.churn_evaluation import BASE_RATE, OURS, Evaluation, refuse_too_few
from patronage.models.evaluation import metrics_table
from patronage.models.panel_matrix import (
    is_text,
    learn_categories,
    panel_matrix,
    places_of_texts,
)

REGRESSION, PLAIN = "logistic_regression", "plain_lightgbm"
TREES = 100
Floats = NDArray[np.float64]


class MixedLogistic(BaseEstimator):  # type: ignore[misc]
    """Logistic regression on numbers and categories: standardised, and a column for each category.

    Gaps of numbers are filled by the median and marked; rare categories are one.
    """

    def fit(self, features: pd.DataFrame, churned: ArrayLike) -> Self:
        """Fit on all columns of `features`."""
        from sklearn.compose import make_column_transformer
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        known = [name for name in features if features[name].notna().any()]
        self.texts_ = [name for name in known if is_text(features[name])]
        self.numbers_ = [name for name in known if name not in self.texts_]
        rare = max(len(features) // 200, 1)
        one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=rare)
        filled = SimpleImputer(strategy="median", add_indicator=True)
        self.pipeline_ = make_pipeline(
            make_column_transformer(
                (make_pipeline(filled, StandardScaler()), self.numbers_),
                (one_hot, self.texts_),
            ),
            LogisticRegression(C=1.0, max_iter=2000),
        ).fit(self._plain(features), churned)
        return self

    def predict_proba(self, features: pd.DataFrame) -> Floats:
        """Probability of churn, shape (n,)."""
        check_is_fitted(self, "pipeline_")
        p: Floats = self.pipeline_.predict_proba(self._plain(features))[:, 1]
        return p

    def _plain(self, features: pd.DataFrame) -> pd.DataFrame:
        texts = {
            name: features[name].astype(object).where(features[name].notna(), "(empty)")
            for name in self.texts_
        }
        numbers = {name: features[name].astype(float) for name in self.numbers_}
        return pd.DataFrame({**numbers, **texts}, index=features.index)


def plain_lightgbm(train: pd.DataFrame, test: pd.DataFrame, features: Sequence[str]) -> Floats:
    """P(churn) of the test rows by LightGBM with its own defaults, categories native."""
    categories = learn_categories(train, features)
    data = lgb.Dataset(
        panel_matrix(train, features, categories),
        train["churned"].to_numpy(dtype=float),
        categorical_feature=places_of_texts(features, categories),
    )
    fixed: dict[str, Any] = {"objective": "binary", "verbosity": -1, "deterministic": True}
    booster = lgb.train({**fixed, "force_row_wise": True}, data, num_boost_round=TREES)
    return np.asarray(booster.predict(panel_matrix(test, features, categories)), dtype=float)


def evaluate_snapshot(model: ChurnModel, *, train: pd.DataFrame, test: pd.DataFrame) -> Evaluation:
    """Score `test` by `model` and by baselines that see no more than `train` and its features.

    Raises
    ------
    DataError
        If fewer than 10 of the test rows churned, or stayed.
    """
    refuse_too_few(
        test,
        who="rows kept to judge by",
        remedy="Bring more customers, or keep more to judge by: [churn] test_share",
    )
    features = list(model.features)
    regression = MixedLogistic().fit(train[features], train["churned"])
    scores = pd.DataFrame(
        {
            OURS: model.predict_proba(test),
            BASE_RATE: float(train["churned"].mean()),
            REGRESSION: regression.predict_proba(test[features]),
            PLAIN: plain_lightgbm(train, test, features),
        },
        index=test.index,
    )
    return Evaluation(
        scores=pd.concat([test[["customer_id", "churned"]], scores], axis=1),
        metrics=metrics_table(test["churned"], scores),
    )
