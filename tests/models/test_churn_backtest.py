"""Rolling origin on simulated customers whose true chances are known."""

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError
from patronage.features import customer_days, day_table, mature_cutoffs
from patronage.features.arrays import calendar_day
from patronage.models.churn import ChurnModel
from patronage.models.churn_backtest import backtest_churn
from patronage.models.churn_backtest import testable_cutoffs as cutoffs_to_judge
from patronage.models.churn_backtest_result import tenths_held
from patronage.models.training_panel import LabelRule

RULE = LabelRule(active_days=180, horizon_days=60)
START, DAYS = date(2020, 1, 1), 500
MODEL = ChurnModel([], label_days=60, trials=1, seconds=float("inf"))


def make_log(customers=400, seed=0, cheap=0.0):
    """Purchases at a pace of one's own until one leaves.

    A share of the customers are `cheap`: they spend 1 at a time and leave soon, all others stay for
    long. Money tells who goes; pace and silence tell it late.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        pace, born = rng.gamma(2, 12) + 5, rng.uniform(0, 250)
        few = rng.random() < cheap
        stay = (60 if few else 3000) if cheap else 400
        day, end = born, min(DAYS, born + rng.exponential(stay))
        while day < end:
            rows.append((customer, day, 1.0 if few else rng.gamma(5, 10) + 5))
            day += rng.exponential(pace)
    table = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    when = pd.Timestamp(START) + pd.to_timedelta(table.pop("day").astype(int), unit="D")
    return table.assign(customer_id=table["customer_id"].astype(str), timestamp=when)


def tables_of(log):
    return day_table(customer_days(log))


def arguments_of(days, **changes):
    data_end = START + timedelta(days=DAYS)
    known = {"first_day": calendar_day(days.first_day), "data_end": data_end}
    grid = mature_cutoffs(**known, horizon_days=60, count=99)
    return {"cutoffs": grid, "rule": RULE, "data_end": data_end, "model": MODEL, **changes}


@pytest.fixture(scope="module")
def days():
    return tables_of(make_log())


@pytest.fixture(scope="module")
def backtest(days):
    arguments = arguments_of(days)
    told = []
    tests = cutoffs_to_judge(arguments["cutoffs"], label_days=60)[-3:]
    found = backtest_churn(
        days, **arguments, tests=tests, told=lambda done, of, one: told.append((done, of))
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    return found


def test_all_models_stand_at_every_cutoff(backtest):
    assert set(backtest.table["model"]) == {
        "patronage",
        "p_no_purchase",
        "one_minus_p_alive",
        "inactivity_rule",
        "recency",
        "logistic_regression",
        "logistic_rfm",
        "plain_lightgbm",
    }
    assert (backtest.table.groupby("model").size() == 3).all()
    assert len(backtest.rivals) == 7
    assert backtest.rivals[-1] == "recency"


def test_training_ends_before_the_test_begins(backtest):
    for one in backtest.cutoffs:
        assert max(one.trained_on) + timedelta(days=60) <= one.cutoff


def test_means_and_leads_are_those_of_the_table(backtest):
    losses = backtest.table.pivot(index="cutoff", columns="model", values="log_loss").astype(float)
    assert backtest.means["log_loss"]["patronage"] == pytest.approx(losses["patronage"].mean())
    ahead = (losses["patronage"] < losses["logistic_rfm"]).sum()
    assert backtest.ahead("logistic_rfm") == ahead
    difference, low, high = backtest.difference("logistic_rfm")
    assert difference == pytest.approx((losses["patronage"] - losses["logistic_rfm"]).mean())
    assert low < difference < high


def test_json_is_strict_and_whole(backtest):
    content = json.loads(json.dumps(backtest.to_dict(), allow_nan=False))
    assert len(content["by_cutoff"]) == 3
    first = next(iter(content["by_cutoff"].values()))
    assert first["models"]["recency"]["log_loss"] is None
    assert len(first["tenths"]) == 10
    assert {row["metric"] for row in content["differences"]} == {"log_loss", "brier", "auc"}
    assert content["tenths_held"]["of"] == 30


@pytest.mark.slow
def test_what_comes_later_changes_nothing(backtest):
    """A cutoff judged with data to its label's end and with all data is judged the same."""
    first = backtest.cutoffs[0]
    end = first.cutoff + timedelta(days=60)
    log = make_log()
    days = tables_of(log[log["timestamp"] < pd.Timestamp(end)])
    arguments = arguments_of(tables_of(log))
    arguments["cutoffs"] = [day for day in arguments["cutoffs"] if day <= first.cutoff]
    arguments["data_end"] = end
    again = backtest_churn(days, **arguments, tests=[first.cutoff]).cutoffs[0]
    pd.testing.assert_frame_equal(
        again.scores.sort_values("customer_id", ignore_index=True),
        first.scores.sort_values("customer_id", ignore_index=True),
    )


@pytest.mark.slow
def test_a_signal_that_no_pace_tells_is_found():
    """Who leaves soon spends 1: the value model cannot know, the trees can."""
    days = tables_of(make_log(customers=600, seed=3, cheap=0.5))
    arguments = arguments_of(days)
    tests = cutoffs_to_judge(arguments["cutoffs"], label_days=60)[-2:]
    found = backtest_churn(days, **arguments, tests=tests)
    difference, _, high = found.difference("p_no_purchase")
    assert high < 0
    assert difference < -0.02
    assert found.ahead("p_no_purchase") == 2


def test_a_label_not_known_yet_is_named(days):
    arguments = arguments_of(days)
    late = START + timedelta(days=DAYS - 30)
    with pytest.raises(DataError, match=f"1 of .* cutoffs is not known yet: {late} "):
        backtest_churn(days, **arguments, tests=[late])


def test_too_little_history_is_said(days):
    arguments = arguments_of(days)
    early = arguments["cutoffs"][1]
    with pytest.raises(DataError, match=f"too little history: {early}. A test needs two earlier"):
        backtest_churn(days, **arguments, tests=[early])
    with pytest.raises(DataError, match="too short for a backtest of churn. A test needs two"):
        backtest_churn(days, **{**arguments, "cutoffs": arguments["cutoffs"][:3]})


def test_a_cutoff_with_too_few_leavers_is_left_out_with_its_reason():
    days = tables_of(make_log(customers=14))
    arguments = arguments_of(days)
    with pytest.raises(DataError, match="at none of the 1 test cutoffs could the model be judged"):
        backtest_churn(days, **arguments, tests=arguments["cutoffs"][-1:])


def test_training_reaches_back_no_further_than_asked(days):
    arguments = arguments_of(days, max_cutoffs=7)
    found = backtest_churn(days, **arguments, tests=arguments["cutoffs"][-1:])
    assert len(found.cutoffs[0].trained_on) <= 5


def test_tenths_hold_by_their_rates():
    scores = pd.DataFrame({"patronage": np.linspace(0.05, 0.95, 200)})
    scores = scores.assign(
        churned=(np.arange(200) >= 100).astype(int),
        p_churn_low=scores["patronage"] - 0.1,
        p_churn_high=scores["patronage"] + 0.1,
    )
    table = tenths_held(scores)
    assert table["n"].tolist() == [20] * 10
    assert table["held"].tolist() == [True] + [False] * 8 + [True]
