"""BG/NBD's quantities against mpmath where closed forms are exact, and against simulation."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.models import BetaGeoParams, regular_quantities
from patronage.models.betageo_discounting import discounted_purchases
from patronage.models.betageo_quantities import (
    Active,
    counts_pmf,
    log_odds_inactive,
    no_purchase,
    purchases,
    stays,
)
from patronage.models.regular_quantities import RegularActive

TOLERANCE = 1e-12


def active(params, x, T):
    """BG/NBD's customer of x repeat purchases, active at T."""
    r, alpha, a, b = params
    return Active(
        r + np.atleast_1d(float(x)), alpha + np.atleast_1d(float(T)), a, b + np.atleast_1d(float(x))
    )


def one(function, params, x, T, *arguments):
    return function(active(params, x, T), *arguments)[0]


def exact_purchases(params, x, T, t):
    """Eq. (10) without P(alive), moved off its removable singularities by 1e-30."""
    with mp.workdps(80):
        r, alpha, a, b = map(mp.mpf, params)
        a += mp.mpf(10) ** -30
        b += mp.mpf(10) ** -30
        z, c = t / (alpha + T + t), a + b + x - 1
        return c / (a - 1) * (1 - (1 - z) ** (r + x) * mp.hyp2f1(r + x, b + x, c, z))


def exact_transform(params, x, scale, t):
    """E[(1 + p t / scale)^-(r+x)] for p ~ Beta(a, b+x)."""
    r, _, a, b = map(mp.mpf, params)
    z = t / (scale + t)
    return (1 - z) ** (r + x) * mp.hyp2f1(r + x, b + x, a + b + x, z)


def exact_no_purchase(params, x, T, horizon, lead):
    with mp.workdps(50):
        scale = mp.mpf(params[1]) + T
        later = scale + horizon
        here = (scale / later) ** (mp.mpf(params[0]) + x) * exact_transform(params, x, later, lead)
        return 1 - exact_transform(params, x, scale, lead) + here


CLOSED_FORMS_FAIL = {
    "a + b < 1": ((0.11, 2.24, 0.31, 0.5), 0, 1, 30),
    "a + b + x = 1": ((0.25, 4, 0.4, 0.6), 0, 30, 52),
    "a = 1": ((0.243, 4.414, 1, 2.5), 3, 39, 52),
    "a almost 1": ((0.243, 4.414, 1 + 1e-13, 2.5), 3, 39, 52),
    "1,500 purchases": ((0.243, 4.414, 0.793, 2.426), 1500, 39, 52),
    "5,000 purchases in 5,000 days": ((0.243, 30.9, 0.793, 2.426), 5000, 5000, 3650),
    "5,000 purchases in a day": ((0.243, 30.9, 0.793, 2.426), 5000, 1, 3650),
    "tiny parameters": ((0.01, 0.05, 0.02, 0.03), 0, 1, 3650),
    "dropout all or nothing": ((5, 10, 1e-3, 1e-3), 0, 30, 3650),
    "rate parameters huge": ((1e3, 1e4, 20, 8), 300, 1, 3650),
    "dropout rare": ((0.5, 20, 1.3, 900), 20, 300, 365),
    "a moment": ((0.243, 4.414, 0.793, 2.426), 2, 39, 1e-9),
}


@pytest.mark.parametrize("case", CLOSED_FORMS_FAIL.values(), ids=CLOSED_FORMS_FAIL.keys())
def test_purchases_where_closed_forms_fail(case):
    params, x, T, t = case
    exact = float(exact_purchases(params, x, T, t))
    assert one(purchases, params, x, T, t) == pytest.approx(exact, rel=TOLERANCE)


@pytest.mark.parametrize("lead", [0, 14, 900])
@pytest.mark.parametrize("case", CLOSED_FORMS_FAIL.values(), ids=CLOSED_FORMS_FAIL.keys())
def test_no_purchase_where_closed_forms_fail(case, lead):
    params, x, T, t = case
    exact = float(exact_no_purchase(params, x, T, t, lead))
    assert one(no_purchase, params, x, T, t, lead) == pytest.approx(exact, rel=TOLERANCE)


def powers_of_ten(lowest, highest):
    return st.floats(lowest, highest).map(lambda power: 10.0**power)


parameters = st.tuples(
    powers_of_ten(-2, 1.5), powers_of_ten(-1, 2.5), powers_of_ten(-2, 1), powers_of_ten(-2, 1.5)
)


@settings(max_examples=40, deadline=None)
@given(parameters, st.integers(0, 60), powers_of_ten(0, 3), powers_of_ten(-1, 3))
def test_any_customer_is_exact(params, x, T, t):
    expected = float(exact_purchases(params, x, T, t))
    assert one(purchases, params, x, T, t) == pytest.approx(expected, rel=1e-10)
    quiet = float(exact_no_purchase(params, x, T, t, 7))
    assert one(no_purchase, params, x, T, t, 7) == pytest.approx(quiet, rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[powers_of_ten(-8, 8)] * 4),
    st.integers(0, 5000),
    powers_of_ten(0, 4),
    powers_of_ten(-3, 4),
)
def test_nothing_is_ever_nan(params, x, T, t):
    count, quiet = one(purchases, params, x, T, t), one(no_purchase, params, x, T, t, 30)
    assert np.isfinite(count)
    assert 0 <= count <= (params[0] + x) / (params[1] + T) * t * (1 + 1e-9)
    assert 0 <= quiet <= 1 + 1e-12
    assert one(discounted_purchases, params, x, T, t, 1e-3) <= count * (1 + 1e-9)


@pytest.mark.parametrize(
    ("params", "x", "T", "horizon", "rate"),
    [
        ((0.243, 30.9, 0.793, 2.426), 2, 272, 365, 4e-4),
        ((0.243, 30.9, 1, 2.426), 0, 272, 3650, 4e-4),
        ((30, 30, 1.2, 0.3), 0, 10, 3650, 1e-2),
        ((0.243, 30.9, 0.793, 2.426), 5000, 5000, 365, 4e-4),
        ((0.5, 3, 4, 0.2), 0, 1, 36500, 1e-1),
    ],
)
def test_discounted_purchases_are_the_integral(params, x, T, horizon, rate):
    r, alpha, a, b = map(mp.mpf, params)
    scale = alpha + T

    def speed(s):
        later = (1 + s / scale) ** -(r + x + 1)
        share = mp.hyp2f1(r + x + 1, b + x, a + b + x, s / (scale + s))
        return (r + x) / scale * later * share * mp.exp(-mp.mpf(rate) * s)

    cuts = [0, *(mp.mpf(10) ** k for k in range(-2, 5) if 10**k < horizon), horizon]
    exact = float(mp.quad(speed, cuts))
    assert one(discounted_purchases, params, x, T, horizon, rate) == pytest.approx(exact, rel=1e-10)


def test_odds_of_inactivity_are_eq_11():
    params = BetaGeoParams(0.243, 4.414, 0.793, 2.426)
    x, t_x, T = (np.array([value]) for value in (5000.0, 38.0, 38.857))
    with mp.workdps(40):
        ratio = (mp.mpf(4.414) + T[0]) / (mp.mpf(4.414) + t_x[0])
        exact = mp.log(mp.mpf(0.793) / (mp.mpf(2.426) + 4999) * ratio ** (mp.mpf(0.243) + 5000))
    assert log_odds_inactive(params, x, t_x, T, x)[0] == pytest.approx(float(exact), rel=1e-13)
    assert log_odds_inactive(params, np.zeros(1), np.zeros(1), T, np.zeros(1))[0] == -np.inf


def test_simulated_active_customers_do_as_expected():
    params, x, T, horizon, lead = BetaGeoParams(0.5, 20.0, 0.9, 2.5), 2.0, 100.0, 90.0, 14.0
    rng, n = np.random.default_rng(1), 200_000
    rate = rng.gamma(params.r + x, 1 / (params.alpha + T), n)
    leaves = rng.beta(params.a, params.b + x, n)
    number, last = rng.poisson(rate * (lead + horizon)), rng.geometric(leaves)
    made = np.minimum(number, last)
    before = rng.binomial(number, lead / (lead + horizon))
    quiet = np.maximum(made - before, 0) == 0
    close = 4 * made.std() / np.sqrt(n)
    assert one(purchases, params, x, T, lead + horizon) == pytest.approx(made.mean(), abs=close)
    close = 4 * quiet.std() / np.sqrt(n)
    assert one(no_purchase, params, x, T, horizon, lead) == pytest.approx(quiet.mean(), abs=close)


def test_many_rows_are_worked_as_one():
    params = BetaGeoParams(0.243, 30.9, 0.793, 2.426)
    x, T = np.tile(np.arange(40.0), 100), np.linspace(1, 900, 4000)
    together = purchases(Active(params.r + x, params.alpha + T, params.a, params.b + x), 90)
    for i in (0, 1, 1999, 3999):
        assert together[i] == pytest.approx(one(purchases, params, x[i], T[i], 90), rel=1e-12)


def test_a_customer_is_worth_the_same_to_the_last_bit_in_any_company():
    rng = np.random.default_rng(0)
    x, T = rng.integers(0, 40, 300).astype(float), rng.integers(1, 900, 300).astype(float)
    params = BetaGeoParams(0.3, 40.0, 0.8, 2.4)
    crowd = Active(params.r + x, params.alpha + T, params.a, params.b + x)

    def all_of(some):
        return np.column_stack(
            [
                purchases(some, 365.0),
                no_purchase(some, 90.0, 7.0),
                stays(some, 30.0),
                discounted_purchases(some, 365.0, 4e-4),
                discounted_purchases(some, np.inf, 4e-2),
            ]
        )

    together = all_of(crowd)
    for place in range(0, 300, 7):
        alone = Active(crowd.shape[[place]], crowd.scale[[place]], crowd.a, crowd.b[[place]])
        assert (all_of(alone) == together[place]).all()


DISCOUNTS = {
    "dropout all or nothing": ((506.0, 6.0, 2e-3, 0.05), 1, 4400, 3, 5.5e-4),
    "dear discount": ((0.243, 30.9, 0.793, 2.426), 2, 272, 365, 1.5),
    "dropout rare, but not for all": (
        (738.5, 1.983e-3, 1.172e-3, 0.01245),
        17,
        512.7,
        7.859e-5,
        1.609e-4,
    ),
    "dropout certain for some": ((34.0, 2e-3, 0.02, 6e-3), 0, 777, 3737, 5e-4),
}


@pytest.mark.parametrize("case", DISCOUNTS.values(), ids=DISCOUNTS.keys())
def test_discounts_where_time_scales_differ(case):
    """Against a method that has nothing in common with this one, by parts over sums of stages."""
    params, x, T, horizon, rate = case
    r, alpha, a, b = params
    staged = RegularActive(
        np.array([r + x]), np.array([alpha + T]), a, np.array([b + x]), np.zeros(1), 1
    )
    for span in (horizon, np.inf):
        expected = regular_quantities.discounted_purchases(staged, span, rate)[0]
        ours = one(discounted_purchases, params, x, T, span, rate)
        assert ours == pytest.approx(expected, rel=1e-10)


def test_all_purchases_to_come_are_one_over_dropout():
    endless = one(discounted_purchases, (0.243, 30.9, 2.5, 2.426), 3, 272, np.inf, 0)
    assert endless == pytest.approx((2.5 + 5.426 - 1) / 1.5)
    assert one(discounted_purchases, (0.243, 30.9, 1.0, 2.4), 3, 272, np.inf, 0) == np.inf


@pytest.mark.parametrize("case", CLOSED_FORMS_FAIL.values(), ids=CLOSED_FORMS_FAIL.keys())
def test_count_probabilities_are_exact(case):
    """Fader, Hardie & Lee (2005), eq. (8), of an active customer; n >= 171 overflows elsewhere."""
    params, x, T, t = case
    n_last = 200 if x < 2 else 4
    pmf = one(counts_pmf, params, x, T, t, n_last + 1)
    with mp.workdps(60):
        r, alpha, a, b = map(mp.mpf, params)
        s, b, scale = r + x, b + x, alpha + T
        z = t / (scale + t)
        for n in (0, 1, 3, n_last):
            kept = mp.rf(b, n) / mp.rf(a + b, n)
            exact = kept * mp.rf(s, n) / mp.factorial(n) * (1 - z) ** s * z**n
            if n > 0:
                more = 1 - sum(
                    mp.rf(s, m) / mp.factorial(m) * (1 - z) ** s * z**m for m in range(n)
                )
                exact += mp.rf(b, n - 1) / mp.rf(a + b, n - 1) * a / (a + b + n - 1) * more
            if exact > 1e-250:
                assert pmf[n] == pytest.approx(float(exact), rel=1e-9)


def test_the_rarest_stay_where_hardly_any_do():
    # 60 digits of the sum over purchases of P(n) E[(1-p)^n].
    found = stays(Active(np.array([4.0]), np.array([30.0]), 97.0, np.array([20.0])), 900.0)[0]
    with mp.workdps(60):
        z = mp.mpf(900) / 930
        exact = mp.nsum(
            lambda n: (
                mp.rf(4, n) / mp.factorial(n) * (1 - z) ** 4 * z**n * mp.rf(20, n) / mp.rf(117, n)
            ),
            [0, mp.inf],
        )
    assert found == pytest.approx(float(exact), rel=1e-10)
