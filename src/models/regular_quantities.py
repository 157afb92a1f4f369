"""What a customer of regular purchase timing will do, given parameters and history.

A purchase takes k stages, each passed at rate lambda: gaps are Erlang [1]_. A customer active at T
has passed j < k since her last purchase, with P(j) as (r+kx)_j / j! ((T-t_x) / (alpha+T))^j, and
then lambda ~ Gamma(r+kx+j, alpha+T). Over j, lambda and p all means are exact sums of positive
terms, where [1]_ approximates expected purchases by those of k = 1.

References
----------
.. [1] Reutterer, Platzer & Schroeder (2021), Leveraging Purchase Regularity for Predicting Customer
   Behavior the Easy Way, International Journal of Research in Marketing 38(1).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patronage.models import betageo_quantities as exponential
from patronage.models.beta_average import BetaAverage, Rows
from patronage.models.betageo_quantities import Active
from patronage.models.rfm_input import FloatArray

NEGLIGIBLE_DISCOUNT = 90.0
"""What is discounted by exp(-90) does not count, however late the first purchase comes."""
MANY_STAGES = 300.0
"""Expected stages from which their number is left out of the sum."""
PANEL = 0.85
"""In the logarithm of time; 16 nodes a panel give full accuracy."""
HALVINGS = 200


class RegularActive(NamedTuple):
    """Customers active at T, `since` = (T - t_x) / scale after their last purchase.

    Before what that tells: lambda ~ Gamma(shape, scale), and p ~ Beta(a, b).
    """

    shape: FloatArray
    scale: FloatArray
    a: float
    b: FloatArray
    since: FloatArray
    k: int


def log_odds_inactive(active: RegularActive, alpha: float, t_x: FloatArray) -> FloatArray:
    """ln(P(inactive) / P(active)) of those who had a chance to leave."""
    shape, scale, a, b, since, _ = active
    gap = np.log1p(since * scale / (alpha + t_x))
    odds: FloatArray = np.log(a / (b - 1)) + shape * gap - _log_stages(active, since)
    return odds


def log_quiet(active: RegularActive, later: FloatArray) -> FloatArray:
    """Logarithm of P(no purchase in `later`, per scale); active at T."""
    grown = -active.shape * np.log1p(later)
    at = (active.since + later) / (1 + later)
    return grown + _log_stages(active, at) - _log_stages(active, active.since)


def stage_shares(active: RegularActive) -> FloatArray:
    """P(j stages passed since the last purchase), j = 0, ..., k - 1: a row per customer."""
    weights = [np.ones_like(active.since)]
    for j in range(1, active.k):
        weights.append(weights[-1] * (active.shape + (j - 1)) / j * active.since)
    found = np.column_stack(weights)
    shares: FloatArray = found / found.sum(axis=1, keepdims=True)
    return shares


def _log_stages(active: RegularActive, since: FloatArray) -> FloatArray:
    """Logarithm of the sum over j < k of (shape)_j / j! since^j."""
    term, total = np.ones_like(since), np.ones_like(since)
    for j in range(1, active.k):
        term = term * (active.shape + (j - 1)) / j * since
        total = total + term
    return np.log(total)


def stage_rates(active: RegularActive) -> tuple[FloatArray, FloatArray]:
    """At T, the mean rate of stages of an active customer, and that of purchases."""
    weight, total = np.ones_like(active.since), np.zeros_like(active.since)
    mean = np.zeros_like(total)
    for j in range(active.k):
        if j:
            weight = weight * (active.shape + (j - 1)) / j * active.since
        total = total + weight
        mean = mean + weight * (active.shape + j)
    last = weight * (active.shape + (active.k - 1))
    return mean / total / active.scale, last / total / active.scale


def stays(active: RegularActive, after: float) -> FloatArray:
    """P(active at T+after)."""
    from patronage.models.regular_kernels import STAYS

    return _means(STAYS, active, after / active.scale, np.zeros_like(active.scale))


def purchases(active: RegularActive, horizon: float) -> FloatArray:
    """E[purchases in (T, T+horizon]]."""
    return purchases_by(active, horizon / active.scale)


def purchases_by(active: RegularActive, span: FloatArray) -> FloatArray:
    """The same, each customer's horizon given per scale."""
    from patronage.models.regular_kernels import PURCHASES

    return _means(PURCHASES, active, span, np.zeros_like(span))


def no_purchase(active: RegularActive, horizon: float, lead: float) -> FloatArray:
    """P(no purchase in (T+lead, T+lead+horizon])."""
    from patronage.models.regular_kernels import QUIET

    if lead == 0:
        return np.exp(log_quiet(active, horizon / active.scale))
    return _means(QUIET, active, lead / active.scale, horizon / (active.scale + lead))


def _means(kind: int, active: RegularActive, span: FloatArray, later: FloatArray) -> FloatArray:
    """Over the stages one by one, or, where many pass, over the dropout probability."""
    from patronage.models.regular_kernels import stage_means

    many = span * (active.shape + active.k) > MANY_STAGES
    means = np.empty_like(span)
    for rows, means_of in ((~many, stage_means), (many, _means_over_p)):
        some = np.flatnonzero(rows)
        if some.size:
            shape, _, a, b, since, k = take(active, some)
            means[some] = means_of(kind, shape, since, span[some], b, a, later[some], k)
    return means


def _means_over_p(
    kind: int,
    shape: FloatArray,
    since: FloatArray,
    span: FloatArray,
    b: FloatArray,
    a: float,
    later: FloatArray,
    k: int,
) -> FloatArray:
    from patronage.models.regular_mixtures import STAYS, given_p

    falls = (shape + k) * np.log1p(span) if kind == STAYS else np.zeros_like(span)
    average = BetaAverage(a, b, (shape + k) * span, falls)

    def kernel(p: FloatArray, rows: Rows) -> FloatArray:
        values: FloatArray = given_p(kind, p, shape[rows], since[rows], span[rows], later[rows], k)
        return values

    return average.mean(kernel)


def counts_pmf(active: RegularActive, horizon: float, counts: int) -> FloatArray:
    """P(0, 1, ..., counts - 1 purchases in (T, T+horizon]), one row per customer."""
    weight, total = np.ones_like(active.scale), np.zeros_like(active.scale)
    pmf = np.zeros((len(total), counts))
    for j in range(active.k):
        pmf = pmf + weight[:, None] * _counts_from(active, horizon, counts, j)
        total = total + weight
        weight = weight * (active.shape + j) / (j + 1) * active.since
    shares: FloatArray = pmf / total[:, None]
    return shares


def _counts_from(active: RegularActive, horizon: float, counts: int, j: int) -> FloatArray:
    """The same, j stages past a purchase: n are made and she stays, or leaves at the n-th."""
    k = active.k
    shape, scale = active.shape[:, None] + j, active.scale[:, None]
    passed = np.arange(counts * k - j, dtype=np.float64)
    exactly = exponential.count_probabilities(shape, scale, horizon, len(passed))
    staged = np.concatenate([np.zeros((len(exactly), j)), exactly], axis=1)
    kept = exponential.survival(active.a, active.b, counts)
    pmf: FloatArray = kept * staged.reshape(len(staged), counts, k).sum(axis=2)
    n = np.arange(1, counts, dtype=np.float64)
    leaves = kept[:, :-1] * active.a / (active.a + active.b[:, None] + (n - 1))
    pmf[:, 1:] += leaves * exponential.at_least(n * k - j, shape, scale, horizon)
    return pmf


def wait(active: RegularActive, share: float) -> FloatArray:
    """Time within which this share of customers make their next purchase, by bisection."""
    target = np.log1p(-share)
    low = np.zeros_like(active.scale)
    high = 1 - target / active.shape
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(HALVINGS):
            short = log_quiet(active, np.expm1(high)) > target
            if not short.any():
                break
            high = np.where(short, 2 * high, high)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if np.all((middle == low) | (middle == high)):
                break
            short = log_quiet(active, np.expm1(middle)) > target
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        time: FloatArray = active.scale * np.expm1(high)
    return time


def discounted_purchases(active: RegularActive, horizon: float, rate: float) -> FloatArray:
    """Integral over (0, horizon] of exp(-rate s) dE(s), E(s) the expected purchases by T+s.

    By parts: exp(-rate h) E(h) + rate x the integral of exp(-rate s) E(s), in Gauss-Legendre panels
    that grow with time, none longer than a purchase takes while there is a rhythm.
    """
    if rate == 0:
        return _undiscounted(active, horizon)
    if horizon > NEGLIGIBLE_DISCOUNT / rate:
        return _endless(active, rate)
    end, takes = horizon / active.scale, active.k / active.shape
    leaves = exponential.high_p(active.a, active.b) * (1 + 1 / takes)
    first = 1 / (1 + leaves + rate * active.scale)
    total: FloatArray = np.exp(-rate * horizon) * purchases_by(active, end)
    rows, start = np.flatnonzero(end > 0), np.zeros_like(end)
    while rows.size:
        some = take(active, rows)
        low = start[rows]
        width = (first[rows] + low) * np.expm1(PANEL)
        rhythm = low < 2 * active.k * takes[rows]
        high = np.minimum(low + np.where(rhythm, np.minimum(width, takes[rows]), width), end[rows])
        total[rows] += _panel(some, low, high, rate)
        start[rows] = high
        rows = rows[high < end[rows]]
    return total


def _panel(active: RegularActive, low: FloatArray, high: FloatArray, rate: float) -> FloatArray:
    """Rate x the integral of exp(-rate s) E(s) from `low` to `high`, per scale."""
    total = np.zeros_like(low)
    for node, weight in zip(exponential.NODES, exponential.NODE_WEIGHTS, strict=True):
        span = low + (high - low) * (node + 1) / 2
        decay = rate * active.scale * np.exp(-rate * active.scale * span)
        total += weight / 2 * (high - low) * decay * purchases_by(active, span)
    return total


def _endless(active: RegularActive, rate: float) -> FloatArray:
    from patronage.models.regular_mixtures import endless_given_p

    shape, scale, a, b, since, k = active
    average = BetaAverage(a, b, (shape + k) / (rate * scale))

    def kernel(p: FloatArray, rows: Rows) -> FloatArray:
        values: FloatArray = endless_given_p(p, shape[rows], since[rows], rate * scale[rows], k)
        return values

    return average.mean(kernel)


def _undiscounted(active: RegularActive, horizon: float) -> FloatArray:
    if np.isinf(horizon):
        return exponential.purchases_to_come(Active(active.shape, active.scale, active.a, active.b))
    return purchases(active, horizon)


def take(active: RegularActive, rows: NDArray[np.intp]) -> RegularActive:
    """Some of the customers."""
    shape, scale, a, b, since, k = active
    return RegularActive(shape[rows], scale[rows], a, b[rows], since[rows], k)
