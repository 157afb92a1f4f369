"""How many of those who differ in their chance to leave are left: survival over whole periods.

A customer leaves with a probability of her own, theta ~ Beta(alpha, beta); of her kind
(1 - theta)^(t^c) are left after t periods, so of all S(t) = B(alpha, beta + t^c) / B(alpha, beta).
c = 1 is the beta-geometric distribution [1]_, any c > 0 the beta-discrete-Weibull [2]_.

Beta functions cancel where S is taken as a difference or a parameter is large. Everything here
rests on a second difference of the log-gamma function, an integral of a positive function [3]_:

    ln B(a, b) - ln B(a, b+d) = integral of exp(-bt) (1-exp(-at)) (1-exp(-dt)) / (t (1-exp(-t)))

over t > 0. A trapezoidal sum over ln t gives it to rounding error for parameters of any size.

References
----------
.. [1] Fader & Hardie (2007), How to Project Customer Retention, J. Interactive Marketing 21(1).
.. [2] Fader, Hardie, Liu, Davin & Steenburgh (2018), "How to Project Customer Retention"
   Revisited, J. Interactive Marketing 43.
.. [3] Malmsten's integral, https://dlmf.nist.gov/5.9.E14
"""

from typing import NamedTuple

import numpy as np

from patronage.models.rfm_input import FloatArray

STEP = 0.21
"""In ln t. The nearest poles lie at angle pi/2: the error is exp(-pi^2 / STEP), below rounding."""
NEGLIGIBLE = 42.0
"""exp(-42) is below rounding."""
LARGEST = 1e280
CELLS = 2_000_000
"""Rows x nodes worked at a time: a bound on memory."""
SUMMED = 1000
"""Periods summed one by one; the rest is an integral with its end corrections."""
PANEL = 0.7
"""In the logarithm of time."""
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)


class Rule(NamedTuple):
    """Nodes t and weights w of an integral over t > 0 of w / (1 - exp(-t)) dt / t."""

    t: FloatArray
    weight: FloatArray


def node_rule(slowest: float, steepest: float) -> Rule:
    """For functions that vanish as exp(-slowest t) and are settled below t = 1 / steepest."""
    left = -NEGLIGIBLE - np.log1p(min(steepest, LARGEST))
    right = np.log(NEGLIGIBLE) - np.log(slowest)
    t = np.exp(np.arange(left, right + STEP, STEP))
    return Rule(t, -STEP / np.expm1(-t))


class BetaSurvival:
    """Survival over time, for given parameters.

    Parameters
    ----------
    alpha, beta
        Parameters of the beta distribution of theta, > 0.
    c
        Duration dependence: above 1 a customer's own chance to leave grows with time.
    """

    def __init__(self, alpha: float, beta: float, c: float = 1.0) -> None:
        self.alpha, self.beta, self.c = alpha, beta, c

    def log_loss(self, start: FloatArray, span: FloatArray) -> FloatArray:
        """-ln(S(start + span) / S(start)) >= 0, to full relative accuracy."""
        before, gained = self._powers(start, span)
        rule = node_rule(self.beta, self.alpha + self.beta + float(np.max(before + gained)))
        base = rule.weight * np.exp(-self.beta * rule.t) * -np.expm1(-self.alpha * rule.t)
        lost = np.empty(len(before))
        size = max(1, CELLS // len(rule.t))
        for at in range(0, len(before), size):
            rows = slice(at, at + size)
            kept = np.exp(-np.outer(before[rows], rule.t))
            lost[rows] = (kept * -np.expm1(-np.outer(gained[rows], rule.t))) @ base
        return lost

    def _powers(self, start: FloatArray, span: FloatArray) -> tuple[FloatArray, FloatArray]:
        """start^c and (start + span)^c - start^c; the latter without cancellation."""
        end = np.maximum(start + span, 1 / LARGEST)
        with np.errstate(divide="ignore", over="ignore"):
            share = np.where(span < start, np.log1p(-span / end), np.log(start / end))
            reached, before = (np.minimum(t**self.c, LARGEST) for t in (end, start))
        return before, np.where(span > 0, reached * -np.expm1(self.c * share), 0.0)

    def survival(self, start: FloatArray, span: FloatArray) -> FloatArray:
        """S(start + span) / S(start)."""
        kept: FloatArray = np.exp(-self.log_loss(start, span))
        return kept

    def retention(self, first: int, last: int) -> FloatArray:
        """S(t) / S(t-1) for t = first, ..., last."""
        start = np.arange(first - 1, last, dtype=np.float64)
        return self.survival(start, np.ones_like(start))

    def residual(self, past: FloatArray, horizon: float, rate: float) -> FloatArray:
        """Sum over j = 1, ..., horizon of S(past+j) / S(past) exp(-rate j).

        Parameters
        ----------
        past
            Whole periods gone, >= 0.
        horizon
            A whole number or infinity.
        rate
            Continuous discount rate per period, >= 0.
        """
        if horizon < 1:
            return np.zeros(len(past))
        if np.isinf(horizon) and rate == 0 and self.alpha * self.c <= 1:
            return np.full(len(past), np.inf)
        summed = int(min(horizon, SUMMED))
        start = np.arange(past.max() + summed)
        lost = self.log_loss(start, np.ones_like(start)) + rate
        ages = past.astype(np.intp)
        total = np.array([np.sum(np.exp(-np.cumsum(lost[m : m + summed]))) for m in ages])
        if horizon <= SUMMED or rate * SUMMED > NEGLIGIBLE:
            return total
        later = [self._later(float(m), float(horizon), rate) for m in past]
        result: FloatArray = total + np.array(later)
        return result

    def _later(self, past: float, horizon: float, rate: float) -> float:
        """The terms past SUMMED: Euler-Maclaurin's integral from and to midpoints."""
        first = SUMMED + 0.5
        last = min(horizon + 0.5, first + NEGLIGIBLE / rate if rate > 0 else np.inf)
        log_last = np.log(last) if np.isfinite(last) else self._settled()
        log_x, weight = _panels(np.log(first), log_last)
        total = float(weight @ np.exp(self._log_term(past, log_x, rate) + log_x))
        total += self._slope(past, first, rate) / 24
        if last == horizon + 0.5:
            total -= self._slope(past, last, rate) / 24
        if np.isinf(last):  # S is a power of time there
            end = float(self._log_term(past, np.array([log_last]), 0.0)[0])
            total += float(np.exp(end + log_last)) / (self.alpha * self.c - 1)
        return total

    def _settled(self) -> float:
        """Logarithm of the time from where on S(t) is proportional to t^(-alpha c)."""
        scale = (1 + self.alpha) * (1 + self.alpha + self.beta)
        return float(max(NEGLIGIBLE + np.log(scale), np.log(SUMMED) + 1)) / min(self.c, 1.0)

    def _log_term(self, past: float, log_x: FloatArray, rate: float) -> FloatArray:
        x = np.exp(np.minimum(log_x, np.log(LARGEST)))
        return -self.log_loss(np.full_like(x, past), x) - rate * x

    def _slope(self, past: float, middle: float, rate: float) -> float:
        ends = np.log(np.array([middle - 0.5, middle + 0.5]))
        below, above = np.exp(self._log_term(past, ends, rate))
        return float(above - below)


def _panels(low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on equal panels of (low, high)."""
    count = max(1, int(np.ceil((high - low) / PANEL)))
    width = (high - low) / count
    starts = low + width * np.arange(count)[:, None]
    nodes = starts + width * (NODES + 1) / 2
    return nodes.ravel(), np.tile(NODE_WEIGHTS * width / 2, count)
