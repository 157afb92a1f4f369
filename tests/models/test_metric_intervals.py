import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from patronage.models.metric_intervals import _blocks, _statistics, mean_interval, metric_intervals


def drawn(n, seed):
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 1.5, n)
    scores = pd.DataFrame({"p": expit(odds), "rank": np.round(odds, 0)})
    return pd.Series((rng.random(n) < expit(odds)).astype(int)), scores


def test_intervals_hold_the_truth_nine_times_in_ten():
    truth = roc_auc_score(*_large())
    hits = [low <= truth <= high for low, high in (_auc_interval(seed) for seed in range(60))]
    assert 0.78 <= np.mean(hits) <= 0.98


def _large():
    churned, scores = drawn(200_000, 1_000)
    return churned, scores["p"]


def _auc_interval(seed):
    return metric_intervals(*drawn(400, seed), draws=100)["p"]["auc"]


def test_the_auc_of_a_draw_is_that_of_its_rows():
    churned, scores = drawn(60, 3)
    rows = np.random.default_rng(0).integers(0, 60, 60)
    times = np.bincount(rows, minlength=60)[None, :].astype(float)
    for name in scores:
        found = _statistics(churned.to_numpy(float), scores[name])["auc"](times)
        expected = roc_auc_score(churned.iloc[rows], scores[name].iloc[rows])
        assert found == pytest.approx(expected)


def test_a_score_that_is_no_probability_has_an_auc_alone():
    found = metric_intervals(*drawn(200, 5))
    assert sorted(found["p"]) == ["auc", "brier", "log_loss"]
    assert list(found["rank"]) == ["auc"]


def test_a_mean_lies_in_its_interval():
    values = np.random.default_rng(1).exponential(2, 500)
    low, high = mean_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.645 * values.std() / np.sqrt(500), rel=0.2)


def test_draws_are_bounded_in_memory_and_number():
    blocks = [times.shape for times in _blocks(300_000, draws=300, seed=0)]
    assert sum(draws for draws, _ in blocks) == 66
    assert max(draws * customers for draws, customers in blocks) <= 1_000_000
