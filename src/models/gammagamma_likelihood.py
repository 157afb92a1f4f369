"""Log-likelihood of the Gamma-Gamma model with exact gradient and Hessian."""

import numpy as np
from scipy.special import betaln, polygamma, psi

from patronage.models.fitting import Evaluation
from patronage.models.rfm_input import FloatArray

BLOCK = 16384
"""Rows worked at a time: what is worked out on the way stays in the processor's cache."""


class GammaGammaLikelihood:
    """Mean log-likelihood per customer of (ln p, ln q, ln v) [1]_.

    With y = x z the total of x purchases of mean z, eq. (1a) is
    (y/(v+y))^px (v/(v+y))^q / (z B(px, q)). Beta functions are worked once per distinct x.

    References
    ----------
    .. [1] Fader & Hardie (2013), http://www.brucehardie.com/notes/025/
    """

    def __init__(self, frequency: FloatArray, mean: FloatArray, weight: FloatArray) -> None:
        n, x = weight / weight.sum(), np.ascontiguousarray(frequency)
        rows, y = [slice(at, at + BLOCK) for at in range(0, len(x), BLOCK)], frequency * mean
        self.blocks = [(n[some], x[some], y[some]) for some in rows]
        self.log_mean = float(np.sum(n * np.log(mean)))
        of_count = np.bincount(x.astype(np.intp), n)
        self.counts = np.flatnonzero(of_count).astype(np.float64)
        self.count_share = of_count[of_count > 0]

    def __call__(self, log_params: FloatArray) -> Evaluation:
        """Value, gradient and Hessian at (ln p, ln q, ln v)."""
        p, q, v = np.exp(log_params)
        beta, totals = self._beta(p, q), self._totals(p, q, v)
        return Evaluation(
            beta.value + totals.value - self.log_mean,
            beta.gradient + totals.gradient,
            beta.hessian + totals.hessian,
        )

    def _beta(self, p: float, q: float) -> Evaluation:
        """1 / B(px, q)."""
        n, x = self.count_share, self.counts
        px, both = p * x, psi(p * x + q)
        both2 = polygamma(1, px + q)
        d_p, d_q = np.sum(n * x * (both - psi(px))), np.sum(n * both) - psi(q)
        hessian = np.zeros((3, 3))
        hessian[0, 0] = p * d_p + p**2 * np.sum(n * x**2 * (both2 - polygamma(1, px)))
        hessian[0, 1] = hessian[1, 0] = p * q * np.sum(n * x * both2)
        hessian[1, 1] = q * d_q + q**2 * (np.sum(n * both2) - polygamma(1, q))
        value = -float(np.sum(n * betaln(px, q)))
        return Evaluation(value, np.array([p * d_p, q * d_q, 0.0]), hessian)

    def _totals(self, p: float, q: float, v: float) -> Evaluation:
        """(y/(v+y))^px (v/(v+y))^q."""
        from patronage.models.gammagamma_kernels import totals_sums

        sums = np.zeros(5)
        for n, x, y in self.blocks:
            sums += totals_sums(n, x, y, np.log1p(v / y), np.log1p(y / v), p, q, v)
        by_x, by_1, paid, x_kept, bend = sums
        gradient = np.array([-p * by_x, -q * by_1, q * paid - p * x_kept])
        hessian = np.diag([-p * by_x, -q * by_1, -bend])
        hessian[0, 2] = hessian[2, 0] = -p * x_kept
        hessian[1, 2] = hessian[2, 1] = q * paid
        return Evaluation(float(-p * by_x - q * by_1), gradient, hessian)
