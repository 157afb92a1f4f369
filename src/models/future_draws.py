"""What a customer who is active at T will do, drawn: her purchases, when, and for how much.

Time is in units of the horizon. She buys at a rate of her own, rate ~ Gamma(rate_shape + x, rate
rate_time + T), until she leaves: after a purchase with probability Beta(dropout_a, dropout_b + x),
or at a rate ~ Gamma(hazard_shape, rate hazard_time + T). Or she buys at opportunities, one in each
unit of time, with a probability of her own. Given mean spend, amounts are Gamma(p, nu),
nu ~ Gamma(q + p x, v + total spent so far): all that follows from the total is the scale, so the
sum is drawn in units of it.

A stream of random numbers is an array of one uint64, advanced by SplitMix64 [1]_, and begins anew
for each frequency and draw: the future of a customer does not depend on who else is asked about,
nor on the thread that draws it.

References
----------
.. [1] Steele, Lea & Flood (2014), Fast Splittable Pseudorandom Number Generators, OOPSLA.
.. [2] Marsaglia & Tsang (2000), A Simple Method for Generating Gamma Variables, ACM TOMS 26(3).
.. [3] Hoermann (1993), The Transformed Rejection Method for Generating Poisson Random Variables,
   Insurance: Mathematics and Economics 12(1), algorithm PTRS.
"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from patronage.compiling import compiled
from patronage.models.rfm_input import FloatArray

Stream: TypeAlias = NDArray[np.uint64]
Timing: TypeAlias = tuple[float, float, float, float, int, float]
"""Rate, purchases after which she leaves, end of her time, events since the last purchase, events
that make one, discount."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFT_1, SHIFT_2, SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
TO_DOUBLE = np.uint64(11)
ULP = 2.0**-53
SMALL_MEAN = 10.0
"""Of a Poisson count; above it rejection is quicker than counting."""
DISCOUNT_STEP = 0.05
"""Purchases that are many are drawn at once for a stretch of time over which the discount grows by
this much; spread among themselves, amounts differ by far more."""
NEVER = -1e300
"""Logarithm of what does not happen."""


@compiled()
def mixed(z: np.uint64) -> np.uint64:
    """Scramble 64 bits: SplitMix64's output function."""
    z = (z ^ (z >> SHIFT_1)) * MIX_1
    z = (z ^ (z >> SHIFT_2)) * MIX_2
    return z ^ (z >> SHIFT_3)


@compiled()
def restart(stream: Stream, seed: int, first: int, second: int) -> None:
    """Begin the stream that belongs to a seed and two whole numbers."""
    key = mixed(np.uint64(seed) + GOLDEN)
    key = mixed(key + np.uint64(first) * MIX_1 + GOLDEN)
    stream[0] = mixed(key + np.uint64(second) * MIX_2 + GOLDEN)


@compiled()
def uniform(stream: Stream) -> float:
    """Uniform on (0, 1), both excluded."""
    stream[0] += GOLDEN
    return (float(mixed(stream[0]) >> TO_DOUBLE) + 0.5) * ULP


@compiled()
def normal(stream: Stream) -> float:
    """Standard normal (Box & Muller)."""
    radius = math.sqrt(-2 * math.log(uniform(stream)))
    return radius * math.cos(2 * math.pi * uniform(stream))


@compiled()
def log_gamma_draw(stream: Stream, shape: float) -> float:
    """Logarithm of a draw of Gamma(shape, 1), exact for any shape > 0 [2]_."""
    boost = 0.0
    if shape < 1:
        boost = math.log(uniform(stream)) / shape
        shape += 1
    d = shape - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        z = normal(stream)
        cube = 1 + c * z
        if cube <= 0:
            continue
        cube = cube * cube * cube
        if math.log(uniform(stream)) < 0.5 * z * z + d - d * cube + d * math.log(cube):
            return boost + math.log(d) + math.log(cube)


@compiled()
def poisson(stream: Stream, mean: float) -> float:
    """Poisson count, exact for any mean [3]_."""
    if mean < SMALL_MEAN:
        return _counted_poisson(stream, mean)
    root = math.sqrt(mean)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    safe = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = uniform(stream) - 0.5, uniform(stream)
        us = 0.5 - abs(u)
        k = float(np.floor((2 * a / us + b) * u + mean + 0.43))
        if us >= 0.07 and v <= safe:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        accept = math.log(v) + math.log(inverse) - math.log(a / (us * us) + b)
        if accept <= k * math.log(mean) - mean - math.lgamma(k + 1):
            return k


@compiled()
def _counted_poisson(stream: Stream, mean: float) -> float:
    limit, product, count = math.exp(-mean), uniform(stream), 0.0
    while product > limit:
        count += 1
        product *= uniform(stream)
    return count


@compiled()
def trials_to_first(stream: Stream, log_share: float) -> float:
    """Trials up to and with the first success, of probability exp(log_share) each."""
    if log_share < -700:
        return math.inf
    log_failure = math.log1p(-math.exp(log_share))
    return float(1 + np.floor(math.log(uniform(stream)) / log_failure))


@compiled()
def log_beta_draw(stream: Stream, a: float, b: float) -> float:
    """Logarithm of a draw of Beta(a, b)."""
    share, rest = log_gamma_draw(stream, a), log_gamma_draw(stream, b)
    return float(min(-np.log1p(math.exp(min(rest - share, 700.0))), -1e-300))


@compiled()
def draw_traits(
    traits: FloatArray,
    spend: FloatArray,
    frequency: float,
    stages: int,
    seed: int,
    latent: FloatArray,
) -> None:
    """Fill latent[k, l] = ln of rate x (rate_time + T), P(leave), hazard x (...), nu x (...).

    Draw l under parameters k: rows of `traits` and `spend` (p, q). They depend on x, not on T, so
    that neighbouring T share their chance and what is computed varies smoothly with T.
    """
    stream = np.empty(1, np.uint64)
    for k in range(latent.shape[0]):
        a, b, hazard = traits[k, 2], traits[k, 3] + frequency, traits[k, 4]
        for draw in range(latent.shape[1]):
            restart(stream, seed, int(frequency), 2 * (k * latent.shape[1] + draw))
            latent[k, draw, 0] = log_gamma_draw(stream, traits[k, 0] + stages * frequency)
            latent[k, draw, 1] = log_beta_draw(stream, a, b) if a > 0 else NEVER
            latent[k, draw, 2] = log_gamma_draw(stream, hazard) if hazard > 0 else NEVER
            if spend.shape[1]:
                shape = spend[k, 1] + spend[k, 0] * frequency
                latent[k, draw, 3] = log_gamma_draw(stream, shape)


@compiled()
def draw_futures(
    traits: FloatArray,
    spend: FloatArray,
    latent: FloatArray,
    frequency: float,
    T: float,
    stages: int,
    discount: float,
    seed: int,
    found: FloatArray,
) -> None:
    """Fill found[k, l]: the count of purchases, or ln(discounted spend / scale), -inf for none.

    A purchase is made with every `stages`-th event that comes at her rate; traits[k, 6] events have
    come since her last one.
    """
    stream = np.empty(1, np.uint64)
    ends = _cell_ends(discount)
    for k in range(latent.shape[0]):
        passed = traits[k, 6]
        for draw in range(latent.shape[1]):
            restart(stream, seed, int(frequency), 2 * (k * latent.shape[1] + draw) + 1)
            rate = math.exp(latent[k, draw, 0]) / (traits[k, 1] + T)
            last = trials_to_first(stream, latent[k, draw, 1])
            end = 1.0
            if latent[k, draw, 2] > NEVER:
                leaves = -math.log(uniform(stream)) * (traits[k, 5] + T)
                end = min(1.0, leaves / max(math.exp(latent[k, draw, 2]), 1e-300))
            if not spend.shape[1]:
                found[k, draw] = min(_made(stream, rate * end, passed, stages), last)
                continue
            timing = (rate, last, end, passed, stages, discount)
            total = _spent(stream, timing, spend[k, 0], ends)
            found[k, draw] = math.log(total) - latent[k, draw, 3] if total > 0 else -math.inf


@compiled()
def _made(stream: Stream, mean: float, passed: float, stages: int) -> float:
    """Purchases made with so many events on average, if she does not leave."""
    return float(np.floor((poisson(stream, mean) + passed) / stages))


@compiled()
def _spent(stream: Stream, timing: Timing, shape: float, ends: FloatArray) -> float:
    """Discounted sum of the purchases before `end`, `last` at most, each Gamma(shape, 1)."""
    rate, last, end, passed, stages, discount = timing
    if discount == 0:
        count = min(_made(stream, rate * end, passed, stages), last)
        return math.exp(log_gamma_draw(stream, shape * count)) if count > 0 else 0.0
    if min(rate * end / stages, last) > ends.size:
        return _spent_by_cell(stream, timing, shape, ends)
    time, count, total = 0.0, 0.0, 0.0
    while count < last:
        time += _gap(stream, stages - passed) / rate
        if time > end:
            break
        passed = 0.0
        count += 1
        total += math.exp(log_gamma_draw(stream, shape) - discount * time)
    return total


@compiled()
def _gap(stream: Stream, events: float) -> float:
    """Time until so many events of rate 1."""
    if events == 1:
        return -math.log(uniform(stream))
    return math.exp(log_gamma_draw(stream, events))


@compiled()
def _spent_by_cell(stream: Stream, timing: Timing, shape: float, ends: FloatArray) -> float:
    """The same where purchases are many: those of a cell share its mean discount."""
    rate, last, end, passed, stages, discount = timing
    begin, count, total = 0.0, 0.0, 0.0
    for cell_end in ends:
        stop = min(cell_end, end)
        length = stop - begin
        passed += poisson(stream, rate * length)
        here = float(np.floor(passed / stages))
        passed -= here * stages
        if count + here > last:
            length *= (last - count) / here
            here = last - count
        if here > 0:
            kept = -math.expm1(-discount * length) / (discount * length) if length > 0 else 1.0
            total += math.exp(log_gamma_draw(stream, shape * here) - discount * begin) * kept
        count += here
        begin = stop
        if count >= last or stop >= end:
            break
    return total


@compiled()
def _cell_ends(discount: float) -> FloatArray:
    """Ends of stretches of equal discounted length."""
    if discount == 0:
        return np.ones(1)
    cells = math.ceil(-math.expm1(-discount) / DISCOUNT_STEP)
    ends = -np.log1p(np.arange(1, cells + 1) / cells * math.expm1(-discount)) / discount
    ends[-1] = 1.0
    return ends


@compiled()
def draw_opportunities(
    traits: FloatArray,
    spend: FloatArray,
    frequency: float,
    missed: float,
    horizon: float,
    discount: float,
    seed: int,
    found: FloatArray,
) -> None:
    """Fill found[k, l] as `draw_futures`, for purchases at opportunities; `discount` of each.

    P(buy) ~ Beta(traits[k, 0] + taken, traits[k, 1] + missed); she is there for the first one, and
    leaves before each other with P(leave) ~ Beta(traits[k, 2], traits[k, 3] + all so far + 1).
    """
    stream = np.empty(1, np.uint64)
    for k in range(found.shape[0]):
        buys, misses = traits[k, 0] + frequency, traits[k, 1] + missed
        leaves, stays = traits[k, 2], traits[k, 3] + frequency + missed + 1
        for draw in range(found.shape[1]):
            restart(stream, seed, int(frequency), k * found.shape[1] + draw)
            log_leave = log_beta_draw(stream, leaves, stays)
            log_buy = log_beta_draw(stream, buys, misses)
            there = min(trials_to_first(stream, log_leave), horizon)
            if not spend.shape[1]:
                found[k, draw] = _taken(stream, log_buy, there)
                continue
            shape = spend[k, 1] + spend[k, 0] * frequency
            log_nu = log_gamma_draw(stream, shape)
            total = _spent_at_opportunities(stream, log_buy, there, discount, spend[k, 0])
            found[k, draw] = math.log(total) - log_nu if total > 0 else -math.inf


@compiled()
def _taken(stream: Stream, log_buy: float, there: float) -> float:
    """Opportunities taken of those she is there for."""
    at, count = trials_to_first(stream, log_buy), 0.0
    while at <= there:
        count += 1
        at += trials_to_first(stream, log_buy)
    return count


@compiled()
def _spent_at_opportunities(
    stream: Stream, log_buy: float, there: float, discount: float, shape: float
) -> float:
    if discount == 0:
        count = _taken(stream, log_buy, there)
        return math.exp(log_gamma_draw(stream, shape * count)) if count > 0 else 0.0
    at, total = trials_to_first(stream, log_buy), 0.0
    while at <= there:
        total += math.exp(log_gamma_draw(stream, shape) - discount * at)
        at += trials_to_first(stream, log_buy)
    return total
