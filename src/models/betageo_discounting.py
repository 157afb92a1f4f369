"""Discounted purchases of BG/NBD customers who are active at T.

A customer's purchase rate s later is shape / scale x M(s / scale), M(z) = E[(1 + p z)^-(shape+1)]:
a function of the purchases made, not of T. It is tabulated once for all who share them, as
Chebyshev series on panels of ln(1 + z / start), and integrated for each. Panels do not depend on
who is asked about, so neither do results, to the last bit.
"""

import numpy as np
from numpy.typing import NDArray

from patronage.models.beta_average import BetaAverage, Rows, as_column
from patronage.models.betageo_quantities import (
    NODE_WEIGHTS,
    NODES,
    Active,
    high_p,
    purchases_to_come,
)
from patronage.models.groups import distinct_rows
from patronage.models.rfm_input import FloatArray

NEGLIGIBLE_DISCOUNT = 45.0
"""What is discounted by exp(-45) does not count."""
PANEL = 2.5
"""In the logarithm of time; 16 nodes a panel integrate to full accuracy."""
FAR, TERMS = 8.0, 24
"""Standard deviations, and terms of a series: with both, M is exact to 1e-12."""
ANGLES = (np.arange(TERMS) + 0.5) * np.pi / TERMS
SERIES = 2 / TERMS * np.cos(np.outer(ANGLES, np.arange(TERMS))) / (1 + (np.arange(TERMS) == 0))
"""Coefficients of a series from its values at cos(ANGLES)."""
ROWS = 1024
"""Worked at a time, within the processor's cache."""
RUNG = 4.0
"""A discount per scale is raised to the next power of it, so that many customers share a table."""


def discounted_purchases(active: Active, horizon: float, rate: float) -> FloatArray:
    """Integral over (0, horizon] of exp(-rate s) x the purchase rate at T+s.

    The purchase rate falls on the time scale (alpha+T) / (1 + p (r+x)), the discount on its own;
    Gauss-Legendre panels in the logarithm of time follow both from steep to flat.
    """
    if rate == 0 and np.isinf(horizon):
        return purchases_to_come(active)
    shape, scale, a, b = active
    longest = min(horizon, NEGLIGIBLE_DISCOUNT / rate) if rate > 0 else horizon
    steepest = RUNG ** np.ceil(np.log(np.maximum(rate * scale, 1)) / np.log(RUNG))
    alike = distinct_rows(shape, b, steepest)
    start = 1 / (steepest + (shape + 1) * high_p(a, b, FAR))
    reach = np.log1p(longest / scale / start) / PANEL
    panels = np.ones(len(alike.first))
    np.maximum.at(panels, alike.codes, np.ceil(reach))
    series, first = _tabulate(active, start, alike.first, panels.astype(np.intp))
    total = np.zeros_like(scale)
    for panel in range(int(panels.max())):
        beyond = np.flatnonzero(reach > panel)
        for rows in np.array_split(beyond, len(beyond) // ROWS + 1):
            width = np.minimum(reach[rows] - panel, 1)[:, None]
            node = width * (NODES + 1) / 2
            weight = width * NODE_WEIGHTS / 2 * PANEL
            growth = start[rows, None] * np.exp(PANEL * (panel + node))
            discount = np.exp(-rate * scale[rows, None] * (growth - start[rows, None]))
            fallen = _sums(series[:, first[alike.codes[rows]] + panel], 2 * node - 1)
            total[rows] += np.sum(weight * growth * discount * fallen, axis=1)
    return shape * total


def _tabulate(
    active: Active, start: FloatArray, chosen: NDArray[np.intp], panels: NDArray[np.intp]
) -> tuple[FloatArray, NDArray[np.intp]]:
    """M of the chosen rows as a series for each panel, a column each, and each row's first one."""
    first = np.cumsum(panels) - panels
    row = np.repeat(chosen, panels)
    panel = np.arange(len(row)) - np.repeat(first, panels)
    power, end = active.shape[row] + 1, start[row] * np.expm1(PANEL * (panel + 1))
    node = PANEL * (panel[:, None] + (np.cos(ANGLES) + 1) / 2)
    span = (start[row, None] * np.expm1(node)).ravel()
    power, sharpness, b = (np.repeat(of, TERMS) for of in (power, power * end, active.b[row]))

    def kernel(p: FloatArray, rows: Rows) -> FloatArray:
        fall = as_column(power, rows) * np.log1p(p * as_column(span, rows))
        result: FloatArray = np.exp(-fall)
        return result

    values = BetaAverage(active.a, b, sharpness).mean(kernel).reshape(-1, TERMS)
    series = np.zeros((TERMS, len(row)))
    for node_values, terms in zip(values.T, SERIES, strict=True):
        series += np.outer(terms, node_values)  # a matrix product would round by its size
    return series, first


def _sums(series: FloatArray, x: FloatArray) -> FloatArray:
    """Sums of Chebyshev series, a column for each row of x, by Clenshaw's recurrence."""
    last = before = np.zeros_like(x)
    for term in series[:0:-1]:
        last, before = term[:, None] + 2 * x * last - before, last
    total: FloatArray = series[0][:, None] + x * last - before
    return total
