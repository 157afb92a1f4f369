"""What a Pareto/NBD customer will do who is active at T: the formulas, without a table.

Given that, her purchase rate is Gamma(k, a) with k = r+x, a = alpha+T, and the rate at which she
leaves is Gamma(s, b) with b = beta+T, independent [1]_. Everything is a closed form, or an integral
of a positive function over the time of leaving; nothing is a difference of large terms.

References
----------
.. [1] Schmittlein, Morrison & Colombo (1987), Management Science 33(1).
.. [2] Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis,
   Journal of Marketing Research 42(4).
"""

from typing import NamedTuple

import numpy as np

from patronage.models.rfm_input import FloatArray


class ParetoNBDParams(NamedTuple):
    """Rate of purchases ~ Gamma(r, rate alpha), of leaving ~ Gamma(s, rate beta); per time unit."""

    r: float
    alpha: float
    s: float
    beta: float


class Active(NamedTuple):
    """Customers active at T: shape and scale of the purchase rate and of the rate of leaving."""

    k: FloatArray
    a: FloatArray
    s: float
    b: FloatArray


def log_odds_inactive(at_last: Active, gap: FloatArray) -> FloatArray:
    """ln(P(inactive) / P(active)) after a `gap` without a purchase since `at_last`."""
    k, a, s, b = at_last
    with np.errstate(divide="ignore"):
        log_gone = np.log(_leaves_first(at_last, gap))
    log_odds: FloatArray = log_gone + k * np.log1p(gap / a) + s * np.log1p(gap / b)
    return log_odds


def stays(active: Active, after: float) -> FloatArray:
    """P(still active `after` later)."""
    kept: FloatArray = np.exp(-active.s * np.log1p(after / active.b))
    return kept


def purchases(active: Active, horizon: float) -> FloatArray:
    """E[purchases in the horizon] = k/a times the mean time of activity in it; eq. (22) of [1]_."""
    k, a, s, b = active
    grown = np.log1p(horizon / b)
    power = (1 - s) * grown
    mean_time = b * grown * np.divide(np.expm1(power), power, np.ones_like(b), where=power != 0)
    expected: FloatArray = k / a * mean_time
    return expected


def no_purchase(active: Active, horizon: float, lead: float) -> FloatArray:
    """P(no purchase in the horizon that begins `lead` later): left before, or quiet after."""
    k, a, s, b = active
    gone = -np.expm1(-s * np.log1p(lead / b))
    then = Active(k, a, s, b + lead)
    quiet = np.exp(-k * np.log1p(horizon / a) - s * np.log1p(horizon / then.b))
    quiet += _leaves_first(then, np.full_like(b, horizon))
    none: FloatArray = gone + (1 - gone) * quiet
    return none


def counts(active: Active, horizon: float, number: int) -> FloatArray:
    """P(0, 1, ..., number - 1 purchases in the horizon), a row for each customer."""
    from patronage.models.paretonbd_counts import count_chances

    if horizon == 0:
        return np.repeat(np.eye(1, number), len(active.k), axis=0)
    return count_chances(active.k, active.a, active.s, active.b, horizon, number)


def wait(active: Active, share: float) -> FloatArray:
    """Time within which this share makes the next purchase; infinite where more leave before."""
    from patronage.models.paretonbd_integrals import waiting_times

    k, a, s, b = active
    return waiting_times(k, a, np.full_like(b, s), b, share)


def discounted_purchases(active: Active, horizon: float, rate: float) -> FloatArray:
    """Integral over the horizon of exp(-rate t) x the purchase rate at T+t; eq. (2) of [2]_."""
    from patronage.models.paretonbd_integrals import discounted_times

    k, a, s, b = active
    if rate == 0 and np.isinf(horizon):
        return k / a * b / (s - 1) if s > 1 else np.full_like(b, np.inf)
    if rate == 0:
        return purchases(active, horizon)
    value: FloatArray = k / a * b * discounted_times(s, rate * b, horizon / b)
    return value


def _leaves_first(active: Active, span: FloatArray) -> FloatArray:
    """P(leaves within the span, without a purchase before)."""
    from patronage.models.paretonbd_integrals import first_chances

    k, a, s, b = active
    return first_chances(np.full_like(b, s), b, k, a, span)
