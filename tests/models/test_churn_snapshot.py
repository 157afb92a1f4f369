"""ChurnModel on rows without time and without a value model."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from patronage.errors import DataError
from patronage.models.churn import ChurnModel

FEATURES = ["plan", "age", "noise"]


def make_rows(n=3000, seed=0):
    """Churn is high on the plan "trial" and falls with age."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "plan": rng.choice(["trial", "basic", "gold"], n),
            "age": rng.uniform(18, 80, n),
            "noise": rng.normal(size=n),
        }
    )
    truth = expit(-2.5 + 2.5 * (rows["plan"] == "trial") - 0.03 * (rows["age"] - 50))
    return rows, pd.Series((rng.random(n) < truth).astype(int)), truth


@pytest.fixture(scope="module")
def learnt():
    rows, churned, _ = make_rows()
    return ChurnModel(FEATURES, label_days=0, trials=3).fit(rows, churned)


def test_it_ranks_and_its_probabilities_are_right(learnt):
    rows, churned, truth = make_rows(20_000, seed=1)
    p = learnt.predict_proba(rows)
    assert p.mean() == pytest.approx(truth.mean(), abs=0.015)
    assert np.abs(p - truth).mean() < 0.05
    assert log_loss(churned, p) < log_loss(churned, truth) + 0.015


def test_without_time_there_are_no_cutoffs_and_all_folds_judge(learnt):
    assert learnt.cutoffs_ == () == learnt.folds_
    assert len(learnt.calibration_.level_.cutoff_shifts) == 5
    assert len(learnt.tuned_.trials[0]["fold_losses"]) == 5
    assert set(learnt.calibration_.tried_) == {"none", "platt", "beta", "isotonic"}


def test_contributions_are_of_the_features_alone(learnt):
    rows, _, _ = make_rows(300, seed=2)
    contributions = learnt.contributions(rows)
    assert list(contributions) == FEATURES
    assert contributions["plan"].abs().mean() > 5 * contributions["noise"].abs().mean()


def test_a_saved_model_gives_the_same_probabilities(learnt):
    rows, _, _ = make_rows(200, seed=3)
    numbers = json.loads(json.dumps(learnt.to_dict(), allow_nan=False))
    again = ChurnModel.from_dict(numbers, learnt.booster_.model_to_string())
    pd.testing.assert_series_equal(again.predict_proba(rows), learnt.predict_proba(rows))


def test_shuffled_labels_teach_nothing():
    rows, churned, _ = make_rows(2000)
    shuffled = churned.sample(frac=1, random_state=0).reset_index(drop=True)
    model = ChurnModel(FEATURES, label_days=0, trials=3).fit(rows, shuffled)
    fresh, label, _ = make_rows(4000, seed=5)
    assert abs(roc_auc_score(label, model.predict_proba(fresh)) - 0.5) < 0.2
    assert model.predict_proba(fresh).std() < 0.06


def test_copies_of_rows_do_not_teach_the_search_that_they_can_be_known_by_heart():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=300), "z": rng.normal(size=300)})
    churned = pd.Series(rng.integers(0, 2, 300))  # nothing can be known
    copies = pd.concat([rows] * 10, ignore_index=True)
    labels = pd.concat([churned] * 10, ignore_index=True)
    model = ChurnModel(["x", "z"], label_days=0, trials=4).fit(copies, labels)
    assert model.tuned_.log_loss > 0.6  # it would be near 0 if copies judged each other


def test_fifty_customers_give_a_sensible_model():
    rows, churned, _ = make_rows(50, seed=8)
    p = ChurnModel(FEATURES, label_days=0, trials=2).fit(rows, churned).predict_proba(rows)
    assert p.mean() == pytest.approx(churned.mean(), abs=0.05)
    assert p.between(0.01, 0.99).all()


@pytest.mark.slow
def test_two_thousand_features_most_of_them_noise_or_empty():
    rows, churned, truth = make_rows(800, seed=9)
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(800, 1900)), columns=[f"f{i}" for i in range(1900)])
    empty = pd.DataFrame(np.nan, index=rows.index, columns=[f"e{i}" for i in range(97)])
    table = pd.concat([rows, wide, empty], axis=1)
    model = ChurnModel(list(table), label_days=0, trials=1).fit(table, churned)
    assert roc_auc_score(truth > truth.median(), model.predict_proba(table)) > 0.7


def test_a_constant_target_is_refused():
    rows, churned, _ = make_rows(100)
    with pytest.raises(DataError, match="of 100 labelled rows, nobody churned"):
        ChurnModel(FEATURES, label_days=0, trials=1).fit(rows, churned * 0)


def test_a_start_without_time_and_time_without_a_start_both_do():
    rows, churned, truth = make_rows(1200, seed=4)
    started = rows.assign(p_no_purchase=truth.clip(0.01, 0.99))
    model = ChurnModel(["noise"], label_days=0, trials=1).fit(started, churned)
    assert model.start_.weight > 0
    assert roc_auc_score(churned, model.predict_proba(started)) > 0.7
    days = np.repeat(pd.date_range("2024-01-01", periods=6, freq="MS").as_unit("s"), 200)
    dated = ChurnModel(FEATURES, label_days=30, trials=1).fit(rows.assign(as_of=days), churned)
    assert len(dated.folds_) == 5
    assert roc_auc_score(churned, dated.predict_proba(rows)) > 0.7
