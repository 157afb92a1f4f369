import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.metrics import log_loss

from patronage.errors import DataError
from patronage.models.churn import ChurnModel
from patronage.models.fold_booster import shifted_log_loss

FEATURES = ["away", "noise"]
CUTOFFS = pd.date_range("2020-01-31", periods=9, freq="MS").as_unit("s")


def make_panel(cutoffs=CUTOFFS, rows=400, seed=0):
    """Churn rises with `away`, steeply past 60 days.

    p_no_purchase is a cruder view of that, and knows something that no feature tells.
    """
    rng = np.random.default_rng(seed)
    n = rows * len(cutoffs)
    away = rng.exponential(60, n)
    untold = rng.normal(size=n)
    truth = expit(-1.5 + 3.0 * (away > 60) + untold)
    panel = pd.DataFrame(
        {
            "as_of": np.repeat(cutoffs, rows),
            "away": away,
            "noise": rng.normal(size=n),
            "p_no_purchase": expit(-1 + away / 60 + untold).clip(0.01, 0.99),
        }
    )
    return panel, pd.Series((rng.random(n) < truth).astype(int)), truth


@pytest.fixture(scope="module")
def learnt():
    panel, churned, _ = make_panel()
    return panel, churned, ChurnModel(FEATURES, label_days=60, trials=2).fit(panel, churned)


def test_it_is_closer_to_the_truth_than_its_part(learnt):
    test, churned, truth = make_panel(CUTOFFS[-1:], rows=4000, seed=9)
    p = learnt[2].predict_proba(test)
    assert log_loss(churned, p) < log_loss(churned, test["p_no_purchase"]) - 0.02
    assert p.mean() == pytest.approx(truth.mean(), abs=0.03)
    assert np.abs(p - truth).mean() < 0.06


def test_each_fold_judges_later_than_it_trains(learnt):
    _, _, model = learnt
    assert len(model.folds_) == 7
    for fold in model.folds_:
        assert (fold.judge - max(fold.train)).days >= 60


def test_the_same_seed_and_trials_give_the_same_model(learnt):
    panel, churned, model = learnt
    again = clone(model).fit(panel, churned)
    assert again.predict_proba(panel).equals(model.predict_proba(panel))


def test_the_order_of_columns_is_its_own_affair(learnt):
    panel, _, model = learnt
    shuffled = panel[["noise", "p_no_purchase", "as_of", "away"]]
    assert model.predict_proba(shuffled).equals(model.predict_proba(panel))


def test_input_is_left_alone(learnt):
    panel, churned, _ = make_panel()
    pd.testing.assert_frame_equal(panel, learnt[0])
    pd.testing.assert_series_equal(churned, learnt[1])


def test_contributions_add_up_to_the_log_odds(learnt):
    panel, _, model = learnt
    contributions = model.contributions(panel)
    assert list(contributions) == ["away", "noise", "p_no_purchase"]
    rest = logit(model.predict_proba(panel)) - contributions.sum(axis=1)
    assert rest.to_numpy() == pytest.approx(rest.iloc[0], abs=1e-6)
    both = contributions["away"] + contributions["p_no_purchase"]
    assert both.corr(pd.Series(logit(make_panel()[2]))) > 0.9


def test_the_trees_start_from_the_value_model(learnt):
    panel, churned, _ = learnt
    idle = ChurnModel(["noise"], label_days=60, trials=1).fit(panel, churned)
    p = idle.predict_proba(panel)
    assert p.corr(panel["p_no_purchase"], method="spearman") > 0.85


def test_the_rate_of_churn_lies_in_its_interval(learnt):
    test, _, truth = make_panel(CUTOFFS[-1:], rows=4000, seed=9)
    interval = learnt[2].predict_interval(test)
    assert interval["p_churn"].equals(learnt[2].predict_proba(test))
    low, high = interval["p_churn_low"], interval["p_churn_high"]
    assert ((low < interval["p_churn"]) & (interval["p_churn"] < high)).all()
    for group in (test["away"] > 60, test["away"] <= 60):
        assert low[group].mean() < truth[group].mean() < high[group].mean()


def test_trees_can_be_held_to_a_direction():
    panel, churned, _ = make_panel(rows=200)
    panel = panel.assign(overdue_ratio=-panel["away"])
    model = ChurnModel(["overdue_ratio"], label_days=60, trials=1, monotone=True)
    line = panel.iloc[:100].assign(overdue_ratio=np.linspace(-300, 0, 100), p_no_purchase=0.5)
    p = model.fit(panel, churned).predict_proba(line)
    assert (p.diff().dropna() >= 0).all()


def test_survives_json_and_text(learnt):
    panel, _, model = learnt
    numbers = json.loads(json.dumps(model.to_dict(), allow_nan=False))
    again = ChurnModel.from_dict(numbers, model.booster_.model_to_string())
    assert again.predict_proba(panel).equals(model.predict_proba(panel))
    pd.testing.assert_frame_equal(again.contributions(panel), model.contributions(panel))


def test_trees_that_were_cut_off_are_refused_before_they_are_read(learnt):
    numbers, text = learnt[2].to_dict(), learnt[2].booster_.model_to_string()
    with pytest.raises(DataError, match="the booster's text is cut off, or that of another model"):
        ChurnModel.from_dict(numbers, text[: len(text) // 2])
    del numbers["booster"]  # as older models were saved
    assert ChurnModel.from_dict(numbers, text).features == learnt[2].features


def test_a_missing_column_is_named(learnt):
    panel, _, model = learnt
    with pytest.raises(DataError, match="needs 2 columns that the table lacks: away, p_no_purch"):
        model.predict_proba(panel.drop(columns=["away", "p_no_purchase"]))


def test_too_short_a_history_is_refused():
    panel, churned, _ = make_panel(CUTOFFS[:2])
    message = r"at least 60 days apart .*; there are 2, from 2020-02-01 .*\] cutoffs, max_cutoffs\."
    with pytest.raises(DataError, match=message):
        ChurnModel(FEATURES, label_days=60).fit(panel, churned)


@pytest.mark.parametrize(("label", "who"), [(0, "nobody"), (1, "everybody")])
def test_labels_that_are_all_the_same_are_refused(label, who):
    panel, churned, _ = make_panel()
    with pytest.raises(DataError, match=f"of 3,600 labelled rows, {who} churned"):
        ChurnModel(FEATURES, label_days=60).fit(panel, churned * 0 + label)


def test_trials_are_kept_and_reported():
    panel, churned, _ = make_panel(rows=100)
    seen = []
    model = ChurnModel(FEATURES, label_days=60, trials=3)
    model.fit(panel, churned, progress=lambda done, best: seen.append((done, best)))
    assert [done for done, _ in seen] == [1, 2, 3]
    assert [trial["number"] for trial in model.tuned_.trials] == [0, 1, 2]
    assert seen[-1][1] == model.tuned_.log_loss
    assert seen[-1][1] <= seen[0][1]


def test_the_loss_that_is_tuned_does_not_see_the_level():
    rng = np.random.default_rng(0)
    p = rng.beta(2, 2, 5000)
    y = (rng.random(5000) < p).astype(float)
    moved = expit(logit(p) + 0.8)
    assert shifted_log_loss(y, moved) == pytest.approx(shifted_log_loss(y, p), abs=1e-6)
    assert shifted_log_loss(y, p) < shifted_log_loss(y, np.full(5000, 0.3))


@pytest.fixture(scope="module")
def with_region():
    """Churn follows the region as well; one region is too new to have been learnt from."""
    panel, churned, _ = make_panel(seed=1)
    rng = np.random.default_rng(2)
    region = pd.Series(rng.choice(["north", "south", "west"], len(panel)))
    lost = (region == "west") & (rng.random(len(panel)) < 0.7)
    region = region.mask(rng.random(len(panel)) < 0.1)
    panel = panel.assign(region=region.astype("category"))
    model = ChurnModel([*FEATURES, "region"], label_days=60, trials=1)
    return panel, model.fit(panel, churned.mask(lost, 1))


def test_a_text_is_learnt_from(with_region):
    panel, model = with_region
    assert model.categories_ == {"region": ["north", "south", "west"]}
    by_region = model.predict_proba(panel).groupby(panel["region"], observed=True).mean()
    assert by_region["west"] > by_region[["north", "south"]].max() + 0.2
    assert max(tree["num_cat"] for tree in model.booster_.dump_model()["tree_info"]) > 0


def test_a_text_never_seen_counts_as_missing(with_region):
    panel, model = with_region
    some = panel.head(50)
    unseen = model.predict_proba(some.assign(region="east"))
    assert unseen.equals(model.predict_proba(some.assign(region=None)))
    assert not unseen.equals(model.predict_proba(some.assign(region="west")))


def test_the_order_of_categories_changes_nothing(with_region):
    panel, model = with_region
    plain = model.predict_proba(panel)
    turned = panel["region"].cat.set_categories(["west", "east", "north", "south"])
    assert model.predict_proba(panel.assign(region=turned)).equals(plain)
    assert model.predict_proba(panel.assign(region=panel["region"].astype(object))).equals(plain)


def test_categories_survive_json(with_region):
    panel, model = with_region
    numbers = json.loads(json.dumps(model.to_dict(), allow_nan=False))
    again = ChurnModel.from_dict(numbers, model.booster_.model_to_string())
    assert again.predict_proba(panel).equals(model.predict_proba(panel))
    assert list(again.contributions(panel)) == [*FEATURES, "region", "p_no_purchase"]
