"""Discounting in calendar time of purchases expected in operational time."""

from collections.abc import Callable

import numpy as np

from patronage.models.rfm_input import FloatArray
from patronage.models.season_calendar import Clock

NODES, _ = np.polynomial.legendre.leggauss(12)
SHORTEST, GROWTH = 8.0, 4.0
"""First panel of operational time, at most so many days; all panels so far grow so much by one."""
NEGLIGIBLE = 45.0
"""What is discounted by exp(-45) does not count."""


def discounted(
    purchases: Callable[[float], FloatArray], clock: Clock, horizon: float, rate: float
) -> FloatArray:
    """Integral over (0, horizon] of exp(-rate s) dE(u(s)), s in days and u by the clock.

    By parts: exp(-rate h) E(u(h)) + the integral of E(u(s)) rate exp(-rate s) ds. E is smooth in
    u, so it is interpolated through Gauss-Legendre nodes in panels that grow with u; what each
    node then weighs is exact, kinks of the clock between days included.

    Parameters
    ----------
    purchases
        Expected purchases within a span of operational time.
    clock
        That begins with the horizon.
    horizon, rate
        Finite, in days; above 0, per day.
    """
    end = min(horizon, NEGLIGIBLE / rate)
    span = float(clock.span(end))
    total: FloatArray = np.exp(-rate * end) * purchases(span)
    bounds = _bounds(span)
    for low, high in zip(bounds[:-1], bounds[1:], strict=True):
        places = low + (high - low) * (NODES + 1) / 2
        for place, weight in zip(places, _weights(clock, low, high, rate), strict=True):
            total = total + weight * purchases(float(place))
    return total


def _bounds(span: float) -> FloatArray:
    count = int(np.ceil(np.log(max(span / SHORTEST, 1)) / np.log(GROWTH)))
    return np.concatenate([[0.0], span * GROWTH ** -np.arange(count, -1.0, -1.0)])


def _weights(clock: Clock, low: float, high: float, rate: float) -> FloatArray:
    """Integrals of the Lagrange polynomials of the nodes, over rate exp(-rate s) ds."""
    knots = clock.time[(clock.time > low) & (clock.time < high)]
    edges = np.concatenate([[low], knots, [high]])
    days = clock.wait(edges)
    half, middle = np.diff(days) / 2, (days[1:] + days[:-1]) / 2
    inner, share = np.polynomial.legendre.leggauss(8)
    s = middle[:, None] + half[:, None] * inner
    density = half[:, None] * share * rate * np.exp(-rate * s)
    u = edges[:-1, None] + np.diff(edges)[:, None] * (inner + 1) / 2
    x = np.clip(2 * (u - low) / (high - low) - 1, -1, 1).ravel()
    basis = np.polynomial.legendre.legvander(NODES, len(NODES) - 1)
    moments = density.ravel() @ np.polynomial.legendre.legvander(x, len(NODES) - 1)
    weights: FloatArray = np.linalg.solve(basis.T, moments).astype(np.float64)
    return weights
