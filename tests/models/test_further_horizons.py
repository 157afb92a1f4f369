"""Labels, starts, models and reading off of further horizons, on a small log."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError
from patronage.features import (
    customer_days,
    day_table,
    mature_cutoffs,
    purchases_between,
    rfm_summary,
)
from patronage.models import (
    BetaGeoModel,
    ChurnModel,
    CustomerValueModel,
    GammaGammaModel,
    PurchaseSeason,
    SeasonalModel,
    simulate_log,
)
from patronage.models.further_horizons import fit_further, further_chances, judged_horizons
from patronage.models.further_panel import (
    FurtherPanel,
    _chances,
    _with_season_of,
    days_of_horizons,
)
from patronage.models.scorer import SCORES, CustomerScorer
from patronage.models.training_panel import LabelRule, purchase_chances, training_panel

FIRST, END = date(2023, 1, 1), date(2025, 1, 1)
RULE = LabelRule(active_days=300, horizon_days=60, lead_days=5)
HORIZONS = (20, 30, 100)
FEATURES = ["days_since_last", "frequency", "usual_gap_days", "T"]


@pytest.fixture(scope="module")
def log():
    model = BetaGeoModel.with_params(r=0.8, alpha=25.0, a=0.7, b=3.0)
    log = simulate_log(model, customers=350, start=FIRST, end=END, seed=1)
    spent = np.random.default_rng(1).gamma(3, 5, len(log)).round(2)
    return log.assign(amount=spent)


@pytest.fixture(scope="module")
def days(log):
    return day_table(customer_days(log))


@pytest.fixture(scope="module")
def cutoffs():
    span = {"first_day": FIRST, "data_end": END, "count": 16}
    return mature_cutoffs(**span, horizon_days=RULE.horizon_days, lead_days=RULE.lead_days)


@pytest.fixture(scope="module")
def panel(days, cutoffs):
    return training_panel(days, cutoffs=cutoffs, rule=RULE, data_end=END)


@pytest.fixture(scope="module")
def further(days, cutoffs, panel):
    known = days_of_horizons(cutoffs, HORIZONS, rule=RULE, data_end=END)
    return FurtherPanel.of(panel, days, known, purchases=BetaGeoModel(), data_end=END)


@pytest.fixture(scope="module")
def main(panel, cutoffs):
    learn = panel[panel["as_of"].dt.date <= cutoffs[-1] - timedelta(days=RULE.label_days)]
    model = ChurnModel(FEATURES, label_days=RULE.label_days, trials=2, seconds=600)
    return model.fit(learn, learn["churned"])


@pytest.fixture(scope="module")
def models(panel, further, main):
    return fit_further(panel, further, main)


def test_each_horizon_has_the_cutoffs_that_its_label_allows(cutoffs):
    known = days_of_horizons(cutoffs, HORIZONS, rule=RULE, data_end=END)
    assert known[20].judge == known[30].judge == cutoffs[-1]
    assert known[100].judge < cutoffs[-1]
    for horizon, one in known.items():
        assert one.judge + timedelta(days=5 + horizon) <= END
        assert max(one.train) + timedelta(days=5 + horizon) <= one.judge
        late = [day for day in cutoffs if day not in one.train and day <= one.judge]
        assert all(day + timedelta(days=5 + horizon) > one.judge for day in late)
    assert len(known[20].train) > len(known[100].train)


def test_a_horizon_that_the_history_does_not_hold_is_named(cutoffs):
    with pytest.raises(DataError, match=r"more_horizons_days has 300, .* known 305 days after"):
        days_of_horizons(cutoffs, [30, 300], rule=RULE, data_end=END)
    with pytest.raises(DataError, match="more_horizons_days has 900"):
        days_of_horizons(cutoffs, [900], rule=RULE, data_end=END)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_labels_are_those_of_the_log_and_null_where_not_known(days, panel, further, horizon):
    as_of = panel["as_of"].dt.date
    for cutoff in (min(as_of), further.days[horizon].judge):
        begin = cutoff + timedelta(days=RULE.lead_days)
        bought = purchases_between(days, start=begin, end=begin + timedelta(days=horizon))
        rows = panel[as_of == cutoff].merge(bought, on="customer_id", validate="one_to_one")
        found = further.churned[horizon][(as_of == cutoff).to_numpy()]
        assert ((rows["purchases"] == 0).to_numpy() == found).all()
    unknown = as_of > further.days[horizon].judge
    assert np.isnan(further.churned[horizon]).tolist() == unknown.tolist()
    assert np.isnan(further.starts[horizon]).tolist() == unknown.tolist()


def test_labels_and_starts_are_consistent_by_construction(panel, further):
    known = ~np.isnan(further.churned[100])
    labels, starts = {**further.churned, 60: panel["churned"]}, {**further.starts}
    starts[60] = panel["p_no_purchase"].to_numpy()
    for shorter, longer in ((20, 30), (30, 60), (60, 100)):
        assert (np.asarray(labels[shorter])[known] >= np.asarray(labels[longer])[known]).all()
        assert (starts[shorter][known] >= starts[longer][known]).all()


def test_a_start_is_what_the_past_of_its_cutoff_says(days, panel, further, cutoffs):
    rule = LabelRule(active_days=300, horizon_days=30, lead_days=5)
    expected = purchase_chances(days, as_of=cutoffs[3], rule=rule).set_index("customer_id")
    rows = (panel["as_of"].dt.date == cutoffs[3]).to_numpy()
    ids = panel.loc[rows, "customer_id"]
    assert further.starts[30][rows] == pytest.approx(
        expected.loc[ids, "p_no_purchase"].to_numpy(), rel=1e-12
    )


def test_the_season_of_a_start_knows_nothing_after_the_day_that_judges(log, days, further):
    judge, horizons = further.days[100].judge, {100: further.days[100].rule}
    purchases = SeasonalModel(BetaGeoModel(), PurchaseSeason())
    cutoff = max(further.days[100].train)
    past = day_table(customer_days(log[log["timestamp"] < pd.Timestamp(judge)]))
    rfm = rfm_summary(past, as_of=cutoff)
    ids = rfm["customer_id"]
    whole, cut = (
        _chances(table, cutoff, horizons, _with_season_of(purchases, table, judge, horizons), ids)
        for table in (days, past)
    )
    assert whole[100] == pytest.approx(cut[100], rel=1e-9)
    plain = _chances(days, cutoff, horizons, BetaGeoModel(), ids)
    assert np.abs(whole[100] - plain[100]).mean() > 1e-3


def test_rows_of_a_horizon_have_its_label_and_start_and_the_features_they_had(panel, further):
    judge = further.days[30].judge
    rows, before = further.rows_of(panel, 30, [judge]), panel[panel["as_of"].dt.date == judge]
    assert rows[FEATURES].equals(before[FEATURES].reset_index(drop=True))
    assert rows["churned"].mean() > before["churned"].mean()
    assert (rows["p_no_purchase"].to_numpy() > before["p_no_purchase"].to_numpy()).all()


def test_models_take_the_parameters_found_and_their_own_cutoffs(main, models, further):
    for horizon, model in models.items():
        assert model.tuned_.params == main.tuned_.params
        assert model.label_days == 5 + horizon
        assert model.cutoffs_ == further.days[horizon].train


def read_off(models, panel, further, main):
    rows = panel[panel["as_of"].dt.date == further.days[100].judge]
    starts = {h: further.starts[h][rows.index] for h in models}
    fixed = main.predict_interval(rows)
    return fixed, further_chances(models, rows, starts, fixed, main_days=60)


def test_chances_and_intervals_fall_with_the_horizon(models, panel, further, main):
    fixed, found = read_off(models, panel, further, main)
    assert list(found) == [
        f"p_churn_{days}{end}" for days in HORIZONS for end in ("", "_low", "_high")
    ]
    both = pd.concat([fixed, found], axis=1)
    for end in ("", "_low", "_high"):
        names = [f"p_churn_20{end}", f"p_churn_30{end}", f"p_churn{end}", f"p_churn_100{end}"]
        assert (np.diff(both[names].to_numpy(), axis=1) <= 0).all()
    for days in HORIZONS:
        low, p, high = (found[f"p_churn_{days}{end}"] for end in ("_low", "", "_high"))
        assert ((low >= 0) & (low <= p) & (p <= high) & (high <= 1)).all()


def test_each_horizon_is_judged_where_its_label_is_known(models, panel, further, main):
    found = judged_horizons(models, panel, further, main, main_days=60)
    assert list(found) == ["20", "30", "100"]
    for horizon, one in found.items():
        days = further.days[int(horizon)]
        label = further.churned[int(horizon)][(panel["as_of"].dt.date == days.judge).to_numpy()]
        assert one["as_of"] == str(days.judge)
        assert one["churn_rate"] == pytest.approx(label.mean())
        assert one["n"] == len(label)
        assert 0 <= one["moved"] <= 1
        assert set(one["models"]) == {"patronage", "p_no_purchase"}
        assert one["models"]["patronage"]["log_loss"] < 0.75
    assert found["20"]["churn_rate"] > found["30"]["churn_rate"] > found["100"]["churn_rate"]


def test_a_horizon_in_which_everybody_churns_is_named(models, panel, further, main):
    all_churn = {days: np.ones_like(column) for days, column in further.churned.items()}
    bare = FurtherPanel(days=further.days, churned=all_churn, starts=further.starts)
    with pytest.raises(DataError, match=r"in 20 days cannot be learnt: of .* rows, everybody"):
        fit_further(panel, bare, main)
    with pytest.raises(DataError, match=r"for the horizon of 20 days, .* and 0 stayed, .* Leave"):
        judged_horizons(models, panel, bare, main, main_days=60)


@pytest.fixture(scope="module")
def scorer(days, main, models):
    value = CustomerValueModel(BetaGeoModel(), GammaGammaModel()).fit_days(days, as_of=END)
    terms = {"value_horizon": 365, "margin": 0.3, "annual_discount_rate": 0.1}
    asked = {"value": value, "churn": main, "rule": RULE, "currency": "EUR", "as_of": END}
    return CustomerScorer(**asked, **terms, further=models)


def some_customers(panel):
    rows = panel[panel["as_of"] == panel["as_of"].max()].reset_index(drop=True)
    return rows.assign(eligible=rows.index % 3 > 0)


def test_what_is_saved_scores_to_the_bit(scorer, panel, tmp_path):
    files = {role: tmp_path / path for role, path in scorer.save(tmp_path).items()}
    assert sorted(files) == ["booster", "booster_100", "booster_20", "booster_30", "numbers"]
    features = some_customers(panel)
    pd.testing.assert_frame_equal(
        CustomerScorer.load(**files).score(features), scorer.score(features), check_exact=True
    )


def test_scores_have_the_further_columns_for_who_is_eligible(scorer, panel):
    features = some_customers(panel)
    found = scorer.score(features)
    assert tuple(found) == scorer.scores
    assert set(scorer.scores) - set(SCORES) == {
        f"p_churn_{days}{end}" for days in HORIZONS for end in ("", "_low", "_high")
    }
    further = found[[name for name in found if name.startswith("p_churn_")]]
    assert further[features["eligible"]].notna().all(axis=None)
    assert further[~features["eligible"]].isna().all(axis=None)


def test_further_horizons_leave_every_other_score_as_it_is(scorer, panel, main):
    features = some_customers(panel)
    plain = CustomerScorer(**{**vars(scorer), "further": {}})
    alone = plain.score(features)
    assert tuple(alone) == SCORES
    pd.testing.assert_frame_equal(scorer.score(features)[list(SCORES)], alone, check_exact=True)


def test_nobody_eligible_has_no_chance(scorer, panel):
    found = scorer.score(some_customers(panel).assign(eligible=False))
    assert found["p_churn_30"].isna().all()
    assert found.dtypes.eq("float64").all()
