import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from patronage.models.churn import ChurnModel
from patronage.models.evaluation import log_losses
from patronage.models.importance import most_used, permutation_importance, permuted, sample_rows
from patronage.models.partial_dependence import partial_dependence

FEATURES = ["away", "twin", "noise", "plan"]
FAMILIES = {"away": "pause", "twin": "pause", "noise": "noise", "plan": "attributes"}
CUTOFFS = pd.date_range("2020-01-31", periods=6, freq="MS").as_unit("s")


def make_panel(cutoffs=CUTOFFS, rows=500, seed=0):
    """Churn rises with `away`, of which `twin` says the same, and with the plan; noise is noise."""
    rng = np.random.default_rng(seed)
    n = rows * len(cutoffs)
    away = rng.exponential(60, n)
    monthly = rng.random(n) < 0.4
    panel = pd.DataFrame(
        {
            "as_of": np.repeat(cutoffs, rows),
            "away": away,
            "twin": np.where(rng.random(n) < 0.1, np.nan, away * 2),
            "noise": rng.normal(size=n),
            "plan": pd.array(np.where(monthly, "monthly", "yearly"), dtype="str"),
            "p_no_purchase": expit(-1 + away / 90).clip(0.01, 0.99),
        }
    )
    churned = rng.random(n) < expit(-2 + 3.0 * (away > 60) + 1.5 * monthly)
    return panel.assign(churned=churned.astype(int))


@pytest.fixture(scope="module")
def model():
    panel = make_panel()
    return ChurnModel(FEATURES, label_days=60, trials=2).fit(panel, panel["churned"])


@pytest.fixture(scope="module")
def test_rows():
    return make_panel(CUTOFFS[-1:] + pd.DateOffset(months=3), rows=1500, seed=5)


@pytest.fixture(scope="module")
def importance(model, test_rows):
    return permutation_importance(model, test_rows, FAMILIES)


def test_what_counts_comes_first_and_noise_is_nothing(importance):
    increases = {one.name: one.increase for one in importance.families}
    assert importance.families[0].name == "pause"
    assert set(increases) == {"pause", "noise", "attributes", "value_model"}
    assert increases["pause"] > increases["attributes"] > 0.02
    assert abs(increases["noise"]) < 0.02
    assert increases["value_model"] > 0


def test_a_family_is_permuted_as_a_whole(model, test_rows, importance):
    family = importance.families[0]
    assert family.columns == ("away", "twin")
    singles = {one.name: one.increase for one in importance.features}
    assert family.increase >= max(singles["away"], singles.get("twin", 0)) - 0.01
    order = np.random.default_rng(0).permutation(len(test_rows))
    shuffled = permuted(test_rows, family.columns, order)
    known = shuffled["twin"].notna()
    assert (shuffled["twin"] == 2 * shuffled["away"])[known].all()
    assert shuffled["plan"].equals(test_rows["plan"])


def test_the_log_loss_is_that_of_the_rows_as_they_are(model, test_rows, importance):
    expected = log_losses(test_rows["churned"], model.predict_proba(test_rows)).mean()
    assert importance.log_loss == pytest.approx(expected)
    assert (importance.rows, importance.of, importance.repeats) == (1500, 1500, 5)
    assert all(one.spread > 0 for one in importance.families if one.increase > 0.01)


def test_work_is_bounded(model, test_rows):
    short = permutation_importance(model, test_rows, FAMILIES, rows=300, seconds=0, single=1)
    assert (short.rows, short.of, short.repeats) == (300, 1500, 1)
    assert [one.name for one in short.features if one.name != "p_no_purchase"] == (
        most_used(model, 1)
    )
    assert {one.spread for one in short.families} == {0.0}


def test_the_same_seed_gives_the_same_importance(model, test_rows, importance):
    assert permutation_importance(model, test_rows, FAMILIES) == importance


def test_rows_are_drawn_once_each(test_rows):
    drawn = sample_rows(test_rows, 700, np.random.default_rng(1))
    assert len(drawn) == 700
    assert drawn["noise"].nunique() == 700


def test_dependence_follows_what_was_learnt(model, test_rows):
    away, plan, start = partial_dependence(model, test_rows, ["away", "plan", "p_no_purchase"])
    low, high = away.values[0], away.values[-1]
    assert low < 60 < high
    assert away.p_churn[-1] > away.p_churn[0] + 0.05
    by_plan = dict(zip(plan.values, plan.p_churn, strict=True))
    assert by_plan["monthly"] > by_plan["yearly"] + 0.1
    assert start.p_churn[-1] > start.p_churn[0]
    assert (plan.edges, sum(plan.counts)) == ((), 1500)
    assert away.p_missing is None


def test_dependence_says_what_no_value_means(model, test_rows):
    (twin,) = partial_dependence(model, test_rows, ["twin"])
    assert twin.missing == pytest.approx(0.1, abs=0.03)
    assert 0 < twin.p_missing < 1
    assert len(twin.values) == 15
    assert len(twin.edges) == len(twin.counts) + 1


def test_dependence_holds_the_rest_row_by_row(model, test_rows):
    (plan,) = partial_dependence(model, test_rows, ["plan"], rows=10**6)
    for value, p in zip(plan.values, plan.p_churn, strict=True):
        expected = model.predict_proba(test_rows.assign(plan=value)).mean()
        assert p == pytest.approx(expected, abs=1e-12)


def test_a_feature_of_one_value_is_left_out(model, test_rows):
    same = test_rows.assign(noise=3.0, twin=np.nan)
    assert partial_dependence(model, same, ["noise", "twin"]) == ()
