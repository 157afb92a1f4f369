"""Survival over periods against mpmath: closed forms where they exist, else sums term by term."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.models.beta_survival import BetaSurvival


def powers_of_ten(lowest, highest):
    return st.floats(lowest, highest).map(lambda power: 10.0**power)


def log_loss(params, start, span):
    return BetaSurvival(*params).log_loss(np.array([float(start)]), np.array([float(span)]))[0]


def residual(params, past, horizon, rate):
    return BetaSurvival(*params).residual(np.array([float(past)]), horizon, rate)[0]


def exact_log_loss(params, start, span):
    """By log-gamma functions."""
    with mp.workdps(70):
        a, b, c = map(mp.mpf, params)
        early, late = (mp.mpf(t) ** c if t else mp.mpf(0) for t in (start, start + span))
        gained = mp.loggamma(a + b + late) - mp.loggamma(a + b + early)
        return float(gained - mp.loggamma(b + late) + mp.loggamma(b + early))


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(powers_of_ten(-3, 3), powers_of_ten(-3, 3), powers_of_ten(-1, 0.5)),
    st.sampled_from([0, 1, 2, 50, 5000]),
    st.integers(1, 5000),
)
def test_the_loss_is_a_difference_of_log_beta_functions(params, start, span):
    exact = exact_log_loss(params, start, span)
    assert log_loss(params, start, span) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("alpha", [1e-8, 1e8])
@pytest.mark.parametrize("beta", [1e-8, 1e8])
def test_parameters_may_run_to_their_limits(alpha, beta):
    assert log_loss((alpha, beta, 1), 3, 1) == pytest.approx(
        np.log1p(alpha / (beta + 3)), rel=1e-12
    )


def test_no_time_no_loss():
    assert log_loss((0.7, 1.2, 1e-7), 0, 0) == 0
    assert log_loss((0.7, 1.2, 3.0), 9, 0) == 0


@settings(max_examples=60, deadline=None)
@given(
    powers_of_ten(-3, 3),
    powers_of_ten(-3, 3),
    st.sampled_from([0, 1, 7, 2000]),
    powers_of_ten(-6, 0.5),
)
def test_discounted_periods_without_end_are_a_hypergeometric_function(alpha, beta, past, rate):
    with mp.workdps(600):  # its terms are up to 1e125 times their sum, and beyond
        a, b, v = mp.mpf(alpha), mp.mpf(beta) + past, mp.exp(-mp.mpf(rate))
        exact = float(b / (a + b) * v * mp.hyp2f1(1, b + 1, a + b + 1, v))
    assert residual((alpha, beta), past, np.inf, rate) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("alpha", [1.001, 1.5, 3, 900])
@pytest.mark.parametrize("past", [0, 40])
def test_periods_to_come_have_a_mean_where_alpha_exceeds_1(alpha, past):
    exact = (0.3 + past) / (alpha - 1)
    assert residual((alpha, 0.3), past, np.inf, 0) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("params", [(1, 2, 1), (0.9, 0.1, 1.1), (5, 2, 0.2)])
def test_periods_to_come_are_infinite_where_few_leave(params):
    assert residual(params, 3, np.inf, 0) == np.inf
    assert np.isfinite(residual(params, 3, np.inf, 1e-5))


@pytest.mark.parametrize(
    ("params", "past", "horizon", "rate"),
    [
        ((0.7, 1.2, 1), 7, 5000, 0),
        ((0.26, 1.72, 1.58), 3, 4000, 0.001),
        ((3, 2, 0.4), 0, 3000, 0.0),
        ((0.01, 5, 0.1), 100, 2500, 1e-4),
        ((2, 9, 1.3), 5, 12, 0.1),
    ],
)
def test_a_finite_horizon_is_summed_term_by_term(params, past, horizon, rate):
    with mp.workdps(40):
        a, b, c = map(mp.mpf, params)
        start = mp.beta(a, b + mp.mpf(past) ** c)
        terms = (
            mp.beta(a, b + mp.mpf(past + j) ** c) / start * mp.exp(-mp.mpf(rate) * j)
            for j in range(1, horizon + 1)
        )
        exact = float(mp.fsum(terms))
    assert residual(params, past, horizon, rate) == pytest.approx(exact, rel=1e-11)


def test_duration_dependence_without_end_is_the_limit_of_long_horizons():
    params = (0.26, 1.72, 1.58)
    near = residual(params, 2, 400_000, 1e-4)
    assert residual(params, 2, np.inf, 1e-4) == pytest.approx(near, rel=1e-12)
    tail = residual((1.2, 2, 1.5), 2, 1e9, 0)
    rest = 1e9 * np.exp(-log_loss((1.2, 2, 1.5), 2, 1e9)) / 0.8  # S falls as t^-1.8
    assert residual((1.2, 2, 1.5), 2, np.inf, 0) == pytest.approx(tail + rest, rel=1e-10)


def test_many_ages_are_worked_as_one():
    curve, ages = BetaSurvival(0.7, 1.2, 1.3), np.array([9.0, 0.0, 300.0])
    together = curve.residual(ages, np.inf, 0.002)
    for age, value in zip(ages, together, strict=True):
        assert value == pytest.approx(residual((0.7, 1.2, 1.3), age, np.inf, 0.002), rel=1e-13)
