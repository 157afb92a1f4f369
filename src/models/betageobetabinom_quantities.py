"""What a BG/BB customer will do, given parameters and history: the formulas, without a table.

A customer is active at T when she has not left before opportunity T + 1. Given that, her chance to
buy is Beta(alpha+x, beta+n-x) and her chance to leave Beta(gamma, delta+n+1), independent [1]_.

References
----------
.. [1] Fader, Hardie & Shang (2010), Marketing Science 29(6), section 3.
"""

import numpy as np

from patronage.models.beta_survival import BetaSurvival
from patronage.models.betageobetabinom_likelihood import (
    CELLS,
    BetaGeoBetaBinomParams,
    LogTerms,
    Whole,
    log_sums,
    ways,
)
from patronage.models.rfm_input import FloatArray

LONGEST_WAIT = 10_000
"""Opportunities; a purchase that has not come by then counts as never to come."""


def log_odds_inactive(params: BetaGeoBetaBinomParams, x: Whole, t_x: Whole, n: Whole) -> FloatArray:
    """ln(P(left before opportunity n + 1) / P(active then))."""
    logs = LogTerms(params, int(n.max()))
    odds = np.empty(len(x))
    size = max(1, CELLS // int(n.max() + 1))
    for start in range(0, len(x), size):
        rows = slice(start, start + size)
        terms = ways(x[rows], t_x[rows], n[rows])
        value = logs.value(terms)
        value -= value[terms.starts][terms.owner]
        value[terms.starts] = np.log(params.gamma) - np.log(params.gamma + params.delta + n[rows])
        odds[rows] = log_sums(value, terms)[0]
    stays: FloatArray = np.log1p(params.gamma / (params.delta + n))
    return odds + stays


def purchases(
    params: BetaGeoBetaBinomParams, x: Whole, n: Whole, horizon: float, rate: float = 0.0
) -> FloatArray:
    """E[purchases at opportunities n+1, ..., n+horizon | active], the j-th times exp(-rate j)."""
    if horizon < 1:
        return np.zeros(len(x))
    alpha, beta, gamma, delta = params
    later = BetaSurvival(gamma, delta).residual(_ages(n), horizon - 1, rate)
    count: FloatArray = (alpha + x) / (alpha + beta + n) * (1 + later) * np.exp(-rate)
    return count


def stays(params: BetaGeoBetaBinomParams, n: Whole, after: float) -> FloatArray:
    """P(active before opportunity n + 1 + after | active)."""
    return BetaSurvival(params.gamma, params.delta).survival(_ages(n), np.full(len(n), after))


def count_pmf(
    params: BetaGeoBetaBinomParams, x: Whole, n: Whole, horizon: float, lead: float, counts: int
) -> FloatArray:
    """P(0, 1, ..., counts - 1 purchases at opportunities n+lead+1, ..., n+lead+horizon | active).

    One opportunity after the other, as from Polya's urn: each purchase makes the next likelier.
    """
    alpha, beta, gamma, delta = params
    k = np.arange(counts)
    total = np.zeros((len(x), counts))
    if horizon < 1:
        total[:, 0] = 1
        return total
    survival = BetaSurvival(gamma, delta)
    lost = survival.log_loss(_ages(n), np.full(len(n), lead))
    total[:, 0] = -np.expm1(-lost)
    active, bought = np.exp(-lost), np.zeros_like(total)
    bought[:, 0] = 1
    a, b = (alpha + x)[:, None], (beta + n - x)[:, None]
    for seen in range(int(horizon)):
        buys = bought * (a + k) / (a + b + seen)
        bought *= np.maximum(b + seen - k, 0) / (a + b + seen)
        bought[:, 1:] += buys[:, :-1]
        last = seen == int(horizon) - 1
        leaves = 1.0 if last else gamma / (gamma + delta + n + lead + seen + 1)
        total += (active * leaves)[:, None] * bought
        active = active * (1 - leaves)
    return total


def wait(params: BetaGeoBetaBinomParams, x: Whole, n: Whole, share: float) -> FloatArray:
    """Opportunities within which this share make their next purchase; infinite where fewer do."""
    alpha, beta, gamma, delta = params
    b, both, left = beta + n - x, alpha + beta + n, gamma + delta + n + 1
    waits, made, quiet = np.full(len(x), np.inf), np.zeros(len(x)), np.ones(len(x))
    for seen in range(LONGEST_WAIT):
        made = made + quiet * (alpha + x) / (both + seen)
        waits = np.where(np.isinf(waits) & (made >= share), seen + 1, waits)
        quiet = quiet * (b + seen) / (both + seen) * (left - gamma + seen) / (left + seen)
        if np.all(np.isfinite(waits) | (made + quiet < share)):
            break
    return waits


def _ages(n: Whole) -> FloatArray:
    """Times an active customer has had the chance to leave."""
    ages: FloatArray = n.astype(np.float64) + 1
    return ages
