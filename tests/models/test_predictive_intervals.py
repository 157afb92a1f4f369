import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError, SettingsError
from patronage.models import (
    BetaGeoBetaBinomModel,
    BetaGeoCNBDModel,
    BetaGeoModel,
    CustomerValueModel,
    GammaGammaModel,
    ModifiedBetaGeoCNBDModel,
    ModifiedBetaGeoModel,
    ParetoNBDModel,
)

YEAR = {"horizon": 52, "annual_discount_rate": 0.15, "margin": 0.25}


def unfitted(purchases=None, time_unit="W"):
    return CustomerValueModel(purchases or BetaGeoModel(), GammaGammaModel(), time_unit)


@pytest.fixture(scope="module")
def model(cdnow_exact):
    return unfitted().fit(cdnow_exact)


@pytest.fixture(scope="module")
def found(model, cdnow_exact):
    return model.clv(cdnow_exact, **YEAR, interval=0.9)


def certain(model):
    """Parameters taken as known, so that the exact distribution is at hand."""
    return type(model).with_params(**model.params_._asdict(), **model.get_params())


def test_the_expectation_stays_what_it_was(model, found, cdnow_exact):
    assert list(found) == ["clv", "low", "high", "probability"]
    pd.testing.assert_series_equal(found["clv"], model.clv(cdnow_exact, **YEAR))
    assert ((found["low"] >= 0) & (found["low"] <= found["high"])).all()


def test_an_interval_does_not_depend_on_the_other_customers(model, found, cdnow_exact):
    some = cdnow_exact.iloc[[5, 900, 17, 2000]]
    pd.testing.assert_frame_equal(
        model.clv(some, **YEAR, interval=0.9), found.loc[some.index], rtol=1e-9
    )
    counts = model.purchases_.predict_purchases(cdnow_exact, 52)
    alone = model.purchases_.predict_purchases(some, 52)
    pd.testing.assert_frame_equal(alone, counts.loc[some.index], rtol=1e-9)


def test_the_seed_decides(model, found, cdnow_exact):
    again = model.clv(cdnow_exact, **YEAR, interval=0.9)
    pd.testing.assert_frame_equal(again, found, check_exact=True)
    other = model.clv(cdnow_exact, **YEAR, interval=0.9, seed=1)
    assert (other["high"] != found["high"]).any()
    np.testing.assert_allclose(other["high"].mean(), found["high"].mean(), rtol=0.03)


def test_days_and_weeks_pounds_and_pence_agree(found, cdnow_exact):
    spend = cdnow_exact["monetary_value"] * 100
    other = cdnow_exact.assign(
        recency=cdnow_exact["recency"] * 7, T=cdnow_exact["T"] * 7, monetary_value=spend
    )
    pence = unfitted(time_unit="D").fit(other).clv(other, **YEAR | {"horizon": 364}, interval=0.9)
    np.testing.assert_allclose(pence["high"] / 100, found["high"], rtol=1e-4)


REGULAR = {"k": 3, "r": 1.5, "alpha": 10.0, "a": 0.8, "b": 2.5}


@pytest.mark.parametrize("level", [0.5, 0.9])
@pytest.mark.parametrize("Model", [BetaGeoModel, ModifiedBetaGeoModel, ParetoNBDModel])
def test_counts_match_the_exact_distribution(Model, level, cdnow_exact):
    check_counts(certain(Model().fit(cdnow_exact)), cdnow_exact, 39, level)


@pytest.mark.parametrize("level", [0.5, 0.9])
@pytest.mark.parametrize("Model", [BetaGeoCNBDModel, ModifiedBetaGeoCNBDModel])
def test_counts_of_regular_customers_know_how_far_the_next_purchase_is(Model, level):
    model, rng = Model.with_params(**REGULAR), np.random.default_rng(1)
    check_counts(model, model.draw_customers(2000, rng.integers(5, 60, 2000), rng), 13, level)


@pytest.mark.parametrize("horizon", [1, 6])
def test_counts_at_opportunities_match_the_exact_distribution(horizon):
    model = BetaGeoBetaBinomModel.with_params(alpha=1.2, beta=0.75, gamma=0.66, delta=2.78)
    rng = np.random.default_rng(2)
    check_counts(
        model, model.draw_customers(2000, rng.integers(1, 90, 2000), rng), horizon, 0.8, 0.05
    )


def check_counts(model, rfm, horizon, level, off=0.01):
    interval = model.predict_purchases(rfm, horizon, interval=level)
    exact = model.purchase_count_pmf(rfm, horizon, max_count=150).to_numpy().cumsum(axis=1)
    rows, low, high = np.arange(len(exact)), *interval[["low", "high"]].to_numpy(int).T
    below = np.where(low > 0, exact[rows, low - 1], 0)
    held = exact[rows, high] - below
    np.testing.assert_allclose(interval["probability"], held, atol=off)
    assert interval["probability"].mean() == pytest.approx(held.mean(), abs=0.005)
    assert (held > level - off).all()
    assert (below <= (1 - level) / 2 + off).all()
    shorter = np.where(high > low, exact[rows, np.maximum(high - 1, 0)] - below, 0)
    assert (shorter < level + off).all()


def test_spend_of_a_loyal_customer_is_a_mixture_of_gammas(cdnow_exact):
    # Nobody leaves and all buy alike: counts are Poisson, spend is Gamma given count and nu.
    purchases = BetaGeoModel.with_params(r=1e7, alpha=1e7 / 0.5, a=1e-9, b=1.0)
    spend = certain(GammaGammaModel().fit(cdnow_exact))
    model = CustomerValueModel.of_fitted(purchases, spend, "W")
    who = pd.DataFrame(
        {"customer_id": [1], "frequency": [8], "recency": [19.0], "T": [20.0], "monetary_value": 30}
    )
    found = model.predict_spend(who, 20, interval=0.8).loc[1]
    rng = np.random.default_rng(0)
    p, q, v = model.spend_.params_
    count = rng.poisson(0.5 * 20, 400_000)
    nu = rng.gamma(q + p * 8, 1 / (v + 8 * 30), 400_000)
    total = rng.gamma(np.maximum(p * count, 1e-9)) / nu
    assert found["low"] == pytest.approx(np.quantile(total, 0.1), rel=0.03)
    assert found["high"] == pytest.approx(np.quantile(total, 0.9), rel=0.03)


def test_who_never_leaves_buys_on():
    model = BetaGeoModel.with_params(r=1e7, alpha=2e7, a=1e-9, b=1.0)
    who = pd.DataFrame({"customer_id": [1], "frequency": [8], "recency": [19.0], "T": [20.0]})
    found = model.predict_purchases(who, 20, interval=0.8).loc[1]
    assert tuple(found[["low", "high"]]) in {(6, 13), (6, 14)}  # Poisson of mean 10: 13 holds .797


def test_a_discount_shifts_spend_as_it_shifts_its_mean(model, cdnow_exact):
    busy = cdnow_exact[model.purchases_.probability_alive(cdnow_exact) > 0.95]
    busy = busy.nlargest(3, "frequency")
    plain = model.clv(busy, 52, 0.0, 1.0, interval=0.5)
    dear = model.clv(busy, 52, 1.0, 1.0, interval=0.5)
    ratio = dear["clv"] / plain["clv"]
    np.testing.assert_allclose(dear["high"] / plain["high"], ratio, rtol=0.05)
    assert (plain["low"] > 0).all()
    undiscounted = model.predict_spend(busy, 52, interval=0.5)
    pd.testing.assert_frame_equal(undiscounted.rename(columns={"spend": "clv"}), plain)


def test_endless_horizons_end_where_discounting_leaves_nothing(model, cdnow_exact):
    some = cdnow_exact.head(20)
    endless = model.clv(some, np.inf, 0.15, 0.25, interval=0.9)
    long = model.clv(some, 52 * 200, 0.15, 0.25, interval=0.9)
    np.testing.assert_allclose(endless["high"], long["high"], rtol=0.1)
    with pytest.raises(SettingsError, match="horizon=inf needs a discount rate above 0"):
        model.clv(some, np.inf, 0.0, 0.25, interval=0.9)


def test_no_horizon_holds_nothing_for_sure(model, cdnow_exact):
    for frame in (
        model.clv(cdnow_exact, **YEAR | {"horizon": 0}, interval=0.9),
        model.purchases_.predict_purchases(cdnow_exact, 0),
    ):
        assert (frame.iloc[:, :3] == 0).all(axis=None)
        assert (frame["probability"] == 1).all()


def test_many_purchases_and_long_histories(model):
    ids = np.arange(4)
    x, T = np.array([60, 400, 5000, 5000]), np.array([40.0, 500.0, 5000.0, 50.0])
    rfm = pd.DataFrame({"customer_id": ids, "frequency": x, "recency": T, "T": T})
    found = model.clv(rfm.assign(monetary_value=20.0), **YEAR, interval=0.9)
    assert np.isfinite(found).all(axis=None)
    assert ((found["low"] < found["clv"]) & (found["clv"] < found["high"])).all()


def test_wider_where_the_parameters_are_less_known(model, cdnow_exact):
    few = unfitted().fit(cdnow_exact)
    few.purchases_.covariance_ = few.purchases_.covariance_ * 25
    busy = cdnow_exact.nlargest(50, "frequency")
    wide, narrow = (m.clv(busy, **YEAR, interval=0.9) for m in (few, model))
    width = (wide["high"] - wide["low"]) / (narrow["high"] - narrow["low"])
    assert width.mean() > 1.005


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_they_hold_what_they_say(level):
    rng = np.random.default_rng(5)
    model = BetaGeoModel.with_params(r=1.2, alpha=6.0, a=0.6, b=3.0)
    rfm = model.draw_customers(60_000, np.floor(rng.uniform(20, 60, 60_000)), rng)
    found = BetaGeoModel().fit(rfm).predict_purchases(rfm, 30, interval=level)
    due = rng.poisson(rfm["rate"] * 30)
    count = np.where(rfm["active"], np.minimum(due, rng.geometric(rfm["dropout"])), 0)
    held = ((found["low"] <= count) & (count <= found["high"])).mean()
    assert held == pytest.approx(found["probability"].mean(), abs=0.01)


def test_a_fit_without_standard_errors_has_no_interval(cdnow_exact):
    rfm = cdnow_exact[cdnow_exact["frequency"] > 0].head(3)
    model = BetaGeoModel().fit(rfm)
    with pytest.raises(DataError, match='BetaGeoModel has no covariance.*too few.*prior="weak"'):
        model.predict_purchases(rfm, 39)
    weak = BetaGeoModel(prior="weak").fit(rfm)
    assert weak.predict_purchases(rfm, 39)["high"].max() > 0


@pytest.mark.parametrize("interval", [0, 1, 1.5])
def test_levels_that_cannot_be_are_refused(model, cdnow_exact, interval):
    with pytest.raises(SettingsError, match=f"interval={interval} must lie between 0 and 1"):
        model.clv(cdnow_exact, **YEAR, interval=interval)
