import mpmath as mp
import numpy as np
import pytest

from patronage.models.betageo_likelihood import BetaGeoLikelihood
from patronage.models.groups import TimingGroups


def exact(params, x, t_x, T):
    """Fader, Hardie & Lee (2005), eq. (6), for one customer."""
    with mp.workdps(60):
        r, alpha, a, b = map(mp.mpf, params)
        made = mp.gamma(r + x) / mp.gamma(r) * alpha**r
        total = mp.beta(a, b + x) / mp.beta(a, b) * made / (alpha + T) ** (r + x)
        if x > 0:
            left = mp.beta(a + 1, b + x - 1) / mp.beta(a, b)
            total += left * made / (alpha + mp.mpf(t_x)) ** (r + x)
        return float(mp.log(total))


POINTS = {
    "typical": ((0.243, 4.414, 0.793, 2.426), 2, 30.43, 38.86),
    "one-time buyer": ((0.243, 4.414, 0.793, 2.426), 0, 0, 38.86),
    "heavy": ((0.243, 4.414, 0.793, 2.426), 1500, 38.9, 39),
    "heaviest": ((0.243, 30.9, 0.793, 2.426), 5000, 4990, 5000),
    "long gone": ((0.243, 4.414, 0.793, 2.426), 300, 3, 5000),
    "one rate": ((1e6, 1e7, 0.05, 12), 7, 100, 365),
    "one dropout": ((5, 500, 1e5, 1e6), 7, 100, 365),
    "tiny": ((1e-3, 1e-3, 1e-3, 1e-3), 1, 1, 2),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_value_is_eq_6(point):
    params, *history = point
    x, t_x, T = (np.array([float(value)]) for value in history)
    likelihood = BetaGeoLikelihood(TimingGroups(x, t_x, T, np.ones(1), 1.0))
    assert likelihood(np.log(params)).value == pytest.approx(exact(*point[:1], *history), rel=1e-10)


@pytest.mark.parametrize("params", [(0.5, 0.2, 0.8, 2.4), (9, 3, 0.05, 20), (0.02, 0.01, 7, 0.1)])
def test_gradient_and_hessian_are_the_derivatives(params):
    rng = np.random.default_rng(0)
    x, T = rng.integers(0, 9, 200).astype(float), rng.uniform(0.1, 1, 200)
    t_x = np.where(x > 0, T * rng.uniform(size=200), 0)
    likelihood = BetaGeoLikelihood(TimingGroups(x, t_x, T, rng.uniform(0.5, 3, 200), 1.0))
    at, step = np.log(params), 1e-5
    found = likelihood(at)
    for i, axis in enumerate(np.eye(4) * step):
        up, down = likelihood(at + axis), likelihood(at - axis)
        slope = (up.value - down.value) / (2 * step)
        assert found.gradient[i] == pytest.approx(slope, abs=1e-8)
        bend = (up.gradient - down.gradient) / (2 * step)
        np.testing.assert_allclose(found.hessian[i], bend, atol=1e-8)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("k", [2, 7])
def test_regular_timing_has_exact_derivatives_too(first, k):
    rng = np.random.default_rng(0)
    x, T = rng.integers(0, 9, 200).astype(float), rng.uniform(0.1, 1, 200)
    t_x = np.where(x > 0, T * rng.uniform(size=200), 0)
    groups = TimingGroups(x, t_x, T, rng.uniform(0.5, 3, 200), 1.0)
    likelihood = BetaGeoLikelihood(groups, leaves_at_first=first, k=k)
    at, step = np.log([0.5, 0.2, 0.8, 2.4]), 1e-5
    found = likelihood(at)
    for i, axis in enumerate(np.eye(4) * step):
        up, down = likelihood(at + axis), likelihood(at - axis)
        assert found.gradient[i] == pytest.approx((up.value - down.value) / (2 * step), abs=1e-7)
        bend = (up.gradient - down.gradient) / (2 * step)
        np.testing.assert_allclose(found.hessian[i], bend, atol=1e-7)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("history", [(0, 0, 38.86), (2, 30.43, 38.86), (300, 3, 5000)])
def test_value_with_regular_timing(history, k, first):
    """Erlang gaps, and a coin after each purchase; without what belongs to the gaps alone."""
    (x, t_x, T), n = history, history[0] + first
    with mp.workdps(60):
        r, alpha, a, b = map(mp.mpf, (0.243, 4.414, 0.793, 2.426))
        s = r + k * x
        quiet = mp.fsum(
            mp.rf(s, j) / mp.factorial(j) * ((T - mp.mpf(t_x)) / (alpha + T)) ** j for j in range(k)
        )
        total = mp.beta(a, b + n) / mp.beta(a, b) * (alpha + T) ** -s * quiet
        if n > 0:
            left = mp.beta(a + 1, b + n - 1) / mp.beta(a, b)
            total += left * (alpha + mp.mpf(t_x)) ** -s
        exact = float(mp.log(total * mp.rf(r, k * x) * alpha**r))
    columns = (np.array([float(value)]) for value in history)
    likelihood = BetaGeoLikelihood(
        TimingGroups(*columns, np.ones(1), 1.0), leaves_at_first=first, k=k
    )
    assert likelihood(np.log([0.243, 4.414, 0.793, 2.426])).value == pytest.approx(exact, rel=1e-10)
