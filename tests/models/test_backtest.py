from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from patronage.errors import DataError, SettingsError
from patronage.features import customer_days, day_table
from patronage.models import (
    BetaGeoModel,
    CustomerValueModel,
    GammaGammaModel,
    ModifiedBetaGeoModel,
)
from patronage.models.backtest import backtest_value, holdout_table
from patronage.models.backtest_rivals import LAST_PERIOD, LIFETIMES, SAME_RATE
from patronage.models.holdout_likelihood import holdout_log_likelihood
from patronage.models.simulated_log import simulate_log

START, CUTOFF = date(2026, 1, 1), date(2026, 6, 1)


@pytest.fixture(scope="module")
def days():
    """A log of 1,000 customers who are as BG/NBD and Gamma-Gamma say."""
    model = BetaGeoModel.with_params(r=0.8, alpha=20.0, a=1.2, b=3.0)
    spend = GammaGammaModel.with_params(p=5, q=4, v=20)
    log = simulate_log(
        model, customers=1000, start=START, end=date(2026, 9, 1), spend=spend, seed=4
    )
    return day_table(customer_days(log))


@pytest.fixture(scope="module")
def backtest(days):
    return backtest_value(
        days, [BetaGeoModel()], cutoff=CUTOFF, horizon=60, spend=GammaGammaModel()
    )


@pytest.fixture(scope="module")
def cdnow(cdnow_exact):
    return cdnow_exact.rename(columns={"holdout": "holdout_purchases"})


def line(backtest, model, target="purchases"):
    table = backtest.table
    return table[(table["model"] == model) & (table["target"] == target)].iloc[0]


def test_cdnow_as_published(cdnow):
    # Fader, Hardie & Lee (2005): 1,882 purchases came in 39 weeks; BG/NBD on exact days says 1,646.
    row = line(backtest_value(cdnow, [BetaGeoModel()], horizon=39), "BetaGeoModel")
    assert row["actual"] == 1882
    assert row["predicted"] == pytest.approx(
        BetaGeoModel().fit(cdnow).expected_purchases(cdnow, 39).sum()
    )
    assert 1600 < row["predicted"] < 1700


def test_lifetimes_stands_beside_and_says_the_same(cdnow):
    backtest = backtest_value(cdnow, [BetaGeoModel()], horizon=39)
    ours, theirs = line(backtest, "BetaGeoModel"), line(backtest, LIFETIMES)
    for name in ("predicted", "mae", "rmse", "gini"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-3)
    assert np.isnan(theirs["log_likelihood"])


def test_the_log_likelihood_is_of_the_counts_that_came(cdnow):
    counts = cdnow["holdout_purchases"].to_numpy()
    model = BetaGeoModel().fit(cdnow)
    pmf = model.purchase_count_pmf(cdnow, 39, counts.max()).to_numpy()
    expected = np.log(pmf[np.arange(len(counts)), counts])
    found = holdout_log_likelihood(model, cdnow, 39, counts)
    assert found == pytest.approx(expected, rel=1e-9)
    row = line(backtest_value(cdnow, [BetaGeoModel()], horizon=39), "BetaGeoModel")
    assert row["log_likelihood"] == pytest.approx(expected.sum())


def test_every_target_and_model_has_a_line(backtest):
    table = backtest.table
    models = {"BetaGeoModel", SAME_RATE, LAST_PERIOD, LIFETIMES}
    assert set(table[table["target"] == "purchases"]["model"]) == models
    assert set(table[table["target"] == "spend"]["model"]) == models
    assert len(table) == 8


def test_what_came_is_what_the_log_holds(backtest, days):
    bought = days.purchase_day.astype("datetime64[D]")
    known = np.repeat(bought[days.purchase_offsets[:-1]], np.diff(days.purchase_offsets))
    inside = (bought >= np.datetime64(CUTOFF)) & (bought < np.datetime64("2026-07-31"))
    came = int((inside & (known < np.datetime64(CUTOFF))).sum())
    assert set(backtest.table.query("target == 'purchases'")["actual"]) == {came}


def test_the_model_beats_the_rules(backtest):
    ours = line(backtest, "BetaGeoModel")
    assert all(ours["rmse"] <= line(backtest, rule)["rmse"] for rule in (SAME_RATE, LAST_PERIOD))


def test_intervals_hold_what_they_claim_within_chance(backtest):
    for target in ("purchases", "spend"):
        row = line(backtest, "BetaGeoModel", target)
        assert row["coverage"] == pytest.approx(row["coverage_stated"], abs=0.03)
        assert row["coverage_stated"] >= 0.899


def test_a_customer_value_model_brings_its_own_spend(days, backtest):
    value = CustomerValueModel(BetaGeoModel(), GammaGammaModel())
    found = backtest_value(days, {"ours": value}, cutoff=CUTOFF, horizon=60, rivals=False)
    ours, before = line(found, "ours", "spend"), line(backtest, "BetaGeoModel", "spend")
    assert ours["predicted"] == before["predicted"]


def test_rules_by_hand():
    table = pd.DataFrame(
        {
            "customer_id": [1, 2, 3],
            "frequency": [4, 2, 0],
            "recency": [20.0, 10.0, 0.0],
            "T": [40.0, 40.0, 40.0],
            "holdout_purchases": [1, 0, 0],
        }
    )
    found = backtest_value(table, {}, horizon=10)
    assert list(found.forecasts[0].purchases) == [1.0, 0.5, 0.0]
    assert found.forecasts[0].name == SAME_RATE


def test_polars_gives_the_same(cdnow):
    table = cdnow.reset_index()
    pandas = backtest_value(table, [BetaGeoModel()], horizon=39, rivals=False)
    polars = backtest_value(pl.from_pandas(table), [BetaGeoModel()], horizon=39, rivals=False)
    pd.testing.assert_frame_equal(pandas.table, polars.table)


def test_models_of_one_class_are_told_apart(cdnow):
    models = [BetaGeoModel(), ModifiedBetaGeoModel(), BetaGeoModel()]
    found = backtest_value(cdnow.head(300), models, horizon=39, rivals=False)
    names = [forecast.name for forecast in found.forecasts]
    assert names == ["BetaGeoModel 1", "ModifiedBetaGeoModel", "BetaGeoModel 2"]


def test_a_fit_that_fails_is_a_line_with_a_note(days):
    once = holdout_table(days, CUTOFF, 60).assign(frequency=0, recency=0.0)
    row = line(backtest_value(once, [BetaGeoModel()], horizon=60, rivals=False), "BetaGeoModel")
    assert np.isnan(row["rmse"])
    assert "frequency is 0 for all" in row["note"]


def test_the_deciles_add_up_to_the_totals(backtest):
    tables = backtest.deciles.groupby(["target", "model"])
    for (target, model), table in tables:
        row = line(backtest, model, target)
        assert (table["predicted"] * table["n"]).sum() == pytest.approx(row["predicted"])
        assert (table["actual"] * table["n"]).sum() == pytest.approx(row["actual"])


def test_the_text_shows_each_model_once_per_target(backtest):
    assert str(backtest).count("lifetimes BG/NBD") == 2
    assert "nan" not in str(backtest)


def test_data_that_end_too_early_are_refused(days):
    with pytest.raises(DataError, match="90 days from 2026-07-01 ends on 2026-09-29, but the data"):
        holdout_table(days, date(2026, 7, 1), 90)


def test_a_table_without_a_holdout_is_refused(cdnow):
    with pytest.raises(DataError, match="holdout_purchases is missing from the customer table"):
        backtest_value(cdnow.drop(columns="holdout_purchases"), [BetaGeoModel()], horizon=39)


def test_a_cutoff_is_a_day(days):
    ask = {"horizon": 30, "rivals": False}
    said = backtest_value(days, [BetaGeoModel()], cutoff=str(CUTOFF), **ask)
    meant = backtest_value(days, [BetaGeoModel()], cutoff=CUTOFF, **ask)
    pd.testing.assert_frame_equal(said.table, meant.table)
    with pytest.raises(SettingsError, match="cutoff='autumn' must be a day: cutoff=date"):
        backtest_value(days, [BetaGeoModel()], cutoff="autumn", **ask)


def test_half_days_are_refused(days):
    with pytest.raises(SettingsError, match="horizon=7.5 must be whole days"):
        backtest_value(days, [BetaGeoModel()], cutoff=CUTOFF, horizon=7.5)


def test_half_a_purchase_is_refused(cdnow):
    table = cdnow.assign(holdout_purchases=cdnow["holdout_purchases"] + 0.5)
    with pytest.raises(DataError, match=r"is no number of purchases for 2,357 of 2,357 customers"):
        backtest_value(table, [BetaGeoModel()], horizon=39)
