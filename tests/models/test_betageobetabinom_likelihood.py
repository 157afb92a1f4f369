import mpmath as mp
import numpy as np
import pytest

from patronage.models import betageobetabinom_likelihood as module
from patronage.models.betageobetabinom_likelihood import BetaGeoBetaBinomLikelihood, Histories


def exact(params, x, t_x, n):
    """Fader, Hardie & Shang (2010): the likelihood of one customer."""
    with mp.workdps(60):
        a, b, g, d = map(mp.mpf, params)
        total = mp.beta(a + x, b + n - x) * mp.beta(g, d + n)
        gone = (mp.beta(a + x, b + t - x) * mp.beta(g + 1, d + t) for t in range(t_x, n))
        return float(mp.log((total + mp.fsum(gone)) / mp.beta(a, b) / mp.beta(g, d)))


POINTS = {
    "typical": ((1.2, 0.75, 0.66, 2.78), 3, 5, 6),
    "no purchase": ((1.2, 0.75, 0.66, 2.78), 0, 0, 6),
    "always": ((1.2, 0.75, 0.66, 2.78), 6, 6, 6),
    "one opportunity": ((1.2, 0.75, 0.66, 2.78), 0, 0, 1),
    "a thousand": ((1.2, 0.75, 1, 2.78), 400, 600, 1000),
    "five thousand": ((1.2, 0.75, 0.66, 2.78), 5, 4990, 5000),
    "tiny": ((1e-3, 1e-3, 1e-3, 1e-3), 2, 5, 30),
    "huge": ((1e3, 2e3, 1e3, 1e5), 20, 60, 80),
    "no heterogeneity": ((1e8, 2e8, 1e7, 1e9), 20, 60, 80),
}


def histories(*rows, weight=None):
    x, t_x, n = (np.array(column) for column in zip(*rows, strict=True))
    return Histories(x, t_x, n, np.ones(len(x)) if weight is None else weight)


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_value_is_the_papers(point):
    params, *history = point
    found = BetaGeoBetaBinomLikelihood(histories(history))(np.log(params))
    assert found.value == pytest.approx(exact(params, *history), rel=1e-11)


def many(rng):
    n = rng.integers(1, 12, 300)
    t_x = rng.integers(0, n + 1)
    x = np.where(t_x > 0, rng.integers(1, np.maximum(t_x, 1) + 1), 0)
    return Histories(x, t_x, n, rng.uniform(0.5, 3, 300))


@pytest.mark.parametrize("params", [(1.2, 0.7, 0.6, 2.8), (9, 30, 1, 50), (0.05, 0.1, 0.02, 0.3)])
def test_gradient_and_hessian_are_the_derivatives(params):
    likelihood = BetaGeoBetaBinomLikelihood(many(np.random.default_rng(0)))
    at, step = np.log(params), 1e-5
    found = likelihood(at)
    for i, axis in enumerate(np.eye(4) * step):
        up, down = likelihood(at + axis), likelihood(at - axis)
        slope = (up.value - down.value) / (2 * step)
        assert found.gradient[i] == pytest.approx(slope, abs=1e-8)
        bend = (up.gradient - down.gradient) / (2 * step)
        np.testing.assert_allclose(found.hessian[i], bend, atol=1e-8)


def test_pieces_of_the_data_give_the_whole(monkeypatch):
    likelihood, at = BetaGeoBetaBinomLikelihood(many(np.random.default_rng(1))), np.zeros(4)
    whole = likelihood(at)
    monkeypatch.setattr(module, "CELLS", 5)
    pieces = likelihood(at)
    assert pieces.value == pytest.approx(whole.value, rel=1e-13)
    np.testing.assert_allclose(pieces.hessian, whole.hessian, rtol=1e-11)
