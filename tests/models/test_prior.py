import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime

from patronage.errors import SettingsError
from patronage.models import (
    BetaGeoModel,
    GammaGammaModel,
    ModifiedBetaGeoModel,
    ParetoNBDModel,
)
from patronage.models.betageo_prior import WEAK_PRIOR
from patronage.models.gammagamma import WEAK_PRIOR as WEAK_SPEND
from patronage.models.paretonbd_prior import WEAK_PRIOR as WEAK_PARETO

TIMING_MODELS = [BetaGeoModel, ModifiedBetaGeoModel, ParetoNBDModel]


def customers(x, t_x, T):
    return pd.DataFrame({"customer_id": np.arange(len(x)), "frequency": x, "recency": t_x, "T": T})


def spenders(frequency, mean):
    ids = np.arange(len(frequency))
    return pd.DataFrame({"customer_id": ids, "frequency": frequency, "monetary_value": mean})


@pytest.mark.parametrize("prior", [WEAK_PRIOR, WEAK_PARETO, WEAK_SPEND])
def test_derivatives_are_exact(prior):
    point = np.log([2.0, 5.0, 0.7, 3.0])[: prior.size]
    at = prior(point)
    gradient = approx_fprime(point, lambda u: prior(u).value, 1e-7)
    hessian = approx_fprime(point, lambda u: prior(u).gradient, 1e-7)
    np.testing.assert_allclose(at.gradient, gradient, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(at.hessian, hessian, rtol=1e-5, atol=1e-5)


def test_further_parameters_are_left_alone():
    at = WEAK_PRIOR(np.zeros(6))
    assert not at.gradient[4:].any()
    assert not at.hessian[4:].any()


@pytest.mark.parametrize("Model", TIMING_MODELS)
def test_where_data_say_enough_it_changes_little(Model, cdnow_exact):
    plain, weak = Model().fit(cdnow_exact), Model(prior="weak").fit(cdnow_exact)
    moved = np.abs(np.log(weak.params_) - np.log(plain.params_)) * plain.params_
    assert (moved < 0.2 * np.array(plain.standard_errors_)).all()
    total = plain.expected_purchases(cdnow_exact, 39).sum()
    assert weak.expected_purchases(cdnow_exact, 39).sum() == pytest.approx(total, rel=5e-3)
    assert plain.log_likelihood_ - 0.02 < weak.log_likelihood_ < plain.log_likelihood_
    assert weak.diagnosis_ == ""


@pytest.mark.parametrize("factor", [7.0, 168.0, 1 / 52])
@pytest.mark.parametrize("Model", TIMING_MODELS)
def test_the_unit_of_time_changes_no_prediction(Model, cdnow_exact, factor):
    few = cdnow_exact.sample(100, random_state=3)
    other = few.assign(recency=few["recency"] * factor, T=few["T"] * factor)
    here, there = Model(prior="weak").fit(few), Model(prior="weak").fit(other)
    np.testing.assert_allclose(
        there.expected_purchases(other, 39 * factor), here.expected_purchases(few, 39), rtol=1e-9
    )
    unit = np.array([1, factor, 1, factor if Model is ParetoNBDModel else 1])
    np.testing.assert_allclose(there.standard_errors_ / unit, here.standard_errors_, rtol=1e-8)


def test_pounds_and_pence_agree(cdnow_exact):
    few = cdnow_exact.sample(60, random_state=3)
    pence = few.assign(monetary_value=few["monetary_value"] * 100)
    here, there = (GammaGammaModel(prior="weak").fit(table) for table in (few, pence))
    np.testing.assert_allclose(
        there.expected_spend(pence) / 100, here.expected_spend(few), rtol=1e-9
    )


def heavy_users(rng):
    x = rng.integers(100, 400, 2000)
    return customers(x, 500 - rng.exponential(500 / x), np.full(2000, 500.0))


def poisson_with_random_recency(rng):
    x = rng.poisson(3, 5000)
    return customers(x, np.where(x > 0, rng.uniform(100, 365, 5000), 0), np.full(5000, 365.0))


def one_time_buyers(rng):
    return customers(np.zeros(999), np.zeros(999), rng.uniform(1, 365, 999))


def leave_after_two(rng):
    return customers(np.ones(99), rng.uniform(1, 5, 99), np.full(99, 1000.0))


# Expected purchases in a tenth of the history: heavy users made 250 in all of it.
DEGENERATE = {
    "heavy users": (heavy_users, (20, 30)),
    "poisson": (poisson_with_random_recency, (0.15, 0.35)),
    "all one-time": (one_time_buyers, (0, 1e-3)),
    "one customer": (lambda _: customers([3], [5.0], [10.0]), (0.05, 0.5)),
    "all leave": (leave_after_two, (0, 1e-9)),
}


@pytest.mark.parametrize(("simulate", "usable"), DEGENERATE.values(), ids=DEGENERATE.keys())
@pytest.mark.parametrize("Model", TIMING_MODELS)
def test_degenerate_data_have_a_usable_answer(Model, simulate, usable):
    rfm = simulate(np.random.default_rng(0))
    model = Model(prior="weak").fit(rfm)
    assert model.converged_
    assert np.isfinite(model.standard_errors_).all()
    mean = model.expected_purchases(rfm, rfm["T"].max() / 10).mean()
    assert usable[0] <= mean <= usable[1]


def test_small_samples_always_have_an_estimate(cdnow_exact):
    samples = [cdnow_exact.sample(100, random_state=seed) for seed in range(20)]
    plain = [BetaGeoModel().fit(sample).converged_ for sample in samples]
    assert not all(plain)
    assert all(BetaGeoModel(prior="weak").fit(sample).converged_ for sample in samples)


def test_what_the_prior_decides_is_said():
    model = BetaGeoModel(prior="weak").fit(heavy_users(np.random.default_rng(0)))
    assert "prior says more than the data about how customers' dropout varies" in model.diagnosis_


SPEND = {
    "infinite mean": lambda r: spenders(r.integers(1, 4, 2000), r.lognormal(3, 2.5, 2000)),
    "one price": lambda r: spenders(r.integers(1, 4, 2000), np.full(2000, 10.0)),
    "one customer": lambda _: spenders([3], [20.0]),
    "all alike": lambda r: spenders(np.full(2000, 3), r.gamma(15, 1 / 3, 2000)),
}


@pytest.mark.parametrize("simulate", SPEND.values(), ids=SPEND.keys())
def test_degenerate_spend_has_a_usable_answer(simulate):
    rfm = simulate(np.random.default_rng(0))
    model = GammaGammaModel(prior="weak").fit(rfm)
    assert model.converged_
    assert model.params_.q > 1
    assert model.expected_spend_new_customer() == pytest.approx(
        rfm["monetary_value"].mean(), rel=0.3
    )


def test_an_unknown_prior_is_refused(cdnow_exact):
    with pytest.raises(SettingsError, match="prior='strong' is not known to BetaGeoModel.*weak"):
        BetaGeoModel(prior="strong").fit(cdnow_exact)


def test_it_is_saved_with_the_model(cdnow_exact):
    model = BetaGeoModel(prior="weak").fit(cdnow_exact)
    loaded = BetaGeoModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert (loaded.prior, loaded.params_) == ("weak", model.params_)
