"""Log-likelihood of the BG/NBD family with exact gradient and Hessian by the log-parameters."""

import numpy as np

from patronage.models.fitting import Evaluation
from patronage.models.groups import TimingGroups, distinct_rows
from patronage.models.rfm_input import FloatArray

BLOCK = 8192
"""Rows worked at a time: what is worked out on the way stays in the processor's cache."""


class BetaGeoLikelihood:
    """Mean log-likelihood per customer of (ln r, ln alpha, ln a, ln b) [1]_.

    Eq. (6) is summed as three parts: gamma and beta functions as products (exact for any size of
    the parameters), the purchase process up to T, and ln(1 + odds), odds = P(inactive) / P(active)
    of those who had a chance to leave: after each repeat purchase, or, in MBG/NBD, after each
    purchase. With regular timing each purchase takes k stages of the process, and what belongs to
    the gaps between purchases alone is left out [2]_.

    References
    ----------
    .. [1] Fader, Hardie & Lee (2005), Marketing Science 24(2), eq. (6).
    .. [2] Reutterer, Platzer & Schroeder (2021), International Journal of Research in Marketing
       38(1).
    """

    def __init__(self, groups: TimingGroups, *, leaves_at_first: bool = False, k: int = 1) -> None:
        self.k = k
        share = groups.weight / groups.weight.sum()
        x, chances = groups.frequency, groups.frequency + leaves_at_first
        self.staged = np.repeat(_reached_share(x, share), k)
        self.stayed = _reached_share(chances, share)
        self.at_T = _by_age(groups.T, share, k * x)
        told = np.flatnonzero((chances > 0) | (k > 1))
        columns = [of[told] for of in (share, x, groups.recency, groups.T, chances - 1)]
        starts = range(0, len(told), BLOCK)
        self.blocks = [[column[at : at + BLOCK] for column in columns] for at in starts]

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
        """Gamma(r+kx)/Gamma(r) and B(a,b+n)/B(a,b), as products over stages and n chances."""
        passed, n = self.staged, self.stayed
        at, i = r + np.arange(len(passed)), np.arange(len(n))
        f_b, f_ab = 1 / (b + i), 1 / (a + b + i)
        value = np.sum(passed * np.log(at)) - np.sum(n * np.log1p(a * f_b))
        d_r, d_a = np.sum(passed / at), -np.sum(n * f_ab)
        d_b = a * np.sum(n * f_b * f_ab)
        d_ab = np.sum(n * f_ab**2)
        d_bb = np.sum(n * (f_ab - f_b) * (f_ab + f_b))
        hessian = np.zeros((4, 4))
        hessian[0, 0] = r * d_r - r**2 * np.sum(passed / at**2)
        hessian[2, 2] = a * d_a + a**2 * d_ab
        hessian[2, 3] = hessian[3, 2] = a * b * d_ab
        hessian[3, 3] = b * d_b + b**2 * d_bb
        return Evaluation(float(value), np.array([r * d_r, 0.0, a * d_a, b * d_b]), hessian)

    def _process(self, r: float, alpha: float) -> Evaluation:
        """alpha^r / (alpha+T)^(r+kx), summed over customers of one T."""
        T, n, stages = self.at_T
        log_ratio, f = np.log1p(T / alpha), 1 / (alpha + T)
        value = -np.sum(n * r * log_ratio + stages * (np.log(alpha) + log_ratio))
        d_r, d_alpha = -np.sum(n * log_ratio), np.sum((n * r * T - stages * alpha) * f)
        hessian = np.zeros((4, 4))
        hessian[0, 0] = r * d_r
        hessian[0, 1] = hessian[1, 0] = r * np.sum(n * T * f)
        hessian[1, 1] = -alpha * np.sum(T * (n * r + stages) * f**2)
        return Evaluation(float(value), np.array([r * d_r, d_alpha, 0.0, 0.0]), hessian)

    def _odds(self, r: float, alpha: float, a: float, b: float) -> Evaluation:
        """1 + a/(b+earlier) ((alpha+T)/(alpha+t_x))^(r+x), or its like with regular timing."""
        sums = np.zeros(15)
        for rows in self.blocks:
            sums += self._odds_sums(rows, r, alpha, a, b)
        hessian = np.zeros((4, 4))
        hessian[np.triu_indices(4)] = sums[5:]
        return Evaluation(float(sums[0]), sums[1:5], hessian + np.triu(hessian, 1).T)

    def _odds_sums(
        self, rows: list[FloatArray], r: float, alpha: float, a: float, b: float
    ) -> FloatArray:
        """Value, slopes and upper triangle of the Hessian over some of the rows."""
        from patronage.models.betageo_kernels import odds_sums, stage_terms

        share, x, t_x, T, earlier = rows
        stages, log_q = np.empty((6, 0)), np.zeros(1)
        if self.k > 1:
            stages = stage_terms(x, t_x, T, r, alpha, self.k)
            log_q = stages[0]
        gap = np.log1p((T - t_x) / (alpha + t_x))
        log_odds = np.log(a / (b + earlier)) + (r + self.k * x) * gap - log_q
        if self.k > 1:
            log_odds[earlier < 0] = -np.inf
        small = np.exp(-np.abs(log_odds))
        value = np.dot(share, np.maximum(log_odds, 0) + np.log1p(small) + log_q)
        terms = (gap, log_odds, small, stages)
        slopes = odds_sums(share, x, t_x, T, earlier, *terms, r, alpha, b, self.k)
        return np.append(value, slopes)


def _reached_share(counts: FloatArray, share: FloatArray) -> FloatArray:
    """Share of customers with more than i of what is counted, i = 0, 1, ..."""
    exactly = np.bincount(counts.astype(np.intp), share).astype(np.float64)
    reached: FloatArray = np.cumsum(exactly[::-1])[::-1][1:]
    return reached


def _by_age(
    T: FloatArray, share: FloatArray, stages: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct T, the share of customers of each, and the stages they passed."""
    distinct = distinct_rows(T)
    sums = [np.bincount(distinct.codes, n).astype(np.float64) for n in (share, share * stages)]
    return T[distinct.first], sums[0], sums[1]
