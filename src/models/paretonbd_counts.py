"""Compiled probabilities of the number of purchases until the end of a span or of activity."""

import numpy as np
from numba import types

from patronage.compiling import FLOATS, NUMBER, compiled
from patronage.models.paretonbd_integrals import first_chance
from patronage.models.paretonbd_panels import COUNTS, NEGLIGIBLE, NODES, WEIGHTS
from patronage.models.rfm_input import FloatArray

WIDTH, FALL = 2.0, 6.0
"""How much of a peak's width, and of its fall in the logarithm, one panel may span."""


@compiled(*[NUMBER] * 6)
def _log_mass(n: float, k: float, a: float, s: float, b: float, u: float) -> float:
    """Logarithm of the chance of n purchases and then to leave at u, per ln u, up to a factor."""
    kept = -k * np.log1p(u / a) - s * np.log1p(u / b)
    log_mass: float = n * np.log(u / (a + u)) + kept + np.log(u / (b + u))
    return log_mass


@compiled(*[NUMBER] * 6)
def _most_likely(n: float, k: float, a: float, s: float, b: float, span: float) -> float:
    """Where that chance is largest, not past `span`: the root of a quadratic."""
    middle = n * a - k * b - s * a + b
    root = np.sqrt(middle * middle + 4.0 * (k + s) * (n + 1.0) * a * b)
    if middle > 0.0:
        peak: float = (middle + root) / (2.0 * (k + s))
    else:
        peak = 2.0 * (n + 1.0) * a * b / (root - middle)
    return min(span, peak)


@compiled(*[NUMBER] * 7)
def _panel(n: float, k: float, a: float, s: float, b: float, u: float, left: float) -> float:
    """Length in ln u of a panel that begins at u; the logarithm of the chance is concave there."""
    w, q = u / (a + u), u / (b + u)
    slope = abs(n * (1.0 - w) - k * w - s * q + (1.0 - q))
    bend = (n + k) * w * (1.0 - w) + (s + 1.0) * q * (1.0 - q)
    length: float = min(1.0, left, WIDTH / np.sqrt(bend), FALL / max(slope, 1e-300))
    return length


@compiled(*[NUMBER] * 6)
def _left_after(n: float, k: float, a: float, s: float, b: float, span: float) -> float:
    """Logarithm of the chance of n >= 1 purchases and to leave within `span`, up to that factor."""
    peak = _most_likely(n, k, a, s, b, span)
    top = _log_mass(n, k, a, s, b, peak)
    total = 0.0
    for way in (-1.0, 1.0):
        u, left = peak, np.inf if way < 0.0 else np.log(span / peak)
        while left > 0.0:
            length = _panel(n, k, a, s, b, u, left)
            mass = 0.0
            for j in range(COUNTS[2]):
                at = u * np.exp(way * length * NODES[2, j])
                mass += WEIGHTS[2, j] * np.exp(_log_mass(n, k, a, s, b, at) - top)
            total += mass * length
            if mass * length <= NEGLIGIBLE * total:
                break
            u *= np.exp(way * length)
            left -= length
    log_chance: float = top + np.log(total)
    return log_chance


@compiled(FLOATS, FLOATS, NUMBER, FLOATS, NUMBER, types.int64)
def count_chances(
    k: FloatArray, a: FloatArray, s: float, b: FloatArray, span: float, counts: int
) -> FloatArray:
    """P(0, 1, ..., counts - 1 purchases within a `span` > 0), a row for each customer."""
    chances = np.empty((k.size, counts))
    for i in range(k.size):
        stay = -s * np.log1p(span / b[i])
        base = stay - k[i] * np.log1p(span / a[i])
        step = np.log(span / (a[i] + span))
        chances[i, 0] = np.exp(base) + first_chance(s, b[i], k[i], a[i], span)
        ways, lost = 0.0, 0.0
        for n in range(1, counts):
            # ln(Gamma(k+n) / (Gamma(k) n!)), summed so that rounding does not add up.
            term = np.log((k[i] + n - 1.0) / n) - lost
            new = ways + term
            lost, ways = (new - ways) - term, new
            gone = _left_after(n, k[i], a[i], s, b[i], span) + np.log(s)
            chances[i, n] = np.exp(ways + base + n * step) + np.exp(ways + gone)
    return chances
