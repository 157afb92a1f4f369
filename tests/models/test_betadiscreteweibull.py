import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import betaln

from patronage.errors import DataError
from patronage.models import BetaDiscreteWeibullModel, ShiftedBetaGeoModel, survivor_table

# Fader & Hardie (2007), table 1.
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]

# Optima of `independent_optimum` below, run to its last digits.
FITS = {
    "regular, 7 years": (REGULAR, (0.455614, 0.779326, 1.283451), -1679.602833),
    "high end, 7 years": (HIGH_END, (0.214253, 1.426575, 1.723565), -1605.314213),
    "regular, 4 years": (REGULAR[:5], (0.523029, 0.894283, 1.196399), -1401.383052),
    "high end, 4 years": (HIGH_END[:5], (0.259336, 1.722551, 1.584362), -1222.749318),
}


def independent_optimum(survivors):
    """Nelder & Mead on the log-likelihood written with log-beta functions."""
    time, lost = np.arange(len(survivors)), -np.diff(survivors)

    def loss(log_params):
        alpha, beta, c = np.exp(log_params)
        left = np.exp(betaln(alpha, beta + np.where(time > 0, time**c, 0)) - betaln(alpha, beta))
        return -np.sum(lost * np.log(-np.diff(left))) - survivors[-1] * np.log(left[-1])

    options = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 20_000, "maxfev": 20_000}
    return minimize(loss, np.zeros(3), method="Nelder-Mead", options=options)


@pytest.mark.parametrize(("survivors", "params", "total"), FITS.values(), ids=FITS.keys())
def test_fit_is_the_optimum(survivors, params, total):
    model = BetaDiscreteWeibullModel().fit_survivors(survivors)
    assert model.params_ == pytest.approx(params, rel=2e-6)
    assert model.log_likelihood_ == pytest.approx(total, abs=1e-6)
    assert (model.converged_, model.diagnosis_) == (True, "")
    other = independent_optimum(survivors)
    assert -other.fun == pytest.approx(model.log_likelihood_, abs=1e-7)
    assert np.exp(other.x) == pytest.approx(model.params_, rel=1e-4)


def test_duration_dependence_projects_the_high_end_better():
    # The five renewals after those fitted: Fader & Hardie (2007), table 1.
    later = np.array([468, 445, 427, 409, 394]) / 1000
    errors = [
        np.abs(model().fit_survivors(HIGH_END).survival(12)[8:] - later).mean()
        for model in (ShiftedBetaGeoModel, BetaDiscreteWeibullModel)
    ]
    assert errors[1] < 0.75 * errors[0]


def test_the_likelihood_ratio_tests_c_against_1():
    constant = ShiftedBetaGeoModel().fit_survivors(HIGH_END)
    model = BetaDiscreteWeibullModel().fit_survivors(HIGH_END)
    found = model.duration_dependence_test(constant)
    assert found.statistic == pytest.approx(2 * (1611.158147 - 1605.314213), abs=1e-5)
    assert found.p_value == pytest.approx(6.29e-4, rel=1e-2)
    constant = ShiftedBetaGeoModel().fit_survivors(REGULAR)
    weak = BetaDiscreteWeibullModel().fit_survivors(REGULAR).duration_dependence_test(constant)
    assert weak.p_value == pytest.approx(0.2497, abs=1e-4)
    with pytest.raises(DataError, match="different data: 1,000 customers.* and 1,000 customers"):
        model.duration_dependence_test(constant)


def test_data_without_duration_dependence_give_the_shifted_beta_geometric():
    alpha, beta = 0.7, 1.2
    time = np.arange(1, 30)
    survivors = 1e6 * np.cumprod([1, *((beta + time - 1) / (alpha + beta + time - 1))])
    model = BetaDiscreteWeibullModel().fit_survivors(survivors)
    assert model.params_ == pytest.approx((alpha, beta, 1), rel=1e-7)
    simple = ShiftedBetaGeoModel().fit_survivors(survivors)
    pd.testing.assert_series_equal(model.survival(50), simple.survival(50), rtol=1e-8)
    assert model.duration_dependence_test(simple).p_value > 0.99


def test_renewals_follow_the_survival_curve():
    model = BetaDiscreteWeibullModel().fit_survivors(HIGH_END)
    customers = pd.DataFrame({"customer_id": ["a", "b"], "recency": [3, 5], "T": [3, 6]})
    left = model.survival(400)
    ahead = model.discounted_renewals(customers, 0.2)
    by_hand = sum(left[2 + j] / left[2] * np.exp(-0.2 * j) for j in range(1, 398))
    assert ahead.tolist() == pytest.approx([by_hand, 0], rel=1e-12)
    rates = model.retention_rates(9)
    assert model.probability_alive(customers, 2).tolist() == pytest.approx([rates[3] * rates[4], 0])


def test_simulated_customers_are_fitted():
    truth = BetaDiscreteWeibullModel().fit_survivors(HIGH_END)
    drawn = truth.draw_customers(50_000, 10, np.random.default_rng(2))
    model = BetaDiscreteWeibullModel().fit(drawn)
    error = np.array(model.params_) - np.array(truth.params_)
    assert (np.abs(error) < 4 * np.array(model.standard_errors_)).all()
    mean = drawn["recency"].mean()
    assert mean == pytest.approx(truth.survival(9).sum(), abs=0.06)


DEGENERATE = {
    "nobody leaves": ([100, 100, 100, 100], "nobody was lost"),
    "two renewals": ([100, 60, 50], r"only 2 renewal\(s\) were seen"),
    "all or nothing": ([100, 60, 60, 60, 60], "who renews once never leaves"),
    "no heterogeneity": ([10_000, 9000, 6561, 3874, 1853], "no heterogeneity of churn"),
}


@pytest.mark.parametrize(("survivors", "text"), DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_data_are_named_not_fitted(survivors, text):
    model = BetaDiscreteWeibullModel().fit_survivors(survivors)
    assert not model.converged_
    assert text.replace("\\", "") in model.diagnosis_
    assert np.isfinite(model.survival(9)).all()


def test_a_saved_model_predicts_the_same():
    model = BetaDiscreteWeibullModel().fit_survivors(HIGH_END)
    loaded = BetaDiscreteWeibullModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert loaded.to_dict() == model.to_dict()
    assert loaded.discounted_lifetime(0.1) == model.discounted_lifetime(0.1)


def test_profiles_of_few_data_say_what_they_do_not_bound():
    """The search passes chances to leave that all but jump from one renewal to the next."""
    survivors = [100, 80, 70, 65, 61]
    table = survivor_table(survivors)
    model = BetaDiscreteWeibullModel().fit_survivors(survivors)
    found = model.confidence_intervals(method="profile", data=table, weights=table["weight"])
    assert found.loc[["alpha", "beta"]].to_numpy().tolist() == [[0, np.inf]] * 2
    low, high = found.loc["c"]
    assert high == np.inf
    time, lost = np.arange(5), -np.diff(survivors)

    def loss(log_rate):
        """Of the limit for low c, in which customers do not differ: a discrete Weibull."""
        left = np.exp(-np.exp(log_rate) * np.where(time > 0, time**low, 0))
        return -np.sum(lost * np.log(-np.diff(left))) - survivors[-1] * np.log(left[-1])

    least = minimize_scalar(loss, bounds=(-5, 2), method="bounded", options={"xatol": 1e-9}).fun
    assert 2 * (model.log_likelihood_ + least) == pytest.approx(3.841459, abs=1e-5)
