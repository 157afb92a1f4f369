import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from patronage.errors import DataError
from patronage.models.churn import ChurnModel
from patronage.models.snapshot_evaluation import MixedLogistic, evaluate_snapshot


def table(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    plan = rng.choice(["a", "b", "c"], n)
    spend = np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))
    churned = rng.random(n) < np.where(plan == "a", 0.6, 0.1)
    rows = {"customer_id": np.arange(n).astype(str), "plan": plan, "spend": spend}
    return pd.DataFrame({**rows, "churned": churned.astype(int)})


@pytest.fixture(scope="module")
def evaluation():
    train = table()
    model = ChurnModel(["plan", "spend"], label_days=0, trials=1).fit(train, train["churned"])
    return evaluate_snapshot(model, train=train, test=table(seed=1))


def test_all_baselines_stand_beside_the_model(evaluation):
    base, ours = evaluation.metrics["base_rate"], evaluation.metrics["patronage"]
    assert base["auc"] == 0.5
    assert base["mean_predicted"] == pytest.approx(table()["churned"].mean())
    for name in ("patronage", "logistic_regression", "plain_lightgbm"):
        assert evaluation.metrics[name]["log_loss"] < base["log_loss"] - 0.03, name
    assert ours["log_loss"] < evaluation.metrics["plain_lightgbm"]["log_loss"]
    assert list(evaluation.scores) == ["customer_id", "churned", *evaluation.metrics]


def test_the_regression_takes_categories_gaps_and_unknown_values():
    train, test = table(), table(seed=2).assign(plan="never seen")
    model = MixedLogistic().fit(train[["plan", "spend"]], train["churned"])
    assert roc_auc_score(train["churned"], model.predict_proba(train[["plan", "spend"]])) > 0.75
    assert np.isfinite(model.predict_proba(test[["plan", "spend"]])).all()


def test_the_regression_of_an_empty_column_is_the_base_rate():
    train = table().assign(spend=np.nan, plan=None)[["plan", "spend", "churned"]]
    train["one"] = 1.0
    model = MixedLogistic().fit(train[["plan", "spend", "one"]], train["churned"])
    p = model.predict_proba(train[["plan", "spend", "one"]])
    assert p == pytest.approx(train["churned"].mean(), abs=1e-3)


def test_too_few_to_judge_by_are_refused():
    train = table(300)
    model = ChurnModel(["plan"], label_days=0, trials=1).fit(train, train["churned"])
    few = pd.concat([train[train["churned"] == 1].head(9), train[train["churned"] == 0].head(90)])
    with pytest.raises(DataError, match="of 99 rows kept to judge by, 9 churned and 90 stayed"):
        evaluate_snapshot(model, train=train, test=few)
