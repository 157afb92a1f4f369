import mpmath as mp
import numpy as np
import pytest

from patronage.models.gammagamma_likelihood import GammaGammaLikelihood


def exact(p, q, v, x, z):
    """Fader & Hardie note 025, eq. (1a), for one customer."""
    with mp.workdps(40):
        p, q, v = map(mp.mpf, (p, q, v))
        gammas = mp.gamma(p * x + q) / mp.gamma(p * x) / mp.gamma(q)
        powers = v**q * mp.mpf(z) ** (p * x - 1) * mp.mpf(x) ** (p * x)
        return float(mp.log(gammas * powers / (v + x * mp.mpf(z)) ** (p * x + q)))


@pytest.mark.parametrize(
    "point",
    [(6.25, 3.74, 15.44, 2, 22.35), (0.3, 0.6, 0.1, 40, 1e4), (900, 2.5, 80, 7, 0.5)],
)
def test_value_is_eq_1a(point):
    *params, x, z = point
    likelihood = GammaGammaLikelihood(*(np.array([float(value)]) for value in (x, z, 1)))
    assert likelihood(np.log(params)).value == pytest.approx(exact(*point), rel=1e-11)


def test_gradient_and_hessian_are_the_derivatives():
    rng = np.random.default_rng(0)
    x, z, n = rng.integers(1, 9, 100).astype(float), rng.gamma(2, 1, 100), rng.uniform(1, 3, 100)
    likelihood = GammaGammaLikelihood(x, z, n)
    at, step = np.log([3.0, 2.0, 1.5]), 1e-5
    found = likelihood(at)
    for i, axis in enumerate(np.eye(3) * step):
        up, down = likelihood(at + axis), likelihood(at - axis)
        slope = (up.value - down.value) / (2 * step)
        assert found.gradient[i] == pytest.approx(slope, abs=1e-8)
        bend = (up.gradient - down.gradient) / (2 * step)
        np.testing.assert_allclose(found.hessian[i], bend, atol=1e-8)
