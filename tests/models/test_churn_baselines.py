import numpy as np
import pandas as pd
import pytest

from patronage.models.churn_baselines import InactivityRule, LogisticBaseline


def test_rule_finds_the_step():
    away = np.arange(200)
    churned = (away > 60).astype(float)
    rule = InactivityRule().fit(away, churned)
    assert rule.days_ == 60
    assert rule.predict_proba([60, 61]) == pytest.approx([0.5 / 62, 139.5 / 140])


def test_rule_never_splits_customers_of_the_same_day():
    rule = InactivityRule().fit([5, 5, 5, 9, 9], [1, 0, 1, 1, 1])
    assert rule.days_ in (5, 9)


def test_rule_without_signal_keeps_everybody_together():
    rule = InactivityRule().fit([3.0] * 10, [1, 0] * 5)
    assert rule.predict_proba([3.0]) == pytest.approx([0.5])


def test_logistic_regression_bears_empty_columns_and_gaps():
    rng = np.random.default_rng(0)
    features = pd.DataFrame({"signal": rng.normal(size=900), "empty": np.nan})
    churned = (rng.random(900) < 1 / (1 + np.exp(-features["signal"]))).astype(int)
    features.loc[::7, "signal"] = np.nan
    p = LogisticBaseline().fit(features, churned).predict_proba(features)
    assert np.corrcoef(p, churned)[0, 1] > 0.2


def test_logistic_regression_of_few_rows_warns_of_nothing():
    features = pd.DataFrame({"signal": np.arange(40.0)})  # every warning is an error in tests
    p = LogisticBaseline().fit(features, [0, 1] * 20).predict_proba(features)
    assert p == pytest.approx([0.5] * 40, abs=0.1)
