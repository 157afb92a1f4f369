"""Gamma-Gamma: spend per purchase, given how much was spent on how many."""

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError
from patronage.models.fitting import GRADIENT_TOLERANCE, ROUGH, Evaluation, Optimum, maximise
from patronage.models.gammagamma_likelihood import GammaGammaLikelihood
from patronage.models.groups import rows_digest
from patronage.models.likelihood_model import DataUnit, LikelihoodModel, whole
from patronage.models.prior import Prior, PriorName, Term, linear, log_gamma, normal
from patronage.models.rfm_input import SPEND, FloatArray, Rfm, Weights, read_rfm, read_weights

TENTH, MANY = 10, 10_000
EXTREME = 1e4
"""A shape beyond this leaves no spread to speak of."""


class GammaGammaParams(NamedTuple):
    """Spend ~ Gamma(p, rate nu) and nu ~ Gamma(q, rate v); v in the currency."""

    p: float
    q: float
    v: float


def _mean_spend(log_params: FloatArray) -> Evaluation:
    """ln(p v / (q - 1)) and its derivatives; infinite where the mean is."""
    p, q, v = log_params
    above = np.expm1(q)
    if above <= 0:
        return Evaluation(np.inf, np.zeros(3), np.zeros((3, 3)))
    slope = np.exp(q) / above
    hessian = np.zeros((3, 3))
    hessian[1, 1] = slope / above
    return Evaluation(float(p + v - np.log(above)), np.array([1.0, -slope, 1.0]), hessian)


WEAK_PRIOR = Prior(
    (
        Term("the population's mean spend", _mean_spend, normal(0.1)),
        Term("how purchases of one customer vary", linear(1, 0, 0), log_gamma(0.5, 0.01)),
        Term("how customers' mean spend varies", linear(0, 1, 0), log_gamma(0.5, 0.01)),
    ),
    3,
)


class GammaGammaModel(LikelihoodModel):
    """Gamma-Gamma model of spend per purchase [1]_.

    A customer's purchases vary around a mean of her own; the means vary between customers. Spend
    is taken as independent of how often she buys. Fitted on customers with a repeat purchase and
    `monetary_value` > 0; a repeat customer whose mean is 0 or less (refunds) says nothing about
    the size of purchases: she is left out of the fit and counted in `n_left_out_`.

    Parameters
    ----------
    prior
        None for maximum likelihood. "weak" for data that leave a parameter without a finite
        estimate or the population without a finite mean: p and q ~ Gamma(1/2, 1/100), and the
        population's mean spend lies within some 10 % of the mean that was observed.

    Attributes
    ----------
    params_ : GammaGammaParams
        p, q, v.
    standard_errors_ : GammaGammaParams
        From the exact Hessian; NaN where the fit did not converge.
    covariance_ : pandas.DataFrame
        Of the parameters.
    log_likelihood_ : float
        Total, with money in the data's own unit.
    n_customers_ : int or float
        Customers fitted; the sum of weights.
    n_left_out_ : int or float
        Customers with a repeat purchase and `monetary_value` <= 0.
    converged_ : bool
        False where the data leave a parameter without a finite estimate.
    diagnosis_ : str
        What is wrong with the fit and what to do, also for a converged q <= 1, where the mean
        spend of the population is infinite; else empty.

    References
    ----------
    .. [1] Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value,
       http://www.brucehardie.com/notes/025/
    """

    params_: GammaGammaParams
    standard_errors_: GammaGammaParams
    n_left_out_: float
    params_type = GammaGammaParams
    weak_prior = WEAK_PRIOR

    def __init__(self, prior: PriorName = None) -> None:
        self.prior = prior

    def fit(self, rfm: Any, weights: Weights = None) -> Self:
        """Learn p, q, v from one row per customer.

        Parameters
        ----------
        rfm
            `customer_id`, `frequency` and `monetary_value`, the mean spend per repeat purchase.
        weights
            How many customers each row stands for; `customer_id` is then optional.

        Raises
        ------
        DataError
            If a value cannot be, or no customer has a repeat purchase with positive spend.
        """
        table = read_rfm(rfm, SPEND, may_lack_customers=weights is not None)
        count = read_weights(weights, table.customer_id)
        repeats = table.frequency > 0
        fitted = np.flatnonzero(repeats & (table.monetary_value > 0) & (count > 0))
        _check_spend(fitted, repeats)
        x, mean, n = table.frequency[fitted], table.monetary_value[fitted], count[fitted]
        scale = float(np.sum(n * mean) / n.sum())
        mean /= scale
        optimum = self._maximise(x, mean, n)
        unit = DataUnit(np.array([1.0, 1.0, scale]), -float(n.sum()) * float(np.log(scale)))
        problem = "" if self._has_peak(optimum) else _no_peak(optimum, mean, n)
        self._learn(optimum, float(n.sum()), unit, problem)
        self.diagnosis_ = self.diagnosis_ or _infinite_mean(self.params_.q)
        self.n_left_out_ = whole(float(count[repeats & (table.monetary_value <= 0)].sum()))
        self.data_digest_ = rows_digest(x, mean, n)
        return self

    def _maximise(self, x: FloatArray, mean: FloatArray, n: FloatArray) -> Optimum:
        """From where every tenth of many customers lead, which saves most steps over all."""
        start = np.log([2.0, 3.0, 1.0])
        passes = ((TENTH, ROUGH), (1, GRADIENT_TOLERANCE))
        for every, tolerance in passes[len(x) < MANY :]:
            some = GammaGammaLikelihood(x[::every], mean[::every], n[::every])
            objective = self._objective(some, float(n[::every].sum()))
            optimum = maximise(objective, start, tolerance)
            if self._has_peak(optimum):
                start = optimum.log_params
        return optimum

    def expected_spend(self, rfm: Any) -> "pd.Series[Any]":
        """Expected spend per future purchase, in the currency of `monetary_value` (eq. 5).

        The population's mean for customers without a repeat purchase; a mean below 0 counts as 0.

        Raises
        ------
        DataError
            If a value cannot be, or q <= 1, where the population's mean is infinite.
        """
        check_is_fitted(self, "params_")
        table = read_rfm(rfm, SPEND)
        return table.series(self._expected(table), "expected_spend")

    def _expected(self, table: Rfm) -> FloatArray:
        from patronage.models.gammagamma_kernels import expected_spend

        if self.params_.q <= 1:
            raise DataError(_infinite_mean(self.params_.q))
        spend: FloatArray = expected_spend(table.frequency, table.monetary_value, *self.params_)
        return spend

    def expected_spend_new_customer(self) -> float:
        """Expected spend per purchase of a customer without history: p v / (q - 1)."""
        check_is_fitted(self, "params_")
        p, q, v = self.params_
        if q <= 1:
            raise DataError(_infinite_mean(q))
        return p * v / (q - 1)

    def _be_certain(self) -> None:
        super()._be_certain()
        self.n_left_out_ = 0

    def to_dict(self) -> dict[str, Any]:
        """Everything that was learned, as plain values ready for JSON."""
        return super().to_dict() | {"n_left_out": self.n_left_out_}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Rebuild a fitted model from `to_dict()`."""
        model = super().from_dict(saved)
        model.n_left_out_ = saved["n_left_out"]
        return model


def _check_spend(fitted: NDArray[np.intp], repeats: NDArray[np.bool_]) -> None:
    if not len(fitted):
        raise DataError(
            f"monetary_value is positive for 0 of the {int(repeats.sum()):,} customers with a "
            f"repeat purchase, out of {len(repeats):,}: spend per purchase cannot be estimated. "
            "Take a longer history, or check that monetary_value is the mean repeat spend."
        )


def _no_peak(optimum: Optimum, mean: FloatArray, n: FloatArray) -> str:
    p, q, _ = np.exp(optimum.log_params)
    cause = "the likelihood has no clear peak"
    if p > EXTREME:
        cause = "each customer always spends the same (p -> infinity)"
    elif q > EXTREME:
        cause = "customers do not differ in mean spend (q and v -> infinity)"
    elif abs(q - 1) < 1 / EXTREME:
        times = mean.max() / np.median(mean)
        cause = (
            f"the largest monetary_value is {times:.3g} times the median, so that the population's "
            "mean is all but infinite (q -> 1). Cap monetary_value at a high quantile, or leave "
            "out the few buyers of another kind"
        )
    return (
        f"The best estimate of Gamma-Gamma lies at a limit on these {n.sum():,.10g} customers with "
        f"a repeat purchase: {cause}. Predictions are those of this limit; it has no standard "
        "errors. Check that monetary_value is the mean spend per repeat purchase."
    )


def _infinite_mean(q: float) -> str:
    if q > 1:
        return ""
    return (
        f"Gamma-Gamma's q = {q:.4g} <= 1: mean spend varies so much between customers that the "
        "population's mean is infinite. Cap monetary_value at a high quantile, or leave out the "
        "few buyers of another kind (resellers, corporate accounts)."
    )
