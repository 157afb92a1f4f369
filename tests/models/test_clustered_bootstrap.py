import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from patronage.models.clustered_bootstrap import paired_differences


def make_cutoffs(seed=0, customers=300, cutoffs=3, noise=0.5):
    """The same customers with a lasting taste at each cutoff; `noisy` sees it less well."""
    rng = np.random.default_rng(seed)
    taste, error = rng.normal(size=customers), rng.normal(size=customers)
    tables = []
    for _ in range(cutoffs):
        p = expit(taste)
        table = {
            "customer_id": np.arange(customers),
            "churned": (rng.random(customers) < p).astype(int),
            "ours": p,
            "noisy": expit(taste + noise * error),
            "rank": np.round(taste * 4),
        }
        tables.append(pd.DataFrame(table))
    return tables


def test_differences_are_those_of_scikit_learn():
    cutoffs = make_cutoffs()
    found = paired_differences(cutoffs, ours="ours", rivals=["noisy", "rank"], replicates=20)
    found = found.set_index(["rival", "metric", "cutoff"])["difference"]
    one = cutoffs[1]
    for metric, function in {
        "log_loss": log_loss,
        "brier": brier_score_loss,
        "auc": roc_auc_score,
    }.items():
        wanted = function(one["churned"], one["ours"]) - function(one["churned"], one["noisy"])
        assert found["noisy", metric, 1] == pytest.approx(wanted, abs=1e-9)
        each = [found["noisy", metric, place] for place in range(3)]
        assert found["noisy", metric, "mean"] == pytest.approx(np.mean(each))
    ranked = roc_auc_score(one["churned"], one["ours"]) - roc_auc_score(one["churned"], one["rank"])
    assert found["rank", "auc", 1] == pytest.approx(ranked, abs=1e-9)
    assert set(found.loc["rank"].index.get_level_values("metric")) == {"auc"}


def test_equal_scores_do_not_differ():
    cutoffs = [one.assign(same=one["ours"]) for one in make_cutoffs()]
    found = paired_differences(cutoffs, ours="ours", rivals=["same"], replicates=20)
    assert (found[["difference", "low", "high"]] == 0).all(axis=None)


def test_the_same_seed_gives_the_same_interval():
    arguments = {"ours": "ours", "rivals": ["noisy"], "replicates": 50}
    found = paired_differences(make_cutoffs(), **arguments)
    pd.testing.assert_frame_equal(found, paired_differences(make_cutoffs(), **arguments))
    other = paired_differences(make_cutoffs(), **arguments, seed=1)
    assert not other["low"].equals(found["low"])


def test_customers_not_rows_are_drawn():
    """A cutoff that is there four times tells no more than once."""
    once = make_cutoffs(cutoffs=1)
    width = {}
    for name, cutoffs in {
        "once": once,
        "copies": once * 4,
        "four": make_cutoffs(cutoffs=4),
    }.items():
        table = paired_differences(cutoffs, ours="ours", rivals=["noisy"], replicates=400)
        mean = table.query("metric == 'log_loss' and cutoff == 'mean'").iloc[0]
        width[name] = mean["high"] - mean["low"]
    assert width["copies"] == pytest.approx(width["once"], rel=1e-6)
    assert width["four"] < 0.8 * width["once"]


@pytest.mark.parametrize("metric", ["log_loss", "auc"])
def test_nine_intervals_of_ten_hold_the_truth(metric):
    large = make_cutoffs(seed=10_000, customers=60_000)
    truth = paired_differences(large, ours="ours", rivals=["noisy"], replicates=1)
    truth = truth.query("metric == @metric and cutoff == 'mean'")["difference"].iloc[0]
    held = 0
    for seed in range(200):
        found = paired_differences(
            make_cutoffs(seed, customers=150), ours="ours", rivals=["noisy"], replicates=200
        ).query("metric == @metric and cutoff == 'mean'")
        held += int(found["low"].iloc[0] <= truth <= found["high"].iloc[0])
    assert 0.83 <= held / 200 <= 0.96  # 0.9, give or take three standard errors
