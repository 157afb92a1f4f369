import re

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln

from patronage.errors import DataError, SettingsError
from patronage.models import BetaGeoModel, GammaGammaModel, ModifiedBetaGeoModel
from patronage.models.fitting import Evaluation, maximise
from patronage.models.inference import Problem, likelihood_ratio_test, profile_intervals


@pytest.fixture(scope="module")
def model(cdnow_exact):
    return BetaGeoModel().fit(cdnow_exact)


def test_criteria_match_clvtools(model):
    assert model.aic_ == pytest.approx(19172.858, abs=1e-3)
    assert model.bic_ == pytest.approx(2 * 9582.429207 + 4 * np.log(2357), abs=1e-4)


def test_delta_intervals_are_symmetric_in_the_logarithm(model):
    found = model.confidence_intervals(0.9)
    assert list(found.index) == ["r", "alpha", "a", "b"]
    assert np.sqrt(found["low"] * found["high"]).to_numpy() == pytest.approx(model.params_)
    width = np.log(found["high"] / found["low"]).to_numpy() / 2
    assert width == pytest.approx(1.6448536 * np.divide(model.standard_errors_, model.params_))


def test_profile_of_a_normal_mean_is_the_textbook_interval():
    # ln(parameter) is the mean of n normals of known variance 1: interval +- 1.959964 / sqrt(n).
    def likelihood(log_params):
        gap = np.array([0.3, -1.0]) - log_params
        return Evaluation(float(-0.5 * gap @ gap), gap, -np.eye(2))

    optimum = maximise(likelihood, np.zeros(2))
    found = profile_intervals(Problem(optimum, 100.0, np.zeros(2)), 0.95)
    expected = np.array([[0.3], [-1.0]]) + 0.1959964 * np.array([-1, 1])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_profile_bounds_lie_where_the_likelihood_has_fallen(model, cdnow_exact):
    found = model.confidence_intervals(0.95, method="profile", data=cdnow_exact)
    delta = model.confidence_intervals(0.95)
    np.testing.assert_allclose(found.loc[["r", "alpha"]], delta.loc[["r", "alpha"]], rtol=5e-3)
    # a and b are lopsided: the profile reaches farther up.
    assert (found.loc[["a", "b"]] > delta.loc[["a", "b"]]).all(axis=None)


@pytest.mark.parametrize("factor", [7.0, 1 / 52])
def test_profile_bounds_are_in_the_unit_of_the_data(model, cdnow_exact, factor):
    other = cdnow_exact.assign(recency=cdnow_exact["recency"] * factor, T=cdnow_exact["T"] * factor)
    found = BetaGeoModel().fit(other).confidence_intervals(0.8, "profile", other)
    weeks = model.confidence_intervals(0.8, "profile", cdnow_exact)
    unit = pd.Series({"r": 1.0, "alpha": factor, "a": 1.0, "b": 1.0})
    np.testing.assert_allclose(found.div(unit, axis=0), weeks, rtol=1e-6)


def test_where_data_set_no_bound_the_profile_has_none():
    rng = np.random.default_rng(0)
    x = rng.integers(100, 400, 500)
    ids = np.arange(500)
    last = 500 - rng.exponential(500 / x)
    heavy = pd.DataFrame({"customer_id": ids, "frequency": x, "recency": last, "T": 500.0})
    model = BetaGeoModel().fit(heavy)
    with pytest.raises(DataError, match='no standard errors.*no dropout.*method="profile"'):
        model.confidence_intervals()
    found = model.confidence_intervals(method="profile", data=heavy)
    assert found.loc["a"].tolist() == [0.0, np.inf]
    assert 0 < found.loc["r", "low"] < model.params_.r < found.loc["r", "high"] < np.inf


def test_a_fit_at_a_limit_still_has_the_bounds_that_data_set():
    """All buy at one rate: r has no finite estimate, but small r are refuted."""
    rng = np.random.default_rng(5)
    x = rng.poisson(3, 400)
    recency = np.where(x > 0, 100 * rng.beta(np.maximum(x, 1), 1), 0)
    ids = np.arange(400)
    rfm = pd.DataFrame({"customer_id": ids, "frequency": x, "recency": recency, "T": 100.0})
    model = BetaGeoModel().fit(rfm)
    found = model.confidence_intervals(method="profile", data=rfm)
    assert found["high"].tolist() == [np.inf] * 4
    low = found.loc["r", "low"]
    assert 1 < low < 50
    assert found.loc["alpha", "low"] == pytest.approx(low / x.mean() * 100, rel=0.05)

    def loss(params):
        """Of negative binomial purchases until a chance to leave that all share, at r = low."""
        return -np.sum(nbd_with_dropout(x, recency, low, *np.exp(params)))

    best = minimize(loss, [np.log(low / 0.03), -6.0], method="Nelder-Mead", tol=1e-9)
    assert 2 * (model.log_likelihood_ + best.fun) == pytest.approx(3.841459, abs=0.02)


def nbd_with_dropout(x, recency, r, alpha, p):
    """Log-likelihood of each customer, T = 100, leaving with odds p after each repeat purchase."""
    made = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - x * np.log1p(p)
    left = np.where(x > 0, np.log(p) - (r + x) * np.log(alpha + recency), -np.inf)
    return made + np.logaddexp(-(r + x) * np.log(alpha + 100), left)


def test_profile_wants_the_data_of_the_fit(model, cdnow_exact):
    with pytest.raises(SettingsError, match="pass the table of the fit"):
        model.confidence_intervals(method="profile")
    with pytest.raises(DataError, match=r"data \(100 customers.*fitted on \(2,357 customers"):
        model.confidence_intervals(method="profile", data=cdnow_exact.head(100))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"level": 1.0}, "level=1.0 must lie between 0 and 1"),
        ({"method": "wald"}, 'method=\'wald\' must be "delta" or "profile"'),
    ],
)
def test_arguments_that_cannot_be_are_refused(model, arguments, text):
    with pytest.raises(SettingsError, match=re.escape(text)):
        model.confidence_intervals(**arguments)


class Nested(BetaGeoModel):
    """Stands for a model with two parameters more: a fit with covariates."""


def test_likelihood_ratio_test(model, cdnow_exact):
    full = Nested().fit(cdnow_exact)
    full.log_likelihood_ += 3.0
    full.covariance_ = pd.DataFrame(np.eye(6))
    found = likelihood_ratio_test(model, full)
    assert found == pytest.approx((6.0, 2, np.exp(-3)))
    with pytest.raises(SettingsError, match="full=BetaGeoModel has 4 parameters.*does not contain"):
        likelihood_ratio_test(full, model)


def test_tests_compare_maxima_on_the_same_data(model, cdnow_exact):
    with pytest.raises(DataError, match="different data: 2,357 customers.*and 100"):
        likelihood_ratio_test(model, ModifiedBetaGeoModel().fit(cdnow_exact.head(100)))
    with pytest.raises(DataError, match="full=BetaGeoModel is not at a maximum.*prior moved"):
        likelihood_ratio_test(model, BetaGeoModel(prior="weak").fit(cdnow_exact))


def test_every_model_has_them(cdnow_exact):
    spend = GammaGammaModel().fit(cdnow_exact)
    found = spend.confidence_intervals(method="profile", data=cdnow_exact)
    params = np.array(spend.params_)
    assert ((found["low"] < params) & (found["high"] > params)).all()
    assert spend.aic_ == pytest.approx(2 * 4055.917695 + 6, abs=1e-4)
