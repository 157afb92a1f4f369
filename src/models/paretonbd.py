"""Pareto/NBD: purchases until a customer silently leaves, at any moment."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from patronage.models import paretonbd_quantities as quantities
from patronage.models.active_traits import ActiveTraits
from patronage.models.arguments import check_count
from patronage.models.covariate_effects import Sets
from patronage.models.covariate_model import CovariateModel
from patronage.models.covariates import CovariateRfm
from patronage.models.fitting import Optimum
from patronage.models.groups import TimingGroups, distinct_rows
from patronage.models.likelihood_model import DataUnit
from patronage.models.paretonbd_draws import draw
from patronage.models.paretonbd_fit import (
    best_fit,
    diagnosis,
)
from patronage.models.paretonbd_prior import WEAK_PRIOR
from patronage.models.paretonbd_quantities import Active, ParetoNBDParams
from patronage.models.rfm_input import (
    FloatArray,
    Rfm,
)


class ParetoNBDModel(CovariateModel):
    """Pareto / negative binomial model of repeat purchases [1]_.

    While active, a customer buys at random with a rate of her own, lambda ~ Gamma(r, rate alpha);
    she leaves at a moment of her own, at rate mu ~ Gamma(s, rate beta). Covariates z that do not
    change over time multiply the two rates of a customer by exp(z @ effects) [2]_: her scales are
    alpha exp(-z @ effects on purchases) and beta exp(-z @ effects on leaving).

    Parameters
    ----------
    prior
        None for maximum likelihood. "weak" for data that leave a parameter without a finite
        estimate: of the purchase rate and of the rate of leaving, times the longest T, the mean is
        lognormal around 1 with spread 3, and the coefficient of variation around 1 with spread 1
        (spreads of the logarithm); with covariates, of a customer whose covariates are average.
        `log_likelihood_` is still that of the data.
    covariates
        Columns of the customer table that the rates may differ by, e.g. ["age", "channel"]; None
        for a model without, or for those of a table given to `fit`.

    Attributes
    ----------
    params_ : ParetoNBDParams
        r, alpha, s, beta; alpha and beta in the data's time unit, and those of a customer whose
        covariates are all 0.
    standard_errors_ : ParetoNBDParams
        From the exact Hessian; NaN where the fit did not converge.
    covariance_ : pandas.DataFrame
        Of the parameters and, after them, the effects: "purchases:age", "leaving:age".
    covariates_ : CovariateCoding or None
        How covariates become numbers.
    effects_ : pandas.DataFrame
        For each coded covariate, per unit of it: `purchases`, the effect on the logarithm of the
        purchase rate, and `leaving`, on that of the rate of leaving, with their standard errors
        `purchases_se` and `leaving_se`. Empty without covariates.
    log_likelihood_ : float
        Total, with time in the data's own unit.
    n_customers_ : int or float
        Customers fitted; the sum of weights.
    converged_ : bool
        False where the data leave a parameter without a finite estimate; `diagnosis_` says why and
        what to do. Predictions are then those of the limiting model.
    diagnosis_ : str
        Empty where the fit converged; with a prior, what it says more about than the data.

    References
    ----------
    .. [1] Schmittlein, Morrison & Colombo (1987), Counting Your Customers: Who Are They and What
       Will They Do Next?, Management Science 33(1).
    .. [2] Fader & Hardie (2007), Incorporating Time-Invariant Covariates into the Pareto/NBD and
       BG/NBD Models.
    """

    params_: ParetoNBDParams
    standard_errors_: ParetoNBDParams
    params_type = ParetoNBDParams
    weak_prior = WEAK_PRIOR
    effect_kinds = ("purchases", "leaving")

    def draw_customers(self, n: int, T: ArrayLike, rng: np.random.Generator) -> pd.DataFrame:
        """Simulate `n` customers observed for `T` after their first purchase.

        Parameters
        ----------
        n
            How many.
        T
            A number, or one for each customer.
        rng
            Source of chance.

        Returns
        -------
        DataFrame
            `customer_id`, `frequency`, `recency`, `T`, and the truth about each: `rate`, purchases
            per time unit while active; `leaving_rate`; `lifetime`, the time from the first purchase
            until she leaves; `active`, whether she still is at T.
        """
        check_is_fitted(self, "params_")
        self._refuse_covariates("draw_customers")
        return draw(self.params_, check_count("n", n, least=1), T, rng)

    def _fit_plain(self, groups: TimingGroups) -> None:
        optimum = self._best_fit(groups)
        cause = "" if self._has_peak(optimum) else diagnosis(optimum, groups)
        self._learn(optimum, groups.customers, self._unit(groups), cause)
        self.data_digest_ = groups.digest()

    def _best_fit(self, groups: TimingGroups, sets: Sets | None = None) -> Optimum:
        return best_fit(groups, self._objective, sets, self._start_near(self._unit(groups).factor))

    def _unit(self, groups: TimingGroups) -> DataUnit:
        """Time was in units of the longest T."""
        return DataUnit(
            np.array([1.0, groups.scale, 1.0, groups.scale]),
            -float(np.sum(groups.weight * groups.frequency) * np.log(groups.scale)),
        )

    def _why_not(
        self, optimum: Optimum, groups: TimingGroups, names: tuple[str, ...], sets: Sets
    ) -> str:
        return diagnosis(optimum, groups, names, sets)

    def _time_slopes(self, table: Rfm) -> tuple[FloatArray, FloatArray]:
        # T matters to who is active then, recency to who left right after the last purchase.
        r, alpha, s, beta = self.params_
        x, t_x, T = table.frequency, table.recency, table.T
        quiet = T - t_x
        left = (r + x) * np.log1p(quiet / (alpha + t_x)) + s * np.log1p(quiet / (beta + t_x))
        log_alive = -np.logaddexp(0, self._log_odds_inactive(table))
        by_recency = -np.exp(log_alive + left) * s / (beta + t_x)
        return by_recency, -np.exp(log_alive) * (r + x) / (alpha + T)

    def _active_traits(self, table: Rfm) -> ActiveTraits:
        r, alpha, s, beta = self.params_
        if isinstance(table, CovariateRfm):
            alphas, betas = self._scales(table)
            return ActiveTraits(r, alphas, 0.0, 0.0, s, betas)
        return ActiveTraits(r, alpha, 0.0, 0.0, s, beta)

    def _at(self, table: Rfm, time: FloatArray) -> Active:
        alpha, beta = self._scales(table)
        return Active(self.params_.r + table.frequency, alpha + time, self.params_.s, beta + time)

    def _log_odds_inactive(self, table: Rfm) -> FloatArray:
        at_last, gap = self._at(table, table.recency), table.T - table.recency
        return quantities.log_odds_inactive(at_last, gap)

    def _stays(self, table: Rfm, after: float) -> FloatArray:
        return quantities.stays(self._at(table, table.T), after)

    def _purchases(self, table: Rfm, horizon: float) -> FloatArray:
        return quantities.purchases(self._at(table, table.T), horizon)

    def _no_purchase(self, table: Rfm, horizon: float, lead: float) -> FloatArray:
        return self._if_active(table, quantities.no_purchase, horizon, lead)

    def _counts(self, table: Rfm, horizon: float, counts: int) -> FloatArray:
        return self._if_active(table, quantities.counts, horizon, counts)

    def _wait(self, table: Rfm, share: float) -> FloatArray:
        return self._if_active(table, quantities.wait, share)

    def _discounted_if_active(self, table: Rfm, horizon: float, rate: float) -> FloatArray:
        return self._if_active(table, quantities.discounted_purchases, horizon, rate)

    def _if_active(self, table: Rfm, quantity: Any, *arguments: float) -> FloatArray:
        """Given an active customer recency does not matter: work each distinct history once."""
        active = self._at(table, table.T)
        distinct = distinct_rows(active.k, active.a, active.b)
        values: FloatArray = quantity(_take(active, distinct.first), *arguments)
        return values[distinct.codes]


def _take(active: Active, rows: Any) -> Active:
    return Active(active.k[rows], active.a[rows], active.s, active.b[rows])
