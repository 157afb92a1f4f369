"""What a customer who is active at T will do, drawn: her purchases, when, and for how much.

Time is in units of the horizon. She buys at a rate of her own, rate ~ Gamma(rate_shape + x, rate
rate_time + T), until she leaves: after a purchase with probability Beta(dropout_a, dropout_b + x),
or at a rate ~ Gamma(hazard_shape, rate hazard_time + T). Given mean spend, amounts are
Gamma(p, nu), nu ~ Gamma(q + p x, v + total spent so far): all that follows from the total is the
scale, so the sum is drawn in units of it.
"""

import math

import numpy as np

from patronage.models.random_draws import (
    Stream,
    compiled,
    log_gamma_draw,
    poisson,
    restart,
    trials_to_first,
    uniform,
)
from patronage.models.rfm_input import FloatArray

DISCOUNT_STEP = 0.03
"""Purchases that are many are drawn at once for a stretch of time over which the discount grows by
this much; spread among themselves, amounts differ by far more."""
NEVER = -1e300
"""Logarithm of what does not happen."""


@compiled
def draw_traits(
    traits: FloatArray, spend: FloatArray, frequency: float, seed: int, latent: FloatArray
) -> None:
    """Fill latent[k, l] = ln of rate x (rate_time + T), P(leave), hazard x (...), nu x (...).

    Draw l under parameters k: rows of `traits` and `spend` (p, q). They depend on x, not on T, so
    that neighbouring T share their chance and what is computed varies smoothly with T.
    """
    stream = np.empty(1, np.uint64)
    for k in range(latent.shape[0]):
        a, b, hazard = traits[k, 2], traits[k, 3], traits[k, 4]
        for draw in range(latent.shape[1]):
            restart(stream, seed, int(frequency), 2 * (k * latent.shape[1] + draw))
            latent[k, draw, 0] = log_gamma_draw(stream, traits[k, 0] + frequency)
            latent[k, draw, 1] = NEVER
            if a > 0:
                leave = log_gamma_draw(stream, a)
                stay = log_gamma_draw(stream, b + frequency)
                latent[k, draw, 1] = min(-np.log1p(math.exp(min(stay - leave, 700.0))), -1e-300)
            latent[k, draw, 2] = log_gamma_draw(stream, hazard) if hazard > 0 else NEVER
            if spend.shape[1]:
                shape = spend[k, 1] + spend[k, 0] * frequency
                latent[k, draw, 3] = log_gamma_draw(stream, shape)


@compiled
def draw_futures(
    traits: FloatArray,
    spend: FloatArray,
    latent: FloatArray,
    frequency: float,
    T: float,
    discount: float,
    seed: int,
    found: FloatArray,
) -> None:
    """Fill found[k, l]: the count of purchases, or ln(discounted spend / scale), -inf for none."""
    stream = np.empty(1, np.uint64)
    ends = _cell_ends(discount)
    for k in range(latent.shape[0]):
        for draw in range(latent.shape[1]):
            restart(stream, seed, int(frequency), 2 * (k * latent.shape[1] + draw) + 1)
            rate = math.exp(latent[k, draw, 0]) / (traits[k, 1] + T)
            last = trials_to_first(stream, latent[k, draw, 1])
            end = 1.0
            if latent[k, draw, 2] > NEVER:
                leaves = -math.log(uniform(stream)) * (traits[k, 5] + T)
                end = min(1.0, leaves / max(math.exp(latent[k, draw, 2]), 1e-300))
            if not spend.shape[1]:
                found[k, draw] = min(poisson(stream, rate * end), last)
                continue
            total = _spent(stream, rate, last, end, discount, spend[k, 0], ends)
            found[k, draw] = math.log(total) - latent[k, draw, 3] if total > 0 else -math.inf


@compiled
def _spent(
    stream: Stream,
    rate: float,
    last: float,
    end: float,
    discount: float,
    shape: float,
    ends: FloatArray,
) -> float:
    """Discounted sum of the purchases before `end`, `last` at most, each Gamma(shape, 1)."""
    if discount == 0:
        count = min(poisson(stream, rate * end), last)
        return math.exp(log_gamma_draw(stream, shape * count)) if count > 0 else 0.0
    if min(rate * end, last) > ends.size:
        return _spent_by_cell(stream, rate, last, end, discount, shape, ends)
    time, count, total = 0.0, 0.0, 0.0
    while count < last:
        time -= math.log(uniform(stream)) / rate
        if time > end:
            break
        count += 1
        total += math.exp(log_gamma_draw(stream, shape) - discount * time)
    return total


@compiled
def _spent_by_cell(
    stream: Stream,
    rate: float,
    last: float,
    end: float,
    discount: float,
    shape: float,
    ends: FloatArray,
) -> float:
    """The same where purchases are many: those of a cell share its mean discount."""
    begin, count, total = 0.0, 0.0, 0.0
    for cell_end in ends:
        stop = min(cell_end, end)
        length = stop - begin
        here = poisson(stream, rate * length)
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


@compiled
def _cell_ends(discount: float) -> FloatArray:
    """Ends of stretches of equal discounted length."""
    if discount == 0:
        return np.ones(1)
    cells = math.ceil(-math.expm1(-discount) / DISCOUNT_STEP)
    ends = -np.log1p(np.arange(1, cells + 1) / cells * math.expm1(-discount)) / discount
    ends[-1] = 1.0
    return ends
