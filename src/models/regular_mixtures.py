"""Compiled means over the stages of regular timing, given the dropout probability p.

With q = 1 - p, a customer stays through M purchases with q^M; N stages from phase j on, M is
floor((j + N) / k). Over the k-th roots of 1, with y = q^(1/k) times each [1]_,

    q^M = sum over y of c(y) y^(j + N),  c(y) = (1/q - 1) / (k (1/y - 1)),

and E[y^N] = (1 + span (1 - y))^-shape, as rates are gamma-distributed: how many stages pass does
not matter. Beside the first, which is positive, terms are of the order of p: nothing cancels where
p is small. Where q is small, few M count, and are summed one by one.

References
----------
.. [1] The roots-of-unity filter of a generating function, Comtet (1974), Advanced Combinatorics,
   section 1.12.
"""

import cmath
import math

import numpy as np
from numpy.typing import NDArray

from patronage.compiling import compiled
from patronage.models.rfm_input import FloatArray

PURCHASES, STAYS, QUIET = 0, 1, 2
"""As in `regular_kernels`."""
FEW, ROUNDING, VANISHING = 0.5, 1e-18, 1e-250
NEGLIGIBLE, STEP, STEP_GROWTH = 42.0, 0.21, 0.165
"""As in `beta_average`."""


@compiled()
def quiet_then(shape: float, later: float, stages: int) -> float:
    """P(fewer than so many stages in `later`, per scale)."""
    term = math.exp(-shape * math.log1p(later))
    total = term
    for i in range(1, stages):
        term *= (shape + (i - 1)) / i * later / (1.0 + later)
        total += term
    return total


@compiled()
def by_counts(
    kind: int, q: float, shape: float, span: float, later: float, k: int, j: int
) -> float:
    """E[q^M], or with QUIET E[q^M; no purchase in `later`], over M = 0, 1, ..."""
    term, z = math.exp(-shape * math.log1p(span)), span / (1.0 + span)
    power, stage, total, passed = 1.0, j, 0.0, 0.0
    while power > ROUNDING * total:
        value = power * term
        if kind == QUIET:
            value *= quiet_then(shape + passed, later / (1.0 + span), k - stage)
        total += value
        term *= (shape + passed) / (passed + 1.0) * z
        passed += 1.0
        stage += 1
        if stage == k:
            stage, power = 0, power * q
    return total


@compiled()
def by_roots(
    p: float, shape: float, span: float, k: int, weights: FloatArray
) -> tuple[float, float]:
    """E[q^M] and E[1 - q^M] over the phases, each to full relative accuracy for many stages."""
    fall = -math.log1p(-p) / k  # -ln y of the first root
    lower = 0.0
    for i in range(1, k):
        lower += math.expm1(-i * fall)
    first, log_base = math.log1p(lower / k), math.log1p(span * -math.expm1(-fall))
    kept, gone = 0.0, 0.0
    for j in range(weights.size):
        logarithm = first + (k - 1 - j) * fall - (shape + j) * log_base
        kept += weights[j] * math.exp(logarithm)
        gone -= weights[j] * math.expm1(logarithm)
    for i in range(1, k // 2 + 1):
        y = cmath.exp(complex(-fall, 2.0 * math.pi * i / k))
        base = 1.0 + span * (1.0 - y)
        part = math.expm1(k * fall) / k / (1.0 / y - 1.0) * cmath.exp(-shape * cmath.log(base))
        pair = 1.0 if 2 * i == k else 2.0  # with the conjugate root
        for j in range(weights.size):
            kept += pair * weights[j] * part.real
            gone -= pair * weights[j] * part.real
            part *= y / base
    return kept, gone


@compiled()
def quiet_by_roots(
    p: float, shape: float, span: float, later: float, k: int, weights: FloatArray
) -> float:
    """E[q^M; no purchase in `later`] over the phases: i = 0, 1, ... stages that complete none."""
    fall, total = -math.log1p(-p) / k, 0.0
    for root in range(k // 2 + 1):
        y = cmath.exp(complex(-fall, 2.0 * math.pi * root / k))
        base = 1.0 + span * (1.0 - y) + later
        pair = 1.0 if root == 0 or 2 * root == k else 2.0
        start = cmath.exp(-shape * cmath.log(base)) / k
        for j in range(weights.size):
            term = start
            for i in range(k):
                room, power = 0j, 1.0 + 0j
                for _ in range(k - i):
                    room += power
                    power /= y
                total += pair * weights[j] * (term * room).real
                term *= (shape + j + i) / (i + 1.0) * later / base
            start *= y / base
    return total


@compiled()
def phase_weights(shape: float, since: float, k: int) -> FloatArray:
    """P(j stages passed since the last purchase), j = 0, ... as far as there are any."""
    weights = np.zeros(k if since > 0.0 else 1)
    weights[0] = 1.0
    for j in range(1, weights.size):
        weights[j] = weights[j - 1] * (shape + (j - 1)) / j * since
    shares: FloatArray = weights / weights.sum()
    return shares


@compiled()
def value_given_p(
    kind: int, p: float, shape: float, span: float, later: float, k: int, weights: FloatArray
) -> float:
    """Purchases, the chance to stay, or to have left or make no purchase `later`, per scale."""
    kept, gone, quiet = 0.0, 1.0, 0.0
    if 1.0 - p < FEW and math.exp(-(shape + k) * math.log1p(span)) > VANISHING:
        for j in range(weights.size):
            part = weights[j] * by_counts(STAYS, 1.0 - p, shape + j, span, later, k, j)
            kept, gone = kept + part, gone - part
            if kind == QUIET:
                quiet += weights[j] * by_counts(kind, 1.0 - p, shape + j, span, later, k, j)
    elif p < 1.0:
        kept, gone = by_roots(p, shape, span, k, weights)
        if kind == QUIET:
            quiet = quiet_by_roots(p, shape, span, later, k, weights)
    if kind == PURCHASES:
        return gone / p
    return kept if kind == STAYS else gone + quiet


@compiled()
def given_p(
    kind: int,
    p: NDArray[np.float64],
    shape: FloatArray,
    since: FloatArray,
    span: FloatArray,
    later: FloatArray,
    k: int,
) -> NDArray[np.float64]:
    """As `regular_kernels.stage_means`, for each p of a row's line."""
    values = np.empty(p.shape)
    for row in range(p.shape[0]):
        s, t, after = shape[row], span[row], later[row] * (1.0 + span[row])
        weights = phase_weights(s, since[row], k)
        for node in range(p.shape[1]):
            values[row, node] = value_given_p(kind, p[row, node], s, t, after, k, weights)
    return values


@compiled()
def endless_given_p(
    p: NDArray[np.float64], shape: FloatArray, since: FloatArray, rate: FloatArray, k: int
) -> NDArray[np.float64]:
    """All purchases to come, discounted at `rate` per scale, for a p of each row's line.

    A stage passes at a discount of f = lambda / (lambda + rate), so that this is the mean of
    f^(k-j) / (1 - q f^k), by a trapezoidal sum over ln lambda, which is exact as that over
    ln(p / (1-p)) is (see `beta_average`).
    """
    values = np.empty(p.shape)
    for row in range(p.shape[0]):
        s, delta, u = shape[row], rate[row], since[row]
        quick, peak, most = NEGLIGIBLE / s, math.log(s), s + k
        left = peak - (quick + math.sqrt(quick * (quick + 8.0))) / 2.0
        left = max(left, min(math.log(delta), peak) - NEGLIGIBLE)
        right = math.log(most + 12.0 * math.sqrt(most) + 60.0)
        count = math.ceil((right - left) / (STEP / math.sqrt(1.0 + STEP_GROWTH * most))) + 1
        step, total = (right - left) / (count - 1), 0.0
        rest, due = np.empty(count), np.zeros(count)
        for node in range(count):
            rated = math.exp(left + node * step)
            weight = math.exp(s * (left + node * step - peak) - (rated - s))
            log_f = -math.log1p(delta / rated)
            rest[node], passed = -math.expm1(k * log_f), 1.0
            for j in range(k):
                total += weight * passed * (1.0 / -math.expm1(-s * step) if node == 0 else 1.0)
                due[node] += weight * passed * math.exp((k - j) * log_f)
                passed *= rated * u / (j + 1.0)
        for node in range(p.shape[1]):
            each, mean = p[row, node], 0.0
            for i in range(count):
                mean += due[i] / (rest[i] + each * (1.0 - rest[i]))
            values[row, node] = mean / total
    return values
