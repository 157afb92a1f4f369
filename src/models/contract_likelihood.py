"""Log-likelihood of renewals: who renewed and who did not, by the number of the renewal."""

import numpy as np
from scipy.special import xlogy

from patronage.models.beta_survival import LARGEST, node_rule
from patronage.models.fitting import Evaluation
from patronage.models.rfm_input import FloatArray


class ContractLikelihood:
    """Mean log-likelihood per customer of (ln alpha, ln beta) or (ln alpha, ln beta, ln c).

    With D(t) = ln S(t-1) - ln S(t), a customer who passes renewal t brings -D(t), one who is lost
    at it ln(1 - exp(-D(t))). D and its derivatives are integrals of one form (`beta_survival`).

    Parameters
    ----------
    kept, lost
        Customers who renewed and who did not, at renewal 1, 2, ...
    customers
        How many there are.
    """

    def __init__(self, kept: FloatArray, lost: FloatArray, customers: float) -> None:
        seen = kept + lost > 0
        self.kept, self.lost = kept[seen] / customers, lost[seen] / customers
        self.renewal = np.arange(1.0, len(kept) + 1)[seen]

    def __call__(self, log_params: FloatArray) -> Evaluation:
        """Value, gradient and Hessian by the log-parameters; c = 1 where there are two."""
        size = len(log_params)
        alpha, beta, c = np.exp([*log_params, 0.0][:3])
        if not c * np.log(self.renewal[-1]) < np.log(LARGEST):
            return Evaluation(-np.inf, np.full(size, np.nan), np.full((size, size), np.nan))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            loss, slopes, bends = self._log_loss(alpha, beta, c)
            slopes, bends = slopes[:size], bends[:size, :size]
            gone, some = np.expm1(loss), self.lost > 0
            by_loss = np.where(some, self.lost / gone, 0.0) - self.kept
            curvature = self.lost * (1 + gone) / gone**2
            curvature = np.where(some & np.isfinite(gone), curvature, 0.0)
            value = np.sum(xlogy(self.lost, -np.expm1(-loss))) - self.kept @ loss
            hessian = bends @ by_loss - np.einsum("it,jt,t->ij", slopes, slopes, curvature)
            gradient = slopes @ by_loss
        return Evaluation(float(value), gradient, hessian)

    def _log_loss(
        self, alpha: float, beta: float, c: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """D of each renewal, its 3 derivatives and 3 x 3 second ones, by the log-parameters."""
        before, after = self._powers(c, self.renewal - 1), self._powers(c, self.renewal)
        rule = node_rule(beta, alpha + beta + float(after[0].max()))
        t = rule.t
        faded = rule.weight * np.exp(-beta * t)
        left, still = faded * -np.expm1(-alpha * t), faded * np.exp(-alpha * t)
        early = np.exp(-np.outer(before[0], t))
        kept = early * -np.expm1(-np.outer(after[0] - before[0], t))
        by_c, by_cc = _by_c(np.exp(-np.outer(after[0], t)), after, t)
        less_c, less_cc = _by_c(early, before, t)
        by_c, by_cc = by_c - less_c, by_cc - less_cc
        a, b = alpha * t, beta * t
        slopes = np.array([kept @ (a * still), -(kept @ (b * left)), by_c @ left])
        bends = np.zeros((3, 3, len(self.renewal)))
        bends[0, 0] = slopes[0] - kept @ (a**2 * still)
        bends[1, 1] = slopes[1] + kept @ (b**2 * left)
        bends[2, 2] = by_cc @ left
        bends[0, 1] = bends[1, 0] = -(kept @ (a * b * still))
        bends[0, 2] = bends[2, 0] = by_c @ (a * still)
        bends[1, 2] = bends[2, 1] = -(by_c @ (b * left))
        return kept @ left, slopes, bends

    @staticmethod
    def _powers(c: float, time: FloatArray) -> FloatArray:
        """time^c with its first and second derivative by ln c."""
        power = np.minimum(time**c, LARGEST)
        log_power = c * np.log(np.maximum(time, 1))
        return np.array([power, power * log_power, power * log_power * (1 + log_power)])


def _by_c(decay: FloatArray, power: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
    """First and second derivative of 1 - exp(-power t) by ln c, `decay` being exp(-power t)."""
    decays = decay > 0  # where it is rounded to 0, so are its derivatives, however large the power
    first, second = (np.where(decays, np.outer(order, t), 0.0) for order in power[1:])
    return decay * first, decay * (second - first**2)
