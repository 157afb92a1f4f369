import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError, SettingsError
from patronage.features import customer_days, day_table
from patronage.models import (
    BetaGeoCNBDModel,
    BetaGeoModel,
    BetaGeoParams,
    ModifiedBetaGeoModel,
    ParetoNBDModel,
    ParetoNBDParams,
    PurchaseSeason,
    SeasonalModel,
)
from patronage.models.backtest import backtest_value, holdout_table
from patronage.models.choose_purchases import CANDIDATES, choose_purchases
from patronage.models.model_forecast import model_forecast
from patronage.models.season_calendar import SeasonCurve, Terms
from patronage.models.season_trial import repeats_by_month
from patronage.models.simulated_log import simulate_log

START, CUTOFF, END = date(2024, 1, 1), date(2025, 1, 1), date(2025, 7, 1)


def simulated(model, params, customers=4000):
    model = type(model).with_params(**model.get_params(), **params._asdict())
    log = simulate_log(model, customers=customers, start=START, end=END, seed=8)
    return log.assign(amount=1.0)


def days_of(log):
    return day_table(customer_days(log))


@pytest.fixture(scope="module")
def log():
    """Customers who leave often and right after their first purchase: no BG/NBD does that."""
    return simulated(ModifiedBetaGeoModel(), BetaGeoParams(1.5, 15.0, 2.0, 2.0))


@pytest.fixture(scope="module")
def days(log):
    return days_of(log)


@pytest.fixture(scope="module")
def choice(days):
    return choose_purchases(days, cutoff=CUTOFF, horizon_days=160)


def test_the_model_that_made_the_data_wins(choice):
    assert isinstance(choice.model, ModifiedBetaGeoModel)
    assert choice.candidates[0].model == "ModifiedBetaGeoModel"


def test_another_truth_another_winner():
    days = days_of(simulated(ParetoNBDModel(), ParetoNBDParams(1.5, 20.0, 2.0, 400.0)))
    choice = choose_purchases(days, cutoff=CUTOFF, horizon_days=160)
    assert isinstance(choice.model, ParetoNBDModel)


def test_regular_customers_have_a_model_of_regular_timing():
    log = simulated(BetaGeoCNBDModel(k=4), BetaGeoParams(4.0, 20.0, 0.8, 6.0), customers=1500)
    choice = choose_purchases(days_of(log), cutoff=CUTOFF, horizon_days=160)
    assert isinstance(choice.model, BetaGeoCNBDModel)
    assert choice.model.k in (3, 4, 5)
    assert choice.candidates[0].k == choice.model.k


def test_the_winner_is_not_fitted(choice):
    assert not hasattr(choice.model, "params_")


def test_the_likelihood_is_the_backtests(choice, days):
    known = holdout_table(days, CUTOFF, 160)
    expected = model_forecast("", choice.model, known, 160, 0.9)
    assert choice.candidates[0].log_likelihood == pytest.approx(expected.log_likelihood)
    assert choice.candidates[0].expected == pytest.approx(expected.purchases.sum())
    assert choice.actual == known["holdout_purchases"].sum()
    assert choice.customers == len(known)


def test_what_came_after_the_horizon_changes_nothing(log, days):
    cut = days_of(log[log["timestamp"] < pd.Timestamp(CUTOFF) + pd.Timedelta(days=100)])
    horizon = cut.last_day + 1 - (CUTOFF - date(1970, 1, 1)).days
    assert 80 < horizon <= 100
    asked = {"cutoff": CUTOFF, "horizon_days": int(horizon)}
    assert choose_purchases(cut, **asked).to_dict() == choose_purchases(days, **asked).to_dict()


def test_all_candidates_are_told_the_best_first(choice):
    content = json.loads(json.dumps(choice.to_dict(), allow_nan=False))
    likely = [model["log_likelihood"] for model in content["models"]]
    assert content["chosen"] == content["models"][0]["model"]
    assert len(likely) == len(CANDIDATES)
    assert likely == sorted(likely, reverse=True)
    assert (content["as_of"], content["horizon_days"]) == ("2025-01-01", 160)


def test_a_fit_that_did_not_converge_is_passed_over(days, monkeypatch):
    fit = ModifiedBetaGeoModel.fit

    def unsettled(self, rfm, weights=None):
        fit(self, rfm, weights).converged_ = False
        return self

    monkeypatch.setattr(ModifiedBetaGeoModel, "fit", unsettled)
    choice = choose_purchases(days, cutoff=CUTOFF, horizon_days=160)
    assert not isinstance(choice.model, ModifiedBetaGeoModel)
    assert choice.candidates[-1].model == "ModifiedBetaGeoModel"


def test_where_nothing_can_be_fitted_the_first_is_taken(caplog):
    once = days_of(simulated(BetaGeoModel(), BetaGeoParams(1e-3, 1e6, 1.0, 1.0), customers=50))
    choice = choose_purchases(once, cutoff=CUTOFF, horizon_days=90)
    assert isinstance(choice.model, BetaGeoModel)
    assert choice.candidates[0].log_likelihood is None
    assert "frequency is 0 for all" in choice.candidates[0].note
    assert "no model of purchases converged as of 2025-01-01" in caplog.text


SALE = SeasonCurve(Terms(1), (0.2, -0.5))


@pytest.fixture(scope="module")
def two_years():
    """What a season made, and the same model without one: (seasonal days, plain days)."""
    plain = ModifiedBetaGeoModel()
    plain.params_, plain.covariates_ = BetaGeoParams(1.5, 30.0, 0.6, 4.0), None
    seasonal = SeasonalModel(ModifiedBetaGeoModel())
    seasonal.purchases_, seasonal.params_, seasonal.season_ = plain, plain.params_, SALE
    span = {"customers": 3000, "start": date(2023, 1, 1), "end": END, "seed": 3}
    logs = [simulate_log(model, **span).assign(amount=1.0) for model in (seasonal, plain)]
    return [days_of(log) for log in logs]


ASKED = {
    "cutoff": date(2025, 4, 1),
    "horizon_days": 90,
    "candidates": [BetaGeoModel(), ModifiedBetaGeoModel()],
    "season": PurchaseSeason(),
}


def test_a_season_is_taken_where_it_foresees_better(two_years):
    choice = choose_purchases(two_years[0], **ASKED)
    assert isinstance(choice.model, SeasonalModel)
    assert isinstance(choice.model.purchases, ModifiedBetaGeoModel)
    assert not hasattr(choice.model, "params_")
    days = [date.fromisoformat(window.as_of) for window in choice.season.windows]
    assert days == [date(2025, 4, 1) - timedelta(days=30 * place) for place in range(12)]
    assert choice.season.gain > 5 * choice.season.chance
    plain = sum(abs(window.plain - window.actual) for window in choice.season.windows)
    assert sum(abs(w.seasonal - w.actual) for w in choice.season.windows) < plain / 3
    content = json.loads(json.dumps(choice.to_dict(), allow_nan=False))
    assert content["chosen"] == content["models"][0]["model"] == "ModifiedBetaGeoModel"
    assert content["season"]["taken"]
    assert content["season"]["months"] == pytest.approx(SALE.by_month(), abs=0.1)
    counted = content["season"]["counted"]
    assert np.corrcoef(counted, SALE.by_month())[0, 1] > 0.9


def test_repeat_purchases_are_counted_by_month_over_whole_years():
    first = [("a", "2023-01-01"), ("b", "2023-03-01"), ("c", "2023-12-05")]
    repeats = [("a", f"2023-12-{day:02d}") for day in range(1, 32)]
    log = pd.DataFrame(
        [*first, *repeats, *[("b", f"2023-04-{day:02d}") for day in range(1, 11)]],
        columns=["customer_id", "timestamp"],
    ).astype({"timestamp": "datetime64[us]"})
    days = days_of(log.assign(amount=1.0))
    counted = repeats_by_month(days, date(2024, 1, 1))
    assert counted[11] == pytest.approx(31 / 31 * 365 / 41)
    assert counted[3] == pytest.approx(10 / 30 * 365 / 41)
    assert sum(counted) == pytest.approx(counted[11] + counted[3])
    assert repeats_by_month(days, date(2023, 12, 31)) == ()


def test_no_season_is_taken_where_there_is_none(two_years):
    choice = choose_purchases(two_years[1], **ASKED)
    assert isinstance(choice.model, ModifiedBetaGeoModel)
    assert len(choice.season.windows) == 12
    assert not choice.season.taken


def test_no_season_is_tried_before_a_year_of_data(two_years):
    early = date(2023, 12, 31)
    choice = choose_purchases(two_years[0], **ASKED | {"cutoff": early})
    assert isinstance(choice.model, ModifiedBetaGeoModel)
    assert choice.season.windows == ()
    assert "the data begin on 2023-01-01, less than a year (365 days)" in choice.season.note


def test_a_season_can_be_backtested(two_years):
    models = [ModifiedBetaGeoModel(), SeasonalModel(ModifiedBetaGeoModel())]
    asked = {"cutoff": date(2025, 4, 1), "horizon": 90, "rivals": False}
    table = backtest_value(two_years[0], models, **asked).table.set_index("model")
    seasonal = table.loc["SeasonalModel(ModifiedBetaGeoModel)"]
    plain = table.loc["ModifiedBetaGeoModel"]
    assert abs(seasonal["bias"]) < abs(plain["bias"])
    assert seasonal["log_likelihood"] > plain["log_likelihood"]
    assert seasonal["coverage"] == pytest.approx(seasonal["coverage_stated"], abs=0.03)


def test_a_horizon_beyond_the_data_is_refused(days):
    with pytest.raises(DataError, match="365 days from 2025-01-01 ends on 2026-01-01"):
        choose_purchases(days, cutoff=CUTOFF, horizon_days=365)


@pytest.mark.parametrize("horizon", [0, -5, 1.5])
def test_a_horizon_of_no_day_is_refused(horizon, days):
    with pytest.raises(SettingsError, match=f"horizon_days={horizon} must be a whole number, 1 or"):
        choose_purchases(days, cutoff=date(2025, 1, 1), horizon_days=horizon)
