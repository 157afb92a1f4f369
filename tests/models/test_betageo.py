import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from patronage.errors import DataError, SettingsError
from patronage.models import BetaGeoModel

# Fader, Hardie & Lee (2005) print .243, 4.414, .793, 2.426 and LL -9582.4; the digits beyond are
# those of an independent optimiser on each version of the data.
EXACT = (0.242595, 4.413602, 0.792922, 2.425906)
CSV = (0.242593, 4.413531, 0.792886, 2.425753)
# CLVTools on the exact data.
STANDARD_ERRORS = (0.01256, 0.37822, 0.18573, 0.70541)


@pytest.fixture(scope="module")
def model(cdnow_exact):
    return BetaGeoModel().fit(cdnow_exact)


def customers(x, t_x, T):
    return pd.DataFrame({"customer_id": np.arange(len(x)), "frequency": x, "recency": t_x, "T": T})


def test_the_data_are_the_published_ones(cdnow_exact):
    frequency = cdnow_exact["frequency"]
    assert (len(cdnow_exact), (frequency > 0).sum(), frequency.sum()) == (2357, 946, 2457)
    assert cdnow_exact["holdout"].sum() == 1882


def test_fit_matches_the_paper_on_exact_cdnow(model):
    assert model.params_ == pytest.approx(EXACT, rel=1e-5)
    assert model.log_likelihood_ == pytest.approx(-9582.429207, abs=1e-5)
    assert model.standard_errors_ == pytest.approx(STANDARD_ERRORS, rel=1e-3)
    assert (model.converged_, model.diagnosis_, model.n_customers_) == (True, "", 2357)


def test_fit_matches_the_rounded_cdnow(cdnow_csv):
    model = BetaGeoModel().fit(cdnow_csv)
    assert model.params_ == pytest.approx(CSV, rel=1e-5)
    assert model.log_likelihood_ == pytest.approx(-9582.425561, abs=1e-5)


def test_predictions_match_on_cdnow(model, cdnow_exact):
    assert model.probability_alive(cdnow_exact).loc[1] == pytest.approx(0.726620, abs=1e-6)
    assert model.probability_alive(cdnow_exact).mean() == pytest.approx(0.813440, abs=1e-6)
    expected = model.expected_purchases(cdnow_exact, horizon=39)
    assert expected.loc[1] == pytest.approx(1.225995, abs=1e-6)
    assert expected.sum() == pytest.approx(1653.409, abs=1e-3)
    assert expected.index.equals(cdnow_exact.index)


def test_covariance_is_in_line_with_standard_errors(model):
    assert list(model.covariance_) == ["r", "alpha", "a", "b"]
    assert np.sqrt(np.diag(model.covariance_)) == pytest.approx(model.standard_errors_)


@pytest.mark.parametrize("factor", [7.0, 7.0 * 24, 1 / 52, 1e-9, 1e9])
def test_the_unit_of_time_changes_no_prediction(model, cdnow_exact, factor):
    other = cdnow_exact.assign(recency=cdnow_exact["recency"] * factor, T=cdnow_exact["T"] * factor)
    fitted = BetaGeoModel().fit(other)
    r, alpha, a, b = model.params_
    assert fitted.params_ == pytest.approx((r, alpha * factor, a, b), rel=1e-9)
    shift = cdnow_exact["frequency"].sum() * np.log(factor)
    assert fitted.log_likelihood_ == pytest.approx(model.log_likelihood_ - shift, rel=1e-11)
    for ours, theirs in (
        (fitted.expected_purchases(other, 39 * factor), model.expected_purchases(cdnow_exact, 39)),
        (
            fitted.probability_no_purchase(other, 39 * factor, lead=2 * factor),
            model.probability_no_purchase(cdnow_exact, 39, lead=2),
        ),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_weights_stand_for_customers(model, cdnow_exact):
    columns = ["frequency", "recency", "T"]
    counted = cdnow_exact.groupby(columns).size().reset_index(name="n")
    weighted = BetaGeoModel().fit(counted[columns], weights=counted["n"])
    assert weighted.params_ == pytest.approx(model.params_, rel=1e-10)
    assert weighted.standard_errors_ == pytest.approx(model.standard_errors_, rel=1e-8)
    assert weighted.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-12)
    assert weighted.n_customers_ == 2357
    assert weighted.data_digest_ == model.data_digest_


def test_rows_of_weight_zero_count_for_nothing(model, cdnow_exact):
    stranger = pd.DataFrame({"frequency": [90], "recency": [900.0], "T": [1000.0]}, index=[-1])
    more = pd.concat([cdnow_exact, stranger]).rename_axis("customer_id")
    fitted = BetaGeoModel().fit(more, weights=np.append(np.ones(2357), 0))
    assert fitted.params_ == model.params_


def test_new_customers(model):
    r, alpha, a, b = model.params_
    expected = model.expected_purchases_new_customer([30, 90])
    for t, value in expected.items():  # eq. (9)
        term = (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t))
        assert value == pytest.approx((a + b - 1) / (a - 1) * (1 - term), rel=1e-9)
    assert model.expected_purchases_new_customer(30).tolist() == expected.loc[[30]].tolist()


def test_no_horizon_no_purchase(model, cdnow_exact):
    assert (model.expected_purchases(cdnow_exact, 0) == 0).all()
    quiet = model.probability_no_purchase(cdnow_exact, 0, lead=5)
    np.testing.assert_allclose(quiet, 1, rtol=1e-14)
    assert (quiet <= 1).all()


def test_discounting_at_rate_zero_counts_purchases(model, cdnow_exact):
    counted = model.expected_purchases(cdnow_exact, 52)
    np.testing.assert_allclose(model.discounted_purchases(cdnow_exact, 52, 0), counted, rtol=1e-12)


def test_given_alive_is_finite_where_the_customer_is_gone(model):
    gone = customers([400], [1.0], [5000.0])
    assert model.probability_alive(gone).tolist() == [0.0]
    assert model.discounted_purchases(gone, 52, 0.003).tolist() == [0.0]
    rate = 400 / 5000 * 52
    value = model.discounted_purchases(gone, 52, 0.003, given_alive=True)[0]
    assert 0.9 * np.exp(-0.003 * 52) * rate < value < rate


def simulated_heavy_users(rng):
    x = rng.integers(100, 400, 500)
    return customers(x, 500 - rng.exponential(500 / x), np.full(500, 500.0))


def simulated_same_rate(rng):
    x = rng.poisson(3, 2000)
    last = 365 * rng.uniform(size=2000) ** (1 / np.maximum(x, 1))
    return customers(x, np.where(x > 0, last, 0), np.full(2000, 365.0))


DEGENERATE = {
    "nobody leaves": (simulated_heavy_users, "500 with a repeat.*no dropout can be identified"),
    "one rate": (simulated_same_rate, "no heterogeneity of purchase rates"),
    "one customer": (lambda _: customers([3], [5.0], [10.0]), "these 1 customers.*too few"),
    "all leave at once": (
        lambda rng: customers(np.ones(100), rng.uniform(1, 5, 100), np.full(100, 1000.0)),
        "no heterogeneity of dropout .*p = 1",
    ),
}


@pytest.mark.parametrize(("simulate", "text"), DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_data_are_named_not_fitted(simulate, text):
    rfm = simulate(np.random.default_rng(0))
    model = BetaGeoModel().fit(rfm)
    assert not model.converged_
    assert re.search(text, model.diagnosis_)
    assert np.isnan(model.standard_errors_).all()
    assert np.isfinite(model.params_).all()
    assert np.isfinite(model.expected_purchases(rfm, 90)).all()


def test_lifetimes_convergence_errors_on_small_samples_are_the_data(cdnow_exact):
    # Of these 60 samples lifetimes raises ConvergenceError on 17: there the likelihood really
    # grows without end.
    fits = [BetaGeoModel().fit(cdnow_exact.sample(100, random_state=i)) for i in range(20)]
    assert all("dropout" in fit.diagnosis_ for fit in fits if not fit.converged_)
    assert sum(not fit.converged_ for fit in fits) < 10


def test_no_repeat_purchase_is_refused():
    rfm = customers([0, 0, 0], [0, 0, 0], [10, 20, 30])
    with pytest.raises(DataError, match="frequency is 0 for all 3 customers.*longer history"):
        BetaGeoModel().fit(rfm)


def test_a_saved_model_predicts_the_same(model, cdnow_exact):
    loaded = BetaGeoModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert loaded.params_ == model.params_
    pd.testing.assert_frame_equal(loaded.covariance_, model.covariance_)
    pd.testing.assert_series_equal(
        loaded.expected_purchases(cdnow_exact, 39), model.expected_purchases(cdnow_exact, 39)
    )
    assert loaded.to_dict() == model.to_dict()


def test_a_failed_fit_is_saved_as_failed():
    model = BetaGeoModel().fit(customers([3], [5.0], [10.0]))
    text = json.dumps(model.to_dict(), allow_nan=False)
    assert BetaGeoModel.from_dict(json.loads(text)).diagnosis_ == model.diagnosis_


def test_another_models_save_is_refused(model):
    with pytest.raises(DataError, match="saved GammaGammaModel of format 1, not a BetaGeoModel"):
        BetaGeoModel.from_dict(model.to_dict() | {"model": "GammaGammaModel"})


def test_clone_forgets_the_fit(model, cdnow_exact):
    with pytest.raises(NotFittedError, match="BetaGeoModel instance is not fitted"):
        clone(model).probability_alive(cdnow_exact)


@pytest.mark.parametrize("horizon", [None, "90", True, pd.Timedelta(days=90), 1j])
def test_horizons_that_are_no_numbers_are_refused(model, cdnow_exact, horizon):
    text = re.escape(f"horizon={horizon!r} is a {type(horizon).__name__}; give a single number")
    for ask in (model.expected_purchases, model.predict_purchases, model.probability_no_purchase):
        with pytest.raises(SettingsError, match=text):
            ask(cdnow_exact, horizon)
    with pytest.raises(SettingsError, match=text):
        model.expected_purchases(cdnow_exact, [1.0, horizon])
    with pytest.raises(SettingsError, match=text):
        model.expected_purchases_new_customer(horizon)


@pytest.mark.parametrize("horizon", [[], [[1, 2]], np.empty(0)])
def test_horizons_that_are_no_list_are_refused(model, cdnow_exact, horizon):
    text = re.escape(f"horizon={horizon!r} must be a number or a list of one or more")
    with pytest.raises(SettingsError, match=text):
        model.expected_purchases(cdnow_exact, horizon)
    with pytest.raises(SettingsError, match=text):
        model.expected_purchases_new_customer(horizon)


@pytest.mark.parametrize("horizon", [-1, float("nan"), float("inf")])
def test_horizons_that_cannot_be_are_refused(model, cdnow_exact, horizon):
    with pytest.raises(SettingsError, match=f"horizon={horizon} must be a finite number"):
        model.expected_purchases(cdnow_exact, horizon)


def test_inputs_are_not_altered(model, cdnow_exact):
    before = cdnow_exact.copy(deep=True)
    BetaGeoModel().fit(cdnow_exact)
    model.probability_no_purchase(cdnow_exact, 30, lead=3)
    pd.testing.assert_frame_equal(cdnow_exact, before)
