import json

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from sklearn.base import clone

from patronage.errors import DataError, SettingsError
from patronage.models import (
    BetaGeoModel,
    CustomerValueModel,
    GammaGammaModel,
    ModifiedBetaGeoModel,
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
    with pytest.raises(SettingsError, match="time_unit='M' is not known; use 'D'"):
        unfitted("M").fit(cdnow_exact).clv(cdnow_exact, **YEAR)
