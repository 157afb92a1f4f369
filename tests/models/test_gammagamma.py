import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from patronage.errors import DataError
from patronage.models import GammaGammaModel

# Fader & Hardie note 025 prints 6.25, 3.74, 15.44; further digits by an independent optimiser.
EXACT = (6.249573, 3.744225, 15.443521)
CSV = (6.248803, 3.744588, 15.447747)
SPEND_1_TO_10 = [24.6539, 18.91, 35.1704, 35.1704, 35.1704, 71.4647, 18.91, 35.1704, 27.2819]
SPEND_1_TO_10 += [35.1704]


@pytest.fixture(scope="module")
def model(cdnow_exact):
    return GammaGammaModel().fit(cdnow_exact)


def spenders(frequency, mean):
    ids = np.arange(len(frequency))
    return pd.DataFrame({"customer_id": ids, "frequency": frequency, "monetary_value": mean})


def test_fit_matches_the_note_on_exact_cdnow(model):
    assert model.params_ == pytest.approx(EXACT, rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(-4055.917695, abs=1e-5)
    # CLVTools
    assert model.standard_errors_ == pytest.approx((1.18997, 0.29014, 4.15953), rel=1e-3)
    assert (model.converged_, model.diagnosis_) == (True, "")
    assert (model.n_customers_, model.n_left_out_) == (946, 0)


def test_fit_matches_the_rounded_cdnow(cdnow_csv):
    model = GammaGammaModel().fit(cdnow_csv)
    assert model.params_ == pytest.approx(CSV, rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(-4055.923244, abs=1e-5)


def test_expected_spend_matches_the_note(model, cdnow_exact):
    spend = model.expected_spend(cdnow_exact)
    assert spend.head(10).tolist() == pytest.approx(SPEND_1_TO_10, abs=1e-4)
    assert model.expected_spend_new_customer() == pytest.approx(35.170371, abs=1e-6)


def test_pence_and_pounds_give_one_prediction(model, cdnow_exact):
    pence = cdnow_exact.assign(monetary_value=cdnow_exact["monetary_value"] * 100)
    spend = GammaGammaModel().fit(pence).expected_spend(pence)
    np.testing.assert_allclose(spend / 100, model.expected_spend(cdnow_exact), rtol=1e-9)


def test_weights_stand_for_customers(model, cdnow_exact):
    twice = GammaGammaModel().fit(cdnow_exact, weights=np.full(2357, 2))
    assert twice.params_ == pytest.approx(model.params_, rel=1e-9)
    assert twice.n_customers_ == 2 * 946
    assert np.multiply(twice.standard_errors_, np.sqrt(2)) == pytest.approx(
        model.standard_errors_, rel=1e-9
    )


def test_a_sample_of_many_customers_leads_to_the_same_fit(model, cdnow_exact):
    many = pd.concat([cdnow_exact] * 12, ignore_index=True)
    fitted = GammaGammaModel().fit(many.rename_axis("customer_id"))
    assert fitted.params_ == pytest.approx(model.params_, rel=1e-9)
    assert fitted.n_customers_ == 12 * 946


def test_refunded_customers_are_left_out_and_counted(model, cdnow_exact):
    refunded = pd.DataFrame({"frequency": [3, 1], "monetary_value": [0.0, -4.0]}, index=[-1, -2])
    more = pd.concat([cdnow_exact, refunded]).rename_axis("customer_id")
    fitted = GammaGammaModel().fit(more)
    assert fitted.params_ == model.params_
    assert fitted.n_left_out_ == 2
    assert (fitted.expected_spend(more).loc[[-1, -2]] > 0).all()


def test_infinite_mean_spend_is_named():
    rng = np.random.default_rng(0)
    heavy = spenders(rng.integers(1, 4, 2000), rng.lognormal(3, 2.5, 2000))
    model = GammaGammaModel().fit(heavy)
    assert model.converged_
    assert model.params_.q < 1
    assert "<= 1: mean spend varies so much" in model.diagnosis_
    with pytest.raises(DataError, match=r"q = 0\.\d+ <= 1.*Cap monetary_value"):
        model.expected_spend(heavy)
    with pytest.raises(DataError, match=r"q = 0\.\d+ <= 1.*Cap monetary_value"):
        model.expected_spend_new_customer()


def test_customers_who_all_spend_the_same_are_named():
    rfm = spenders([1, 2, 3], [20.0, 20.0, 20.0])
    model = GammaGammaModel().fit(rfm)
    assert not model.converged_
    assert "these 3 customers" in model.diagnosis_
    assert "each customer always spends the same" in model.diagnosis_
    assert model.expected_spend(rfm).tolist() == pytest.approx([20, 20, 20], rel=1e-3)


def test_customers_of_one_mean_are_named():
    x = np.repeat([1.0, 2, 3, 4], 500)
    # Means of many purchases vary even less than chance alone would make them.
    rfm = spenders(x, np.random.default_rng(0).gamma(4 * x**2, 5 / x**2))
    model = GammaGammaModel().fit(rfm)
    assert not model.converged_
    assert "customers do not differ in mean spend" in model.diagnosis_
    np.testing.assert_allclose(model.expected_spend(rfm), 20, rtol=0.05)


def test_no_repeat_spend_is_refused():
    with pytest.raises(DataError, match="positive for 0 of the 1 customers with a repeat"):
        GammaGammaModel().fit(spenders([0, 2], [0.0, 0.0]))


def test_a_saved_model_predicts_the_same(model, cdnow_exact):
    loaded = GammaGammaModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert loaded.to_dict() == model.to_dict()
    pd.testing.assert_series_equal(
        loaded.expected_spend(cdnow_exact), model.expected_spend(cdnow_exact)
    )


def test_clone(model):
    assert not hasattr(clone(model), "params_")


def test_one_buyer_of_another_kind_is_named():
    spend = np.append(np.ones(199), 1e9)
    rfm = pd.DataFrame({"customer_id": range(200), "frequency": 2, "monetary_value": spend})
    model = GammaGammaModel(prior="weak").fit(rfm)
    assert not model.converged_
    assert re.search(r"largest monetary_value is 1e\+09 times the median.*Cap", model.diagnosis_)
