import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from sklearn.base import clone

from patronage.errors import DataError, SettingsError
from patronage.models import (
    BetaGeoBetaBinomModel,
    BetaGeoModel,
    CustomerValueModel,
    GammaGammaModel,
    ModifiedBetaGeoModel,
    ParetoNBDModel,
)

YEAR = {"horizon": 52, "annual_discount_rate": 0.15, "margin": 0.25}


def unfitted(time_unit="W"):
    return CustomerValueModel(BetaGeoModel(), GammaGammaModel(), time_unit)


@pytest.fixture(scope="module")
def model(cdnow_exact):
    return unfitted().fit(cdnow_exact)


def test_clv_is_the_integral_of_discounted_margin(model, cdnow_exact):
    some = cdnow_exact.iloc[[0, 1, 5, 200]]
    delta = np.log(1.15) * 7 / 365.25

    def purchases_by(week):
        return model.purchases_.expected_purchases(some, week)

    # By parts: the integral of exp(-delta s) dM(s).
    for customer, value in model.clv(some, **YEAR).items():
        inside, _ = quad(
            lambda s, c=customer: delta * np.exp(-delta * s) * purchases_by(s)[c], 0, 52
        )
        total = np.exp(-delta * 52) * purchases_by(52)[customer] + inside
        spend = model.spend_.expected_spend(some)[customer]
        assert value == pytest.approx(0.25 * spend * total, rel=1e-9)


def test_days_and_weeks_agree(model, cdnow_exact):
    days = cdnow_exact.assign(recency=cdnow_exact["recency"] * 7, T=cdnow_exact["T"] * 7)
    in_days = unfitted("D").fit(days).clv(days, **YEAR | {"horizon": 364})
    np.testing.assert_allclose(in_days, model.clv(cdnow_exact, **YEAR), rtol=1e-9)


@pytest.mark.parametrize("purchases", [BetaGeoModel(), ModifiedBetaGeoModel()])
def test_the_size_of_a_batch_changes_no_bit(purchases, cdnow_exact):
    fitted = CustomerValueModel(purchases, GammaGammaModel(), "W").fit(cdnow_exact)
    crowd = pd.concat([cdnow_exact] * 8, ignore_index=True)
    crowd = crowd.assign(
        customer_id=np.arange(len(crowd)), T=crowd["T"] + np.arange(len(crowd)) % 7
    )
    alive, value = fitted.purchases_.probability_alive(crowd), fitted.clv(crowd, **YEAR)
    for rows in (slice(5, 6), slice(16_380, 16_390), slice(11, None)):
        some = crowd[rows]
        assert (fitted.purchases_.probability_alive(some).values == alive.values[rows]).all()
        assert (fitted.clv(some, **YEAR).values == value.values[rows]).all()


def test_value_if_kept_is_the_value_of_an_active_customer(model, cdnow_exact):
    alive = model.purchases_.probability_alive(cdnow_exact)
    kept = model.value_if_kept(cdnow_exact, **YEAR)
    np.testing.assert_allclose(kept * alive, model.clv(cdnow_exact, **YEAR), rtol=1e-12)
    assert (kept.name, model.clv(cdnow_exact, **YEAR).name) == ("value_if_kept", "clv")


def test_a_dearer_discount_lowers_the_value(model, cdnow_exact):
    cheap = model.clv(cdnow_exact, **YEAR | {"annual_discount_rate": 0})
    assert (model.clv(cdnow_exact, **YEAR) < cheap).all()


def test_no_money_is_in_no_horizon(model, cdnow_exact):
    assert (model.clv(cdnow_exact, **YEAR | {"horizon": 0}) == 0).all()


def test_a_saved_model_values_the_same(model, cdnow_exact):
    loaded = CustomerValueModel.from_dict(json.loads(json.dumps(model.to_dict())))
    pd.testing.assert_series_equal(loaded.clv(cdnow_exact, **YEAR), model.clv(cdnow_exact, **YEAR))
    assert loaded.time_unit == "W"


def test_a_purchase_model_is_no_value_model(model):
    with pytest.raises(DataError, match="saved BetaGeoModel of format 1, not a CustomerValue"):
        CustomerValueModel.from_dict(model.purchases_.to_dict())


def test_an_unknown_purchase_model_is_refused(model):
    saved = model.to_dict()
    saved["purchases"]["model"] = "Oracle"
    with pytest.raises(
        DataError, match="is a Oracle, which is not known; known are .*BetaGeoModel"
    ):
        CustomerValueModel.from_dict(saved)


def test_any_purchase_model_may_value(cdnow_exact):
    modified = CustomerValueModel(ModifiedBetaGeoModel(), GammaGammaModel(), "W").fit(cdnow_exact)
    loaded = CustomerValueModel.from_dict(json.loads(json.dumps(modified.to_dict())))
    assert isinstance(loaded.purchases_, ModifiedBetaGeoModel)
    assert loaded.clv(cdnow_exact, **YEAR).equals(modified.clv(cdnow_exact, **YEAR))


def test_an_endless_horizon_takes_in_all_value(model, cdnow_exact):
    endless = model.clv(cdnow_exact, **YEAR | {"horizon": np.inf})
    century = model.clv(cdnow_exact, **YEAR | {"horizon": 52 * 400})
    np.testing.assert_allclose(endless, century, rtol=1e-11)


def test_clone_and_parameters(model):
    copy = clone(model)
    assert not hasattr(copy, "purchases_")
    assert isinstance(copy.get_params()["spend"], GammaGammaModel)


WRONG = {
    "margin": (0, "margin=0 must be a finite number greater than 0"),
    "annual_discount_rate": (-0.1, "annual_discount_rate=-0.1 must be a finite number at least 0"),
    "horizon": (-5, "horizon=-5 must be a number at least 0"),
}


@pytest.mark.parametrize("name", WRONG)
def test_arguments_that_cannot_be_are_refused(model, cdnow_exact, name):
    value, text = WRONG[name]
    with pytest.raises(SettingsError, match=text):
        model.clv(cdnow_exact, **YEAR | {name: value})


def test_an_unknown_unit_is_refused(cdnow_exact):
    with pytest.raises(
        SettingsError, match="time_unit='Q' is not known; use 'h' .hours., 'D' .days."
    ):
        unfitted("Q").fit(cdnow_exact).clv(cdnow_exact, **YEAR)


@pytest.mark.parametrize("kind", [BetaGeoModel, ParetoNBDModel])
def test_covariates_of_the_purchases_are_columns_of_the_table(kind):
    rng = np.random.default_rng(3)
    parts = [
        BetaGeoModel.with_params(r=1.2, alpha=alpha, a=0.6, b=3.0)
        .draw_customers(1500, rng.integers(60, 200, 1500), rng)
        .assign(channel=channel)
        for channel, alpha in (("shop", 60.0), ("web", 20.0))
    ]
    rfm = pd.concat(parts).assign(customer_id=range(3000))
    rfm["monetary_value"] = np.where(rfm["frequency"] > 0, rng.gamma(9, 3, 3000), 0)
    value = CustomerValueModel(kind(covariates=["channel"]), GammaGammaModel()).fit(rfm)
    assert list(value.purchases_.effects_.index) == [
        f"channel={value.purchases_.covariates_.attributes[0].levels[0]}"
    ]
    some = rfm[rfm["channel"] == "web"].head(40)
    apart = CustomerValueModel.of_fitted(
        value.purchases_.for_covariates(channel="web"), value.spend_
    )
    for ask in (
        lambda m: m.clv(some, 365, 0.1, 0.3),
        lambda m: m.value_if_kept(some, 365, 0.1, 0.3),
    ):
        np.testing.assert_allclose(ask(value), ask(apart), rtol=1e-9)
    found, alone = (m.clv(some, 365, 0.1, 0.3, interval=0.8) for m in (value, apart))
    np.testing.assert_allclose(found["high"].mean(), alone["high"].mean(), rtol=0.05)
    assert (value.predict_spend(some, 365)["high"] >= found["high"]).all()
    again = CustomerValueModel.from_dict(json.loads(json.dumps(value.to_dict())))
    pd.testing.assert_frame_equal(again.clv(some, 365, 0.1, 0.3, interval=0.8), found)


def test_yearly_opportunities_have_a_lifetime_value():
    purchases = BetaGeoBetaBinomModel.with_params(alpha=1.2, beta=0.75, gamma=0.66, delta=2.78)
    spend = GammaGammaModel.with_params(p=6, q=4, v=15)
    value = CustomerValueModel.of_fitted(purchases, spend, "Y")
    donor = pd.DataFrame(
        {"customer_id": [1], "frequency": [4], "recency": [6], "T": [6], "monetary_value": [30.0]}
    )
    clv = value.clv(donor, 10, annual_discount_rate=0.1, margin=1.0)[1]
    yearly = purchases.expected_purchases(donor, range(11)).loc[1].diff()[1:]
    worth = float(yearly @ 1.1 ** -np.arange(1, 11)) * spend.expected_spend(donor)[1]
    assert clv == pytest.approx(worth, rel=1e-9)
    found = value.clv(donor, 10, 0.1, 1.0, interval=0.8)
    assert found["low"][1] < clv < found["high"][1]
    endless = value.clv(donor, np.inf, 0.1, 1.0, interval=0.8)
    assert endless["high"][1] > found["high"][1]


UNITS = {"h": 1 / 24, "W": 7, "M": 365.25 / 12, "Y": 365.25}


@pytest.mark.parametrize("unit", UNITS)
def test_units_of_time_give_one_value(unit):
    rfm = pd.DataFrame(
        {"customer_id": [1], "frequency": [4], "recency": [60.0], "T": [90.0], "monetary_value": 30}
    )
    spend = GammaGammaModel.with_params(p=6, q=4, v=15)

    def clv(unit, days):
        purchases = BetaGeoModel.with_params(r=0.8, alpha=15 / days, a=0.8, b=2.5)
        other = rfm.assign(recency=rfm["recency"] / days, T=rfm["T"] / days)
        model = CustomerValueModel.of_fitted(purchases, spend, unit)
        return model.clv(other, 365 / days, 0.1, 0.3)[1]

    assert clv(unit, UNITS[unit]) == pytest.approx(clv("D", 1), rel=1e-9)


def test_customer_days_are_counted_in_days():
    weekly = CustomerValueModel(BetaGeoModel(), GammaGammaModel(), "W")
    with pytest.raises(SettingsError, match='time_unit="W": customer days are counted in days'):
        weekly.fit_days(None, as_of=date(2026, 1, 1))
