"""Log-likelihood of the BG/NBD model with exact gradient and Hessian by the log-parameters."""

import numpy as np

from patronage.models.fitting import Evaluation
from patronage.models.groups import TimingGroups
from patronage.models.rfm_input import FloatArray


class BetaGeoLikelihood:
    """Mean log-likelihood per customer of (ln r, ln alpha, ln a, ln b) [1]_.

    Eq. (6) is summed as three parts: gamma and beta functions as products over the repeat
    purchases k = 0, 1, ... (exact for any size of the parameters), the purchase process up to T,
    and ln(1 + odds), odds = P(inactive) / P(active) of those who had a chance to leave: after
    each repeat purchase, or, in MBG/NBD, after each purchase.

    References
    ----------
    .. [1] Fader, Hardie & Lee (2005), Marketing Science 24(2), eq. (6).
    """

    def __init__(self, groups: TimingGroups, *, leaves_at_first: bool = False) -> None:
        share = groups.weight / groups.weight.sum()
        chances = groups.frequency + leaves_at_first
        exposed = chances > 0
        self.frequency, self.T, self.share = groups.frequency, groups.T, share
        self.bought, self.stayed = (
            _reached_share(groups.frequency, share),
            _reached_share(chances, share),
        )
        self.x, self.share_exposed = groups.frequency[exposed], share[exposed]
        self.earlier = chances[exposed] - 1
        self.t_x, self.T_exposed = groups.recency[exposed], groups.T[exposed]

    def __call__(self, log_params: FloatArray) -> Evaluation:
        """Value, gradient and Hessian at (ln r, ln alpha, ln a, ln b)."""
        r, alpha, a, b = np.exp(log_params)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            parts = [self._products(r, a, b), self._process(r, alpha), self._odds(r, alpha, a, b)]
        return Evaluation(
            sum(part.value for part in parts),
            np.sum([part.gradient for part in parts], axis=0),
            np.sum([part.hessian for part in parts], axis=0),
        )

    def _products(self, r: float, a: float, b: float) -> Evaluation:
        """Gamma(r+x)/Gamma(r) and B(a,b+x)/B(a,b), as products over k < x."""
        bought, n = self.bought, self.stayed
        at, k = r + np.arange(len(bought)), np.arange(len(n))
        f_b, f_ab = 1 / (b + k), 1 / (a + b + k)
        value = np.sum(bought * np.log(at)) - np.sum(n * np.log1p(a * f_b))
        d_r, d_a = np.sum(bought / at), -np.sum(n * f_ab)
        d_b = a * np.sum(n * f_b * f_ab)
        d_ab = np.sum(n * f_ab**2)
        d_bb = np.sum(n * (f_ab - f_b) * (f_ab + f_b))
        hessian = np.zeros((4, 4))
        hessian[0, 0] = r * d_r - r**2 * np.sum(bought / at**2)
        hessian[2, 2] = a * d_a + a**2 * d_ab
        hessian[2, 3] = hessian[3, 2] = a * b * d_ab
        hessian[3, 3] = b * d_b + b**2 * d_bb
        return Evaluation(float(value), np.array([r * d_r, 0.0, a * d_a, b * d_b]), hessian)

    def _process(self, r: float, alpha: float) -> Evaluation:
        """alpha^r / (alpha+T)^(r+x)."""
        n, x, T = self.share, self.frequency, self.T
        log_ratio, f = np.log1p(T / alpha), 1 / (alpha + T)
        value = -np.sum(n * (r * log_ratio + x * (np.log(alpha) + log_ratio)))
        d_r, d_alpha = -np.sum(n * log_ratio), np.sum(n * (r * T - alpha * x) * f)
        hessian = np.zeros((4, 4))
        hessian[0, 0] = r * d_r
        hessian[0, 1] = hessian[1, 0] = r * np.sum(n * T * f)
        hessian[1, 1] = -alpha * np.sum(n * T * (r + x) * f**2)
        return Evaluation(float(value), np.array([r * d_r, d_alpha, 0.0, 0.0]), hessian)

    def _odds(self, r: float, alpha: float, a: float, b: float) -> Evaluation:
        """1 + a/(b+earlier) ((alpha+T)/(alpha+t_x))^(r+x)."""
        n, x, t_x, T = self.share_exposed, self.x, self.t_x, self.T_exposed
        f, f_x, f_b = 1 / (alpha + T), 1 / (alpha + t_x), 1 / (b + self.earlier)
        gap = np.log1p((T - t_x) * f_x)
        log_odds = np.log(a * f_b) + (r + x) * gap
        dead = n * _expit(log_odds)
        both = dead * _expit(-log_odds)
        turn = alpha * (T - t_x) * f * f_x
        slopes = (r * gap, -(r + x) * turn, np.ones_like(x), -b * f_b)
        hessian = np.array([[np.sum(both * u * v) for v in slopes] for u in slopes])
        hessian[0, 0] += np.sum(dead * slopes[0])
        mixed = -r * np.sum(dead * turn)
        hessian[0, 1] += mixed
        hessian[1, 0] += mixed
        hessian[1, 1] += alpha * np.sum(dead * (r + x) * (T * f**2 - t_x * f_x**2))
        hessian[3, 3] -= b * np.sum(dead * self.earlier * f_b**2)
        value = np.sum(n * np.logaddexp(0, log_odds))
        return Evaluation(float(value), np.array([np.sum(dead * u) for u in slopes]), hessian)


def _reached_share(frequency: FloatArray, share: FloatArray) -> FloatArray:
    """Share of customers with more than k repeat purchases, k = 0, 1, ..."""
    counts = np.bincount(frequency.astype(np.intp), share).astype(np.float64)
    reached: FloatArray = np.cumsum(counts[::-1])[::-1][1:]
    return reached


def _expit(value: FloatArray) -> FloatArray:
    result: FloatArray = 1 / (1 + np.exp(-value))
    return result
