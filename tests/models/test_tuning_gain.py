import numpy as np
import pandas as pd
from scipy.special import expit

from patronage.models import churn_tuning
from patronage.models.churn import ChurnModel
from patronage.models.tuning_gain import tuning_gain

CUTOFFS = pd.date_range("2020-02-01", periods=6, freq="MS").as_unit("s")


def make_panel(cutoffs=CUTOFFS, rows=200, seed=0):
    rng = np.random.default_rng(seed)
    n = rows * len(cutoffs)
    away = rng.exponential(60, n)
    churned = (rng.random(n) < expit(-1.5 + 3.0 * (away > 60))).astype(int)
    made = {"as_of": np.repeat(cutoffs, rows), "away": away, "churned": churned}
    return pd.DataFrame(made).assign(p_no_purchase=0.5)


def gain_where(monkeypatch, least):
    monkeypatch.setattr(churn_tuning, "LEAST_GAIN", least)
    learn, test = make_panel(), make_panel(CUTOFFS[-1:], rows=1000, seed=1)
    model = ChurnModel(["away"], label_days=60, trials=8, seconds=600)
    return tuning_gain(model.fit(learn, learn["churned"]), learn, test)


def test_what_is_taken_is_judged_beside_the_defaults(monkeypatch):
    gain = gain_where(monkeypatch, 0.0)
    assert gain["taken"]
    assert gain["folds"]["tuned"] == gain["best_on_folds"] < gain["folds"]["untuned"]
    assert gain["test"]["tuned"] != gain["test"]["untuned"]
    assert 0.3 < gain["test"]["tuned"] < 0.69


def test_what_is_within_chance_is_left(monkeypatch):
    gain = gain_where(monkeypatch, 10.0)
    assert not gain["taken"]
    assert gain["folds"]["tuned"] == gain["folds"]["untuned"] > gain["best_on_folds"]
    assert gain["test"]["tuned"] == gain["test"]["untuned"]
