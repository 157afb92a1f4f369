"""What a BG/NBD customer will do, given parameters and history: the formulas, without a table.

All condition on the customer being active at T, where lambda ~ Gamma(r+x, alpha+T) and
p ~ Beta(a, b+x), independent [1]_; a purchase stream with rate lambda then ends at rate lambda p.

References
----------
.. [1] Fader, Hardie & Lee (2005), Marketing Science 24(2), section 4.
"""

from typing import NamedTuple

import numpy as np

from patronage.models.beta_average import BetaAverage, as_column
from patronage.models.rfm_input import FloatArray

NEGLIGIBLE_DISCOUNT = 45.0
"""What is discounted by exp(-45) does not count."""
PANEL = 1.5
"""In the logarithm of time; 12 nodes a panel give full accuracy."""
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(12)


class BetaGeoParams(NamedTuple):
    """Purchase rate ~ Gamma(r, rate alpha), per time unit; dropout probability ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


def log_odds_inactive(
    params: BetaGeoParams, frequency: FloatArray, recency: FloatArray, T: FloatArray
) -> FloatArray:
    """ln(P(inactive) / P(alive)); minus infinity without a repeat purchase."""
    r, alpha, a, b = params
    x = np.maximum(frequency, 1)
    gap = np.log1p((T - recency) / (alpha + recency))
    log_odds: FloatArray = np.log(a / (b + (x - 1))) + (r + x) * gap
    return np.where(frequency > 0, log_odds, -np.inf)


def purchases(
    params: BetaGeoParams, frequency: FloatArray, T: FloatArray, horizon: float
) -> FloatArray:
    """E[purchases in (T, T+horizon] | active at T]: the mean of (1 - exp(-lambda p t)) / p."""
    shape, span = params.r + frequency, horizon / (params.alpha + T)
    average = BetaAverage(params.a, params.b + frequency, float(np.max(shape * span)))

    def kernel(p: FloatArray, rows: slice) -> FloatArray:
        kept = as_column(shape, rows) * np.log1p(p * as_column(span, rows))
        result: FloatArray = -np.expm1(-kept) / p
        return result

    return average.mean(kernel)


def no_purchase(
    params: BetaGeoParams, frequency: FloatArray, T: FloatArray, horizon: float, lead: float
) -> FloatArray:
    """P(no purchase in (T+lead, T+lead+horizon] | active at T).

    1 - E[exp(-lambda p lead)] + E[exp(-lambda (p lead + horizon))].
    """
    shape, scale = params.r + frequency, params.alpha + T
    if lead == 0:
        quiet: FloatArray = np.exp(-shape * np.log1p(horizon / scale))
        return quiet
    average = BetaAverage(params.a, params.b + frequency, float(np.max(shape * lead / scale)))

    def kernel(p: FloatArray, rows: slice) -> FloatArray:
        power, unit = as_column(shape, rows), as_column(scale, rows)
        gone = -np.expm1(-power * np.log1p(p * lead / unit))
        here = np.exp(-power * np.log1p((p * lead + horizon) / unit))
        result: FloatArray = gone + here
        return result

    return average.mean(kernel)


def discounted_purchases(
    params: BetaGeoParams, frequency: FloatArray, T: FloatArray, horizon: float, rate: float
) -> FloatArray:
    """Integral over (0, horizon] of exp(-rate s) x the purchase rate at T+s, given active at T.

    The purchase rate falls on the time scale (alpha+T) / (1 + E[p] (r+x)); Gauss-Legendre panels
    in the logarithm of time follow it from steep to flat.
    """
    shape, scale = params.r + frequency, params.alpha + T
    longest = min(horizon, NEGLIGIBLE_DISCOUNT / rate) if rate > 0 else horizon
    mean_p = params.a / (params.a + params.b + frequency)
    start = 1 / (1 + (shape + 1) * mean_p)
    reach = np.log1p(longest / scale / start)
    average = BetaAverage(
        params.a, params.b + frequency, float(np.max((shape + 1) * longest / scale))
    )
    total = np.zeros_like(T)
    panels = int(np.ceil(np.max(reach) / PANEL)) or 1
    for node, weight in zip(*_panel_rule(panels), strict=True):
        span = start * np.expm1(node * reach)

        def kernel(p: FloatArray, rows: slice, span: FloatArray = span) -> FloatArray:
            result: FloatArray = np.exp(
                -as_column(shape + 1, rows) * np.log1p(p * as_column(span, rows))
            )
            return result

        speed = shape * average.mean(kernel) * np.exp(-rate * scale * span)
        total += weight * reach * (start + span) * speed
    return total


def _panel_rule(panels: int) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on equal panels of (0, 1)."""
    starts = np.arange(panels)[:, None]
    nodes = (starts + (NODES + 1) / 2) / panels
    return nodes.ravel(), np.tile(NODE_WEIGHTS / 2 / panels, panels)
