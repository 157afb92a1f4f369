"""What a BG/NBD customer will do, given parameters and history: the formulas, without a table.

All but the odds condition on the customer being active at T, where rate lambda and dropout
probability p are independent again [1]_; a purchase stream of rate lambda ends at rate lambda p.

References
----------
.. [1] Fader, Hardie & Lee (2005), Marketing Science 24(2), section 4.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.special import betainc, betaincc

from patronage.models.beta_average import BetaAverage, Rows, as_column
from patronage.models.rfm_input import FloatArray

Number: TypeAlias = float | FloatArray
BLOCK = 16384
"""Rows worked at a time: what is worked out on the way stays in the processor's cache."""
FEW_EXCEED = 4.0
"""Standard deviations."""
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)


class BetaGeoParams(NamedTuple):
    """Purchase rate ~ Gamma(r, rate alpha), per time unit; dropout probability ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


class Active(NamedTuple):
    """Customers active at T: lambda ~ Gamma(shape, rate scale) and p ~ Beta(a, b)."""

    shape: FloatArray
    scale: FloatArray
    a: float
    b: FloatArray


def log_odds_inactive(
    params: tuple[float, Number, float, Number],
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    chances: FloatArray,
) -> FloatArray:
    """ln(P(inactive) / P(active)); minus infinity without a chance to leave so far.

    `params` are r, alpha, a, b, alpha and b for all or one for each; `chances` is after how
    many purchases the customer could leave.
    """
    r, alpha, a, b = params
    gap = np.log1p((T - t_x) / (alpha + t_x))
    left: FloatArray = np.log(a / (b + np.maximum(chances - 1, 0))) + (r + x) * gap
    return np.where(chances > 0, left, -np.inf)


def shares_active(
    params: BetaGeoParams, x: FloatArray, t_x: FloatArray, T: FloatArray, chances: FloatArray
) -> FloatArray:
    """P(active at T)."""
    r, alpha, a, b = params
    shares = np.empty_like(T)
    for at in range(0, len(T), BLOCK):
        rows = slice(at, at + BLOCK)
        could = chances[rows] > 0
        gap = could * np.log1p((T[rows] - t_x[rows]) / (alpha + t_x[rows]))
        with np.errstate(over="ignore"):
            left = a / (b + np.maximum(chances[rows] - 1, 0)) * np.exp((r + x[rows]) * gap)
        shares[rows] = 1 / (1 + could * left)
    return shares


def stays(active: Active, after: float) -> FloatArray:
    """P(active at T+after): the mean of exp(-lambda p after)."""
    fall = active.shape * np.log1p(after / active.scale)
    average = BetaAverage(active.a, active.b, active.shape * after / active.scale, fall)

    def kernel(p: FloatArray, rows: Rows) -> FloatArray:
        span = after / as_column(active.scale, rows)
        result: FloatArray = np.exp(-as_column(active.shape, rows) * np.log1p(p * span))
        return result

    return average.mean(kernel)


def purchases(active: Active, horizon: float) -> FloatArray:
    """E[purchases in (T, T+horizon]]: the mean of (1 - exp(-lambda p t)) / p."""
    shape, span = active.shape, horizon / active.scale
    average = BetaAverage(active.a, active.b, shape * span)

    def kernel(p: FloatArray, rows: Rows) -> FloatArray:
        kept = as_column(shape, rows) * np.log1p(p * as_column(span, rows))
        result: FloatArray = -np.expm1(-kept) / p
        return result

    return average.mean(kernel)


def no_purchase(active: Active, horizon: float, lead: float) -> FloatArray:
    """P(no purchase in (T+lead, T+lead+horizon]).

    1 - E[exp(-lambda p lead)] + E[exp(-lambda (p lead + horizon))].
    """
    shape, scale = active.shape, active.scale
    if lead == 0:
        quiet: FloatArray = np.exp(-shape * np.log1p(horizon / scale))
        return quiet
    average = BetaAverage(active.a, active.b, shape * lead / scale)

    def kernel(p: FloatArray, rows: Rows) -> FloatArray:
        power, unit = as_column(shape, rows), as_column(scale, rows)
        gone = -np.expm1(-power * np.log1p(p * lead / unit))
        here = np.exp(-power * np.log1p((p * lead + horizon) / unit))
        result: FloatArray = gone + here
        return result

    return average.mean(kernel)


def counts_pmf(active: Active, horizon: float, counts: int) -> FloatArray:
    """P(0, 1, ..., counts - 1 purchases in (T, T+horizon]), one row per customer.

    n are made and the customer stays, or she leaves at the n-th of n or more that were to come.
    """
    shape, scale = active.shape[:, None], active.scale[:, None]
    kept = survival(active.a, active.b, counts)
    pmf = kept * count_probabilities(shape, scale, horizon, counts)
    n = np.arange(1, counts, dtype=np.float64)
    leaves = kept[:, :-1] * active.a / (active.a + active.b[:, None] + (n - 1))
    pmf[:, 1:] += leaves * at_least(n, shape, scale, horizon)
    return pmf


def survival(a: float, b: FloatArray, counts: int) -> FloatArray:
    """P(active after 0, 1, ..., counts - 1 more purchases), one row per customer."""
    hazard = -np.log1p(a / (b[:, None] + np.arange(counts - 1)))
    return _cumulated(np.zeros((len(b), 1)), hazard)


def count_probabilities(
    shape: FloatArray, scale: FloatArray, span: float, counts: int
) -> FloatArray:
    """P(0, 1, ..., counts - 1 events of a process of rate lambda ~ Gamma(shape, scale))."""
    n = np.arange(counts - 1)
    with np.errstate(divide="ignore"):
        steps = np.log((shape + n) / (n + 1)) + np.log(span / (scale + span))
    return _cumulated(-shape * np.log1p(span / scale), steps)


def _cumulated(start: FloatArray, steps: FloatArray) -> FloatArray:
    result: FloatArray = np.exp(np.cumsum(np.concatenate([start, steps], axis=1), axis=1))
    return result


def at_least(n: FloatArray, shape: FloatArray, scale: FloatArray, span: float) -> FloatArray:
    """P(n or more such events)."""
    inside = span / (scale + span)
    left, right = betainc(n, shape, inside), betaincc(shape, n, scale / (scale + span))
    return np.where(inside < 0.5, left, right)


def wait(active: Active, share: float) -> FloatArray:
    """Time within which this share of customers make their next purchase."""
    with np.errstate(over="ignore"):
        time: FloatArray = active.scale * np.expm1(-np.log1p(-share) / active.shape)
    return time


def high_p(a: float, b: FloatArray, deviations: float = FEW_EXCEED) -> FloatArray:
    """A dropout probability that few exceed: so many standard deviations above the mean."""
    mean = a / (a + b)
    spread = np.sqrt(mean * (1 - mean) / (a + b + 1))
    high: FloatArray = np.minimum(mean + deviations * spread, 1)
    return high


def purchases_to_come(active: Active) -> FloatArray:
    """E[1/p], the purchases in all time; infinite where a <= 1."""
    if active.a <= 1:
        return np.full_like(active.b, np.inf)
    return (active.a + active.b - 1) / (active.a - 1)
