"""Compiled integrals of two rates, each gamma distributed: which event comes first, and how many.

A rate with shape k and scale a, events unseen for u, has its next at density k/(a+u) (a/(a+u))^k.
"""

import numpy as np

from patronage.compiling import FLOATS, NUMBER, compiled
from patronage.models.paretonbd_panels import COUNTS, NEGLIGIBLE, NODES, WEIGHTS, panel
from patronage.models.rfm_input import FloatArray

PURE = 40.0
"""exp(-40) is below rounding: so far past both scales, the integrand is a pure power."""
FAR, SETTLED, MOST_STEPS = 1e3, 1e-9, 500
"""In scales, in relative terms, and in number: of the search for a waiting time."""


@compiled(*[NUMBER] * 5)
def first_chance(s: float, b: float, k: float, a: float, span: float) -> float:
    """P(the event of shape s and scale b comes within `span`, and before that of k and a)."""
    swapped = b < a
    near, far, near_scale, far_scale = (s, k, b, a) if swapped else (k, s, a, b)
    end, total, y = np.log1p(span / near_scale), 0.0, 0.0
    pure = PURE + np.log(far_scale / near_scale)
    while y < end:
        length, rule = panel(y, end, near, far, near_scale, far_scale)
        here = 0.0
        for j in range(COUNTS[rule]):
            z = y + length * NODES[rule, j]
            u = near_scale * np.expm1(z)
            other = np.log1p(u / far_scale)
            here = np.exp(-near * z - far * other)
            total += WEIGHTS[rule, j] * length * here * s * (near_scale + u) / (b + u)
        y += length
        if here <= NEGLIGIBLE * total:
            break
        if y > pure:
            edge = np.exp(-near * y - far * (y + np.log(near_scale / far_scale)))
            total -= edge * np.expm1(-(s + k) * (end - y)) * s / (s + k)
            break
    return total


@compiled(*[FLOATS] * 5)
def first_chances(
    s: FloatArray, b: FloatArray, k: FloatArray, a: FloatArray, span: FloatArray
) -> FloatArray:
    """`first_chance` of each row; `span` may be infinite."""
    chances = np.empty(s.size)
    for i in range(s.size):
        chances[i] = first_chance(s[i], b[i], k[i], a[i], span[i])
    return chances


@compiled(*[FLOATS] * 4, NUMBER)
def waiting_times(
    k: FloatArray, a: FloatArray, s: FloatArray, b: FloatArray, chance: float
) -> FloatArray:
    """Within what time the event of k and a comes, before that of s and b, with this chance.

    Infinite where it comes with no such chance. The chance is concave in time, so that Newton steps
    from below climb to the answer without passing it.
    """
    times = np.empty(k.size)
    for i in range(k.size):
        t = a[i] * np.expm1(-np.log1p(-chance) / k[i])  # were nothing else to come first
        doubtful = FAR * max(a[i], b[i])
        for _ in range(MOST_STEPS):
            if not t < doubtful:
                doubtful = np.inf
                if first_chance(k[i], a[i], s[i], b[i], np.inf) <= chance:
                    t = np.inf
            if t == np.inf:
                break
            density = k[i] / (a[i] + t)
            density *= np.exp(-k[i] * np.log1p(t / a[i]) - s[i] * np.log1p(t / b[i]))
            step = (chance - first_chance(k[i], a[i], s[i], b[i], t)) / density
            t += step
            if step <= SETTLED * t:
                break
        times[i] = t
    return times


@compiled(*[NUMBER] * 3)
def discounted_time(s: float, rate: float, span: float) -> float:
    """Integral of exp(-rate t) (1 + t)^-s over 0 < t < span, which may be infinite; rate > 0."""
    end, total, y = np.log1p(span), 0.0, 0.0
    while y < end:
        slope = 1.0 + s + rate * np.exp(y)
        length = min(1.0, 3.0 / slope, end - y)
        here = 0.0
        for j in range(COUNTS[2]):
            z = y + length * NODES[2, j]
            here = np.exp(-rate * np.expm1(z) - s * z)
            total += WEIGHTS[2, j] * length * here * np.exp(z)
        y += length
        if here <= NEGLIGIBLE * rate * total:
            break
    return total


@compiled(NUMBER, FLOATS, FLOATS)
def discounted_times(s: float, rate: FloatArray, span: FloatArray) -> FloatArray:
    """`discounted_time` of each row."""
    times = np.empty(rate.size)
    for i in range(rate.size):
        times[i] = discounted_time(s, rate[i], span[i])
    return times
