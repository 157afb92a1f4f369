"""Compiled sums over the stages of regular purchase timing; imported where they are used.

Purchases take k stages each; stages pass at rate lambda ~ Gamma(shape, scale), so how many pass in
a time is negative binomial. All terms summed are positive: nothing cancels.
"""

import math

import numpy as np

from patronage.compiling import FLOATS, NUMBER, WHOLE, compiled
from patronage.models.rfm_input import FloatArray

PURCHASES, STAYS, QUIET = 0, 1, 2
ROUNDING, VANISHING = 1e-18, 1e-290


@compiled(NUMBER, NUMBER, WHOLE, WHOLE, NUMBER)
def quiet_then(shape: float, span: float, k: int, phase: int, log_kept: float) -> float:
    """P(fewer than k - phase stages in the span); log_kept = -ln(1 + span), span / scale."""
    term = math.exp(shape * log_kept)
    total = term
    for i in range(1, k - phase):
        term *= (shape + (i - 1)) / i * span / (1.0 + span)
        total += term
    return total


@compiled(*[NUMBER] * 4)
def first_stage(shape: float, z: float, mode: float, least: float) -> tuple[float, float]:
    """The first number of stages of `least` probability by that of the mode, and that ratio."""
    m, weight = mode, 1.0
    while m > 0.0 and weight > least:
        weight *= m / ((shape + (m - 1.0)) * z)
        m -= 1.0
    return m, weight


@compiled(WHOLE, *[NUMBER] * 4, WHOLE, WHOLE, NUMBER)
def stage_mean(
    kind: int, shape: float, span: float, a: float, b: float, k: int, phase: int, later: float
) -> float:
    """Mean of what happens in `span`, in units of `scale`, from `phase` stages past a purchase.

    `kind`: the purchases made; the chance to stay; or the chance to have left or to make no
    purchase in `later`, which is in units of scale (1 + span).
    """
    z = span / (1.0 + span)
    mode = math.floor(max(0.0, (shape - 1.0) * span))
    # Purchases grow with the stages; the chance to stay may fall so fast that the rarest few count.
    m, weight = first_stage(shape, z, mode, 1e-25 if kind == PURCHASES else VANISHING)
    made = math.floor((m + phase) / k)
    stage = int(m + phase - made * k)
    stay, log_stay, sure = 1.0, 0.0, 0.0  # after so many: P(active), its ln, E[purchases]
    count = 0.0
    while count < made:
        sure += stay
        stay *= (b + count) / (a + b + count)
        log_stay += math.log1p(-a / (a + b + count))
        count += 1.0
    log_later = -math.log1p(later)
    total, mean = 0.0, 0.0
    while True:
        value = sure
        if kind == STAYS:
            value = stay
        elif kind == QUIET:
            value = stay * quiet_then(shape + m, later, k, stage, log_later) - math.expm1(log_stay)
        total += weight
        mean += weight * value
        ratio = (shape + m) / (m + 1.0) * z
        if m >= mode and max(ratio, z) < 1.0:
            bound = 1.0 / (1.0 - max(ratio, z))
            rest = weight * bound
            most = rest * (value + bound if kind == PURCHASES else value)
            settled = most <= ROUNDING * mean and rest <= ROUNDING * total
            if settled or weight < VANISHING:
                break
        weight *= ratio
        m += 1.0
        stage += 1
        if stage == k:
            stage = 0
            sure += stay
            stay *= (b + count) / (a + b + count)
            log_stay += math.log1p(-a / (a + b + count))
            count += 1.0
    return mean / total


@compiled(WHOLE, *[FLOATS] * 4, NUMBER, FLOATS, WHOLE)
def stage_means(
    kind: int,
    shape: FloatArray,
    since: FloatArray,
    span: FloatArray,
    b: FloatArray,
    a: float,
    later: FloatArray,
    k: int,
) -> FloatArray:
    """`stage_mean` of each row, over the stages passed since the last purchase.

    `since` is that time in units of scale, so that P(j stages) goes as (shape)_j / j! since^j,
    given that no purchase was made; the rate is then ~ Gamma(shape + j, scale).
    """
    means = np.empty(shape.size)
    for i in range(shape.size):
        weight, total, mean = 1.0, 0.0, 0.0
        for j in range(k):
            if weight > 0.0:
                found = stage_mean(kind, shape[i] + j, span[i], a, b[i], k, j, later[i])
                mean += weight * found
                total += weight
            weight *= (shape[i] + j) / (j + 1.0) * since[i]
        means[i] = mean / total
    return means
