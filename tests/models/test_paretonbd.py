import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from patronage.models import CustomerValueModel, GammaGammaModel, ParetoNBDModel, ParetoNBDParams

# Published: .553, 10.580, .606, 11.656 with LL -9594.976 (BTYD walkthrough); the digits beyond are
# those of an independent optimiser on each version of the data.
EXACT = (0.553277, 10.577684, 0.606240, 11.668736)
CSV = (0.553275, 10.577612, 0.606214, 11.667913)
# CLVTools on the exact data, from a numerical Hessian.
STANDARD_ERRORS = (0.04762, 0.84270, 0.18705, 6.20367)


@pytest.fixture(scope="module")
def model(cdnow_exact):
    return ParetoNBDModel().fit(cdnow_exact)


def test_fit_matches_on_exact_cdnow(model):
    assert model.params_ == pytest.approx(EXACT, rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(-9594.976179, abs=1e-6)
    assert model.standard_errors_ == pytest.approx(STANDARD_ERRORS, rel=2e-3)
    assert (model.converged_, model.diagnosis_, model.n_customers_) == (True, "", 2357)


def test_fit_matches_the_rounded_cdnow(cdnow_csv):
    model = ParetoNBDModel().fit(cdnow_csv)
    assert model.params_ == pytest.approx(CSV, rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(-9594.973930, abs=1e-6)


def test_simulated_customers_bring_the_parameters_back():
    truth = ParetoNBDParams(0.55, 74.0, 0.61, 82.0)
    model = ParetoNBDModel.with_params(**truth._asdict())
    drawn = model.draw_customers(200_000, np.full(200_000, 300.0), np.random.default_rng(1))
    fitted = ParetoNBDModel().fit(drawn)
    z = (np.array(fitted.params_) - truth) / fitted.standard_errors_
    assert np.abs(z).max() < 3
    alive = fitted.probability_alive(drawn)
    assert alive.mean() == pytest.approx(drawn["active"].mean(), abs=0.005)
    assert (drawn["recency"] <= np.minimum(drawn["T"], drawn["lifetime"])).all()


def test_what_is_uncertain_is_said(model, cdnow_exact):
    # CLVTools prints AIC 19197.952.
    assert model.aic_ == pytest.approx(19197.952, abs=1e-3)
    delta = model.confidence_intervals()
    profile = model.confidence_intervals(method="profile", data=cdnow_exact)
    assert (profile["low"] < list(model.params_)).all()
    assert (profile["high"] > list(model.params_)).all()
    np.testing.assert_allclose(np.log(profile), np.log(delta), atol=0.5)
    found = model.predict_purchases(cdnow_exact.head(100), 39)
    assert (found["low"] <= found["high"]).all()


def test_a_model_is_saved_as_plain_values(model, cdnow_exact):
    again = ParetoNBDModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again.params_ == model.params_
    assert again.standard_errors_ == model.standard_errors_
    pd.testing.assert_frame_equal(again.covariance_, model.covariance_)
    pd.testing.assert_frame_equal(again.effects_, model.effects_)
    pd.testing.assert_series_equal(
        again.expected_purchases(cdnow_exact, 39), model.expected_purchases(cdnow_exact, 39)
    )


def test_it_is_a_scikit_learn_estimator(model, cdnow_exact):
    assert clone(model).get_params() == {"prior": None, "covariates": None}
    with pytest.raises(NotFittedError):
        ParetoNBDModel().expected_purchases(cdnow_exact, 39)


def test_it_values_customers_with_gamma_gamma(cdnow_exact):
    value = CustomerValueModel(ParetoNBDModel(), GammaGammaModel(), time_unit="W").fit(cdnow_exact)
    found = value.clv(cdnow_exact, 39, annual_discount_rate=0.1, margin=0.3)
    assert (found > 0).all()
