"""Odd data: a message that helps, or a model no worse than the value model it starts from."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from patronage.errors import DataError
from patronage.models.churn import ChurnModel

CUTOFFS = pd.date_range("2020-02-01", periods=8, freq="MS").as_unit("s")


def make_panel(rows=250, cutoffs=CUTOFFS, seed=0):
    rng = np.random.default_rng(seed)
    n = rows * len(cutoffs)
    away = rng.exponential(60, n)
    p = expit(-1 + away / 60)
    panel = pd.DataFrame(
        {"as_of": np.repeat(cutoffs, rows), "away": away, "p_no_purchase": p.clip(0.02, 0.98)}
    )
    return panel, pd.Series((rng.random(n) < p).astype(int))


def fit(panel, churned, features=("away",), **settings):
    model = ChurnModel(list(features), label_days=60, **{"trials": 2, **settings})
    return model.fit(panel, churned)


def no_worse_than_its_start(model, **made):
    test, churned = make_panel(cutoffs=CUTOFFS[-1:], rows=3000, seed=9)
    test = test.assign(**made)
    p = model.predict_proba(test)
    assert p.between(0, 1, inclusive="neither").all()
    assert log_loss(churned, p) < log_loss(churned, test["p_no_purchase"]) + 0.01


def test_shuffled_labels_teach_nothing():
    panel, churned = make_panel(rows=500)
    noise = panel["p_no_purchase"].sample(frac=1, random_state=0).to_numpy()
    shuffled = churned.sample(frac=1, random_state=1).reset_index(drop=True)
    model = fit(panel.assign(p_no_purchase=noise), shuffled)
    test, later = make_panel(cutoffs=CUTOFFS[-1:], rows=4000, seed=9)
    drawn = later.sample(frac=1, random_state=2).to_numpy()
    p = model.predict_proba(test.assign(p_no_purchase=0.5))
    assert roc_auc_score(drawn, p) == pytest.approx(0.5, abs=0.03)
    assert p.mean() == pytest.approx(shuffled.mean(), abs=0.05)


@pytest.mark.parametrize(("label", "who"), [(0, "nobody"), (1, "everybody")])
def test_a_constant_target_is_refused(label, who):
    panel, churned = make_panel()
    with pytest.raises(DataError, match=f"of 2,000 labelled rows, {who} churned"):
        fit(panel, churned * 0 + label)


@pytest.mark.parametrize("place", [0, 4, 7], ids=["oldest", "middle", "newest"])
@pytest.mark.parametrize("label", [0, 1])
def test_one_class_at_a_cutoff_leaves_a_usable_model(place, label):
    panel, churned = make_panel()
    model = fit(panel, churned.mask(panel["as_of"] == CUTOFFS[place], label))
    test, later = make_panel(cutoffs=CUTOFFS[-1:], rows=3000, seed=9)
    p = model.predict_proba(test)
    assert np.isfinite(model.tuned_.log_loss)
    assert roc_auc_score(later, p) > roc_auc_score(later, test["p_no_purchase"]) - 0.02
    assert 0.2 < p.mean() < 0.9


def test_one_class_in_all_that_trains_the_first_folds_is_no_error():
    panel, churned = make_panel()
    fit(panel, churned.mask(panel["as_of"] <= CUTOFFS[3], 0))


def test_fifty_customers_lean_on_the_value_model():
    no_worse_than_its_start(fit(*make_panel(rows=50)))


def test_six_customers_are_enough_not_to_break():
    panel, churned = make_panel(rows=6)
    p = fit(panel, churned).predict_proba(panel)
    assert p.between(0, 1, inclusive="neither").all()


@pytest.mark.slow
def test_two_thousand_features_of_noise_do_no_harm():
    panel, churned = make_panel(rows=120)
    rng = np.random.default_rng(3)
    names = [f"noise_{place}" for place in range(2000)]

    def noise(rows):
        return pd.DataFrame(rng.normal(size=(rows, 2000)).astype("float32"), columns=names)

    model = fit(pd.concat([panel, noise(len(panel))], axis=1), churned, ["away", *names], trials=1)
    test, later = make_panel(cutoffs=CUTOFFS[-1:], rows=1000, seed=9)
    p = model.predict_proba(pd.concat([test, noise(len(test))], axis=1))
    assert log_loss(later, p) < log_loss(later, test["p_no_purchase"]) + 0.02


ODD_COLUMNS = {
    "all null": np.nan,
    "constant": 7.0,
    "infinite": np.inf,
    "minus infinite": -np.inf,
    "huge": 1e300,
}


@pytest.mark.parametrize("value", ODD_COLUMNS.values(), ids=ODD_COLUMNS.keys())
def test_a_column_that_says_nothing_does_no_harm(value):
    panel, churned = make_panel()
    model = fit(panel.assign(odd=value), churned, ["away", "odd"])
    no_worse_than_its_start(model, odd=value)
    no_worse_than_its_start(model, odd=0.0)


def test_nothing_but_empty_columns_leaves_the_value_model():
    panel, churned = make_panel()
    model = fit(panel.assign(odd=np.nan), churned, ["odd"])
    no_worse_than_its_start(model, odd=np.nan)


def test_infinite_values_among_others_are_the_largest():
    panel, churned = make_panel()
    away = panel["away"].mask(panel["away"] > 120, np.inf)
    model = fit(panel.assign(away=away, p_no_purchase=0.5), churned)
    line = panel.head(3).assign(away=[1.0, 119.0, np.inf], p_no_purchase=0.5)
    p = model.predict_proba(line).to_numpy()
    assert p[0] < p[1] <= p[2]
