"""Log-likelihood of the Gamma-Gamma model with exact gradient and Hessian."""

import numpy as np
from scipy.special import betaln, polygamma, psi

from patronage.models.fitting import Evaluation
from patronage.models.rfm_input import FloatArray


class GammaGammaLikelihood:
    """Mean log-likelihood per customer of (ln p, ln q, ln v) [1]_.

    With y = x z the total of x purchases of mean z, eq. (1a) is
    (y/(v+y))^px (v/(v+y))^q / (z B(px, q)). Beta functions are worked once per distinct x.

    References
    ----------
    .. [1] Fader & Hardie (2013), http://www.brucehardie.com/notes/025/
    """

    def __init__(self, frequency: FloatArray, mean: FloatArray, weight: FloatArray) -> None:
        self.n, self.x, self.y = weight / weight.sum(), frequency, frequency * mean
        self.log_mean = float(np.sum(self.n * np.log(mean)))
        self.counts, codes = np.unique(frequency, return_inverse=True)
        self.count_share = np.bincount(codes, self.n)

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
        n, x, y = self.n, self.x, self.y
        log_v = np.log1p(y / v)
        by_x = float(np.sum(n * x * (log_v - np.log(y / v))))
        by_1 = float(np.sum(n * log_v))
        share = y / (v + y)
        kept = 1 - share
        x_kept, paid = float(np.sum(n * x * kept)), float(np.sum(n * share))
        gradient = np.array([-p * by_x, -q * by_1, q * paid - p * x_kept])
        hessian = np.diag([-p * by_x, -q * by_1, -float(np.sum(n * (q + p * x) * share * kept))])
        hessian[0, 2] = hessian[2, 0] = -p * x_kept
        hessian[1, 2] = hessian[2, 1] = q * paid
        return Evaluation(-p * by_x - q * by_1, gradient, hessian)
