"""BG/BB's quantities against the paper's closed forms in mpmath, summed where these fail."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.models.betageobetabinom_likelihood import BetaGeoBetaBinomParams
from patronage.models.betageobetabinom_quantities import (
    count_pmf,
    log_odds_inactive,
    purchases,
    stays,
    wait,
)


def one(function, params, *arguments):
    whole = [a for a in arguments if isinstance(a, list)]
    other = [a for a in arguments if not isinstance(a, list)]
    return function(BetaGeoBetaBinomParams(*params), *map(np.array, whole), *other)[0]


def survival(params, n, j):
    """P(active at opportunity n + 1 + j | active at n + 1)."""
    _, _, g, d = map(mp.mpf, params)
    return mp.beta(g, d + n + 1 + j) / mp.beta(g, d + n + 1)


def exact_p_active(params, x, t_x, n):
    """P(active at opportunity n + 1)."""
    a, b, g, d = map(mp.mpf, params)
    gone = (mp.beta(a + x, b + t - x) * mp.beta(g + 1, d + t) for t in range(t_x, n + 1))
    active = mp.beta(a + x, b + n - x) * mp.beta(g, d + n + 1)
    return active / (active + mp.fsum(gone))


def exact_count(params, x, n, horizon, lead, k):
    """Beta-binomial counts, mixed over the opportunity before which she leaves."""
    a, b, _, _ = map(mp.mpf, params)
    a, b = a + x, b + n - x

    def made(i):
        return mp.binomial(i, k) * mp.beta(a + k, b + i - k) / mp.beta(a, b) if i >= k else 0

    left = [survival(params, n, lead + i) for i in range(horizon)]
    total = mp.fsum((left[i - 1] - left[i]) * made(i) for i in range(1, horizon))
    return total + left[-1] * made(horizon) + (1 - left[0] if k == 0 else 0)


def powers_of_ten(lowest, highest):
    return st.floats(lowest, highest).map(lambda power: 10.0**power)


parameters = st.tuples(*[powers_of_ten(-3, 3)] * 4)


@st.composite
def histories(draw):
    n = draw(st.integers(1, 120))
    t_x = draw(st.integers(0, n))
    return (draw(st.integers(1, t_x)) if t_x else 0), t_x, n


@settings(max_examples=60, deadline=None)
@given(parameters, histories(), st.integers(1, 40), st.sampled_from([0, 3]), st.data())
def test_any_customer_is_exact(params, history, horizon, lead, data):
    x, t_x, n = history
    k = data.draw(st.integers(0, horizon))
    with mp.workdps(60):
        active = float(exact_p_active(params, x, t_x, n))
        mean = (mp.mpf(params[0]) + x) / (mp.mpf(params[0]) + params[1] + n)
        ahead = mp.fsum(survival(params, n, j) for j in range(horizon))
        count, stay = float(mean * ahead), float(survival(params, n, horizon))
        share = float(exact_count(params, x, n, horizon, lead, k))
    odds = one(log_odds_inactive, params, [x], [t_x], [n])
    assert 1 / (1 + np.exp(odds)) == pytest.approx(active, rel=1e-10)
    assert one(purchases, params, [x], [n], horizon) == pytest.approx(count, rel=1e-10)
    assert one(stays, params, [n], float(horizon)) == pytest.approx(stay, rel=1e-10)
    pmf = one(count_pmf, params, [x], [n], horizon, float(lead), k + 1)
    assert pmf[k] == pytest.approx(share, rel=1e-10, abs=1e-290)


EXTREMES = {
    "gamma = 1": ((1.2, 0.75, 1, 2.8), 3, 6),
    "5,000 opportunities": ((1.2, 0.75, 0.66, 2.8), 5000, 5000),
    "tiny parameters": ((1e-3, 1e-3, 1e-3, 1e-3), 0, 1),
    "huge parameters": ((1e3, 1e3, 1e3, 1e3), 2, 40),
}


@pytest.mark.parametrize("rate", [1e-5, 0.1])
@pytest.mark.parametrize("case", EXTREMES.values(), ids=EXTREMES.keys())
def test_discounted_purchases_without_end_are_a_hypergeometric_function(case, rate):
    params, x, n = case
    with mp.workdps(50):
        a, b, g, d = map(mp.mpf, params)
        v, d = mp.exp(-mp.mpf(rate)), d + n + 1
        later = d / (g + d) * v * mp.hyp2f1(1, d + 1, g + d + 1, v)
        exact = float((a + x) / (a + b + n) * v * (1 + later))
    assert one(purchases, params, [x], [n], np.inf, rate) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("case", EXTREMES.values(), ids=EXTREMES.keys())
def test_counts_add_up(case):
    params, x, n = case
    pmf = one(count_pmf, params, [x], [n], 400, 0.0, 401)
    assert pmf.sum() == pytest.approx(1, rel=1e-12)
    expected = one(purchases, params, [x], [n], 400)
    assert pmf @ np.arange(401) == pytest.approx(expected, rel=1e-11)


def test_waiting_counts_opportunities():
    params, x, n = (1.2, 0.75, 0.66, 2.78), 1, 6
    quiet = [1 - one(count_pmf, params, [x], [n], h, 0.0, 1)[0] for h in range(1, 30)]
    for share in (0.1, 0.5, 0.7):
        within = 1 + int(np.argmax(np.array(quiet) >= share))
        assert one(wait, params, [x], [n], share) == within
    assert one(wait, params, [x], [n], 0.95) == np.inf
