"""Regular timing's quantities against mpmath, against BG/NBD's at k = 1, and against simulation."""

import time

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.models import betageo_discounting
from patronage.models import betageo_quantities as exponential
from patronage.models import regular_quantities as regular
from patronage.models.betageo_quantities import Active
from patronage.models.regular_kernels import PURCHASES, QUIET, STAYS, stage_means
from patronage.models.regular_quantities import RegularActive

# shape = r + k x, scale = alpha + T, a, b = that after the purchases, (T - t_x) / scale, k
CUSTOMERS = {
    "typical": (2.243, 38.0, 0.793, 4.4, 0.3, 2),
    "just bought": (9.8, 38.0, 0.793, 4.4, 0.0, 3),
    "one-time buyer": (0.243, 43.3, 0.793, 2.426, 0.9, 3),
    "a = 1": (3.5, 38.0, 1.0, 2.5, 0.2, 3),
    "a + b = 1": (0.25, 34.0, 0.4, 0.6, 0.5, 4),
    "most regular": (36.5, 60.0, 0.8, 6.0, 0.05, 12),
    "dropout all or nothing": (5.0, 30.0, 1e-3, 1e-3, 0.4, 3),
    "dropout rare": (40.0, 300.0, 1.3, 900.0, 0.02, 2),
    "tiny parameters": (1e-3, 1.05, 0.02, 0.03, 0.9, 5),
    "many purchases": (1000.5, 400.0, 0.8, 502.0, 0.001, 2),
}
SPANS = [1e-6, 0.05, 0.9, 6.0]
"""Horizons, in units of the scale."""
customers = pytest.mark.parametrize("customer", CUSTOMERS.values(), ids=CUSTOMERS.keys())


def active(shape, scale, a, b, since, k):
    return RegularActive(
        np.array([shape]), np.array([scale]), a, np.array([b]), np.array([since]), k
    )


def stages(shape, since, k):
    """P(j stages passed since the last purchase), given no purchase."""
    weights = [mp.rf(shape, j) / mp.factorial(j) * mp.mpf(since) ** j for j in range(k)]
    return [weight / mp.fsum(weights) for weight in weights]


def passed(shape, span, m):
    """P(m stages in the span)."""
    z = mp.mpf(span) / (1 + mp.mpf(span))
    return mp.rf(shape, m) / mp.factorial(m) * (1 - z) ** shape * z**m


def kept(a, b, n):
    return mp.rf(b, n) / mp.rf(mp.mpf(a) + b, n)


def exact_pmf(customer, span, n):
    """P(n purchases), by the stages passed."""
    shape, _, a, b, since, k = customer
    total = mp.mpf(0)
    for j, weight in enumerate(stages(shape, since, k)):
        s = shape + mp.mpf(j)
        exactly = mp.fsum(passed(s, span, m) for m in range(max(n * k - j, 0), (n + 1) * k - j))
        total += weight * kept(a, b, n) * exactly
        if n > 0:
            more = 1 - mp.fsum(passed(s, span, m) for m in range(n * k - j))
            total += weight * (kept(a, b, n - 1) - kept(a, b, n)) * more
    return total


def exact_purchases(customer, span):
    """The sum over i of P(at least i purchases)."""
    shape, _, a, b, since, k = customer
    total, left = mp.mpf(0), [1 + mp.mpf(0)] * k
    parts, seen, i = stages(shape, since, k), [0] * k, 1
    while True:
        term = mp.mpf(0)
        for j in range(k):
            while seen[j] < i * k - j:
                left[j] -= passed(shape + mp.mpf(j), span, seen[j])
                seen[j] += 1
            term += parts[j] * left[j]
        total += kept(a, b, i - 1) * term
        if term < total * mp.mpf(10) ** -16:
            return total
        i += 1


@pytest.mark.parametrize("span", SPANS)
@customers
def test_purchases_are_exact(customer, span):
    if customer[0] * span > 1500:
        pytest.skip("thousands of terms in mpmath")
    with mp.workdps(60):
        exact = float(exact_purchases(customer, span))
    assert regular.purchases(active(*customer), span * customer[1])[0] == pytest.approx(
        exact, rel=1e-11
    )


@pytest.mark.parametrize("span", SPANS)
@customers
def test_count_probabilities_are_exact(customer, span):
    pmf = regular.counts_pmf(active(*customer), span * customer[1], 4)[0]
    with mp.workdps(60):
        exact = [float(exact_pmf(customer, span, n)) for n in range(4)]
    assert pmf == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("lead", [0.01, 0.7])
@customers
def test_what_happens_later_is_what_happens_in_all(customer, lead):
    """Active at the end of both, or not, and purchases before the lead's end, by simulation."""
    shape, scale, a, b, since, k = customer
    rng, n, horizon = np.random.default_rng(3), 200_000, 0.4
    weights = np.array([float(weight) for weight in stages(shape, since, k)])
    j = rng.choice(k, n, p=weights / weights.sum())
    rate, p = rng.gamma(shape + j), rng.beta(a, b, n)
    first, second = rng.poisson(rate * lead), rng.poisson(rate * horizon)
    last = rng.geometric(np.clip(p, 1e-15, 1))
    before, due = (j + first) // k, (j + first + second) // k
    stays, quiet = last > before, (last <= before) | (due == before)
    for ours, seen in (
        (regular.stays(active(*customer), lead * scale), stays),
        (regular.no_purchase(active(*customer), horizon * scale, lead * scale), quiet),
    ):
        assert ours[0] == pytest.approx(seen.mean(), abs=5 * max(seen.std(), 1e-3) / np.sqrt(n))


@given(
    shape=st.floats(0.01, 60),
    a=st.floats(0.05, 5),
    b=st.floats(0.05, 50),
    span=st.floats(1e-4, 20),
    lead=st.floats(1e-3, 5),
    share=st.floats(0.01, 0.99),
)
@settings(max_examples=40, deadline=None)
def test_k_1_is_bg_nbd(shape, a, b, span, lead, share):
    plain = Active(np.array([shape]), np.array([30.0]), a, np.array([b]))
    staged = active(shape, 30.0, a, b, 0.4, 1)
    for name, arguments in {
        "purchases": (span,),
        "stays": (span,),
        "no_purchase": (span, lead),
        "wait": (share,),
    }.items():
        ours, theirs = getattr(regular, name), getattr(exponential, name)
        expected = theirs(plain, *arguments)
        np.testing.assert_allclose(ours(staged, *arguments), expected, rtol=1e-10, err_msg=name)
    for horizon in (span, np.inf):
        np.testing.assert_allclose(
            regular.discounted_purchases(staged, horizon, 0.01),
            betageo_discounting.discounted_purchases(plain, horizon, 0.01),
            rtol=1e-10,
        )
    pmf = regular.counts_pmf(staged, span, 5)
    np.testing.assert_allclose(pmf, exponential.counts_pmf(plain, span, 5), rtol=1e-12)


@customers
@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_discounting_all_to_come_is_discounting_for_long(customer, rate):
    """Two ways that have nothing in common: over the rate, and over time."""
    long = regular.NEGLIGIBLE_DISCOUNT / rate
    endless = regular.discounted_purchases(active(*customer), np.inf, rate)
    np.testing.assert_allclose(
        regular.discounted_purchases(active(*customer), long, rate), endless, rtol=1e-10
    )


@given(
    shape=st.floats(1e-3, 300),
    a=st.floats(1e-3, 1e3),
    b=st.floats(1e-3, 1e3),
    since=st.floats(0, 1),
    stages=st.floats(100, 3000),
    later=st.floats(1e-3, 10),
    k=st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_many_stages_are_summed_or_left_out_alike(shape, a, b, since, stages, later, k):
    """Two ways that have nothing in common: over the number of stages, and over p."""
    span = stages / (shape + k)
    for kind in (PURCHASES, STAYS, QUIET):
        arguments = [np.array([v]) for v in (shape, since, span, b)] + [a, np.array([later]), k]
        summed = stage_means(kind, *arguments)
        averaged = regular._means_over_p(kind, *arguments)
        np.testing.assert_allclose(averaged, summed, rtol=1e-10, atol=1e-200)


@pytest.mark.parametrize("k", [1, 2, 12])
def test_millions_of_purchases_take_no_longer(k):
    """Where p is small and all but gamma-distributed, m purchases shrink to b m / (b + m)."""
    b = 1e9
    customer = active(1e5, 1e-8, 2.0, b, 0.5, k)
    started = time.perf_counter()
    found = regular.purchases(customer, 30.0)[0]
    regular.stays(customer, 30.0), regular.no_purchase(customer, 30.0, 5.0)
    discounted = regular.discounted_purchases(customer, 30.0, 0.01)[0]
    assert time.perf_counter() - started < 10  # with compiling; one by one it takes minutes
    made = 1e5 * 30 / 1e-8 / k
    assert found == pytest.approx(b * made / (b + made), rel=1e-5)
    assert 0.7 * found < discounted < found


def test_no_discount_counts_purchases():
    customer = active(*CUSTOMERS["typical"])
    counted = regular.purchases(customer, 20.0)
    assert regular.discounted_purchases(customer, 20.0, 0) == pytest.approx(counted)
    assert regular.discounted_purchases(customer, 20.0, 1e-9) == pytest.approx(counted, rel=1e-6)
    assert regular.discounted_purchases(customer, np.inf, 0)[0] == np.inf
    steady = active(2.2, 38.0, 3.0, 4.0, 0.3, 2)
    assert regular.discounted_purchases(steady, np.inf, 0)[0] == pytest.approx(6 / 2)


@customers
def test_the_wait_is_where_the_share_has_bought(customer):
    for share in (0.1, 0.5, 0.9):
        time = regular.wait(active(*customer), share)
        if np.isfinite(time[0]):
            assert 1 - regular.no_purchase(active(*customer), time[0], 0)[0] == pytest.approx(share)


def test_no_time_no_purchase():
    customer = active(*CUSTOMERS["typical"])
    assert regular.purchases(customer, 0)[0] == 0
    assert regular.stays(customer, 0)[0] == 1
    assert regular.no_purchase(customer, 0, 3)[0] == pytest.approx(1, abs=1e-15)
    assert regular.counts_pmf(customer, 0, 3)[0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("k", [2, 12])
def test_extremes_are_finite(k):
    heavy = active(0.243 + k * 5000, 31.9, 0.8, 5002.4, 1e-3, k)
    assert 0 < regular.purchases(heavy, 365)[0] < 5000 * 365
    assert np.isfinite(regular.discounted_purchases(heavy, np.inf, 4e-4)[0])
    early = active(1e-3, 1.0, 1e-3, 1e-3, 0.0, k)
    for found in (regular.purchases(early, 3650), regular.discounted_purchases(early, 3650, 1e-3)):
        assert 0 < found[0] < 1
