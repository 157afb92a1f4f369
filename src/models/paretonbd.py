"""Pareto/NBD: purchases until a customer silently leaves, at any moment."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from patronage.errors import SettingsError
from patronage.models import paretonbd_quantities as quantities
from patronage.models.active_traits import ActiveTraits
from patronage.models.arguments import check_count
from patronage.models.betageo_family import check_repeats
from patronage.models.covariates import (
    CovariateCoding,
    CovariateRfm,
    aligned,
    scaled,
    with_covariates,
)
from patronage.models.groups import TimingGroups, distinct_rows, rows_digest, timing_groups
from patronage.models.likelihood_model import DataUnit
from patronage.models.paretonbd_draws import draw
from patronage.models.paretonbd_fit import (
    Sets,
    best_fit,
    covariate_groups,
    diagnosis,
    four_parameters,
    unscaled,
)
from patronage.models.paretonbd_prior import WEAK_PRIOR
from patronage.models.paretonbd_quantities import Active, ParetoNBDParams
from patronage.models.prior import PriorName
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import (
    FloatArray,
    Rfm,
    Weights,
    read_rfm,
    read_table,
    read_weights,
)

KINDS = ("purchases", "leaving")
"""What covariates have an effect on."""


class ParetoNBDModel(PurchaseModel):
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
    covariates_: CovariateCoding | None
    effects_: pd.DataFrame
    params_type = ParetoNBDParams
    weak_prior = WEAK_PRIOR

    def __init__(self, prior: PriorName = None) -> None:
        self.prior = prior

    def fit(self, rfm: Any, weights: Weights = None, covariates: Any = None) -> Self:
        """Learn r, alpha, s, beta, and the effects of covariates, from one row per customer.

        Parameters
        ----------
        rfm
            `customer_id`, `frequency`, `recency`, `T`, the latter two in one time unit.
        weights
            How many customers each row stands for; `customer_id` is then optional.
        covariates
            One row per customer with `customer_id` (a column, or the pandas index) and the
            attributes to use: numbers, yes/no, text or categories. Predictions then look for
            columns of these names in the table they are given.

        Raises
        ------
        DataError
            If a value cannot be, a covariate cannot be used, or no customer has a repeat purchase
            and there is no prior.
        """
        table = read_rfm(rfm, may_lack_customers=weights is not None)
        counted = read_weights(weights, table.customer_id)
        if covariates is None:
            self.covariates_ = None
            self._fit_plain(timing_groups(table, counted))
        else:
            frame = aligned(covariates, table.customer_id)
            self.covariates_ = CovariateCoding.learn(frame)
            values = self.covariates_.code(frame)
            self._fit_effects(with_covariates(table, values), counted, self.covariates_.columns)
        return self

    def for_covariates(self, **values: Any) -> "ParetoNBDModel":
        """The model of customers with these covariates, as one without covariates.

        It answers for new customers, draws them and gives intervals; its log-likelihood and
        number of customers are those of the whole fit.

        Raises
        ------
        DataError
            If a covariate is missing or has a level no fitted customer had.
        """
        check_is_fitted(self, "params_")
        if self.covariates_ is None:
            raise SettingsError("This model was fitted without covariates: use it as it is.")
        table = pd.DataFrame({name: [value] for name, value in values.items()})
        (z,) = self.covariates_.code(read_table(table))
        turn = np.hstack([np.eye(4), np.zeros((4, 2 * len(z)))])
        turn[1, 4 : 4 + len(z)] = turn[3, 4 + len(z) :] = -z
        factor = np.append(self.params_, np.ones(2 * len(z)))
        log_params = np.append(np.log(self.params_), self._effects().T)
        spread = turn @ (self.covariance_.to_numpy() / np.outer(factor, factor)) @ turn.T
        params = np.exp(turn @ log_params)
        model: ParetoNBDModel = clone(self)
        model.__dict__.update(vars(self))
        model.params_ = ParetoNBDParams(*map(float, params))
        model.covariates_ = None
        model._set_effects((), spread * np.outer(params, params), np.empty(0))
        return model

    def predict_purchases(
        self, rfm: Any, horizon: float, interval: float = 0.9, seed: int = 0
    ) -> pd.DataFrame:
        """As for every purchase model; with covariates, of `for_covariates` only."""
        check_is_fitted(self, "params_")
        self._refuse_covariates("An interval per customer")
        return super().predict_purchases(rfm, horizon, interval, seed)

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

    def to_dict(self) -> dict[str, Any]:
        """Everything that was learned, as plain values ready for JSON."""
        saved = super().to_dict()
        if self.covariates_ is not None:
            saved["covariates"] = self.covariates_.to_list()
            saved["effects"] = self._effects().T.tolist()
        return saved

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Rebuild a fitted model from `to_dict()`.

        Raises
        ------
        DataError
            If `saved` is of another model or of a format this version does not know.
        """
        stored, names = saved.get("covariance"), saved.get("covariates")
        effects = np.array(saved.get("effects", [])).ravel()
        size = 4 + len(effects)
        covariance = np.full((size, size), np.nan) if stored is None else np.array(stored)
        four = None if stored is None else covariance[:4, :4].tolist()
        model = super().from_dict({**saved, "covariance": four})
        model.covariates_ = None if names is None else CovariateCoding.from_list(names)
        columns = () if model.covariates_ is None else model.covariates_.columns
        model._set_effects(columns, covariance, effects)
        return model

    def _profile(self, data: Any, weights: Weights, level: float) -> FloatArray:
        if self.covariates_ is not None:
            raise SettingsError(
                'method="profile" is not offered for a model with covariates; use "delta".'
            )
        return super()._profile(data, weights, level)

    def _fit_plain(self, groups: TimingGroups) -> None:
        if self.prior is None:
            check_repeats(groups)
        optimum = best_fit(groups, self._objective)
        cause = "" if self._has_peak(optimum) else diagnosis(optimum, groups)
        self._learn(optimum, groups.customers, _unit(groups), cause)
        self._set_effects((), self.covariance_.to_numpy(), np.empty(0))
        self.data_digest_ = groups.digest()

    def _fit_effects(
        self, table: CovariateRfm, weights: FloatArray, names: tuple[str, ...]
    ) -> None:
        scaling = scaled(table.covariates, weights, names)
        groups, sets = covariate_groups(table, weights, scaling.values)
        if self.prior is None:
            check_repeats(groups)
        found = best_fit(groups, self._objective, sets)
        cause = "" if self._has_peak(found) else diagnosis(found, groups, names, sets)
        unit = _unit(groups)
        self._learn(four_parameters(found), groups.customers, unit, cause)
        optimum = unscaled(found, scaling, names)
        self.params_ = ParetoNBDParams(*map(float, np.exp(optimum.log_params[:4]) * unit.factor))
        factor = np.append(self.params_, np.ones(2 * len(names)))
        covariance = np.full(2 * factor.shape, np.nan)
        if not cause:
            inverse = np.linalg.inv(-groups.customers * optimum.at.hessian)
            covariance[:] = inverse * np.outer(factor, factor)
        self._set_effects(names, covariance, optimum.log_params[4:])
        self.data_digest_ = _digest(groups, sets)

    def _set_effects(
        self, names: tuple[str, ...], covariance: FloatArray, effects: FloatArray
    ) -> None:
        labels = [*ParetoNBDParams._fields, *(f"{kind}:{name}" for kind in KINDS for name in names)]
        errors = np.sqrt(np.diag(covariance))
        self.covariance_ = pd.DataFrame(covariance, labels, labels)
        self.standard_errors_ = ParetoNBDParams(*map(float, errors[:4]))
        columns = np.vstack([np.reshape(effects, (2, -1)), np.reshape(errors[4:], (2, -1))]).T
        index = pd.Index(names, name="covariate", dtype=object)
        self.effects_ = pd.DataFrame(columns, index, [*KINDS, *(f"{kind}_se" for kind in KINDS)])

    def _effects(self) -> FloatArray:
        """Of each coded covariate on the purchase rate and on the rate of leaving: shape (n, 2)."""
        effects: FloatArray = self.effects_[list(KINDS)].to_numpy()
        return effects

    def _read(self, rfm: Any) -> Rfm:
        table = super()._read(rfm)
        if self.covariates_ is None:
            return table
        return with_covariates(table, self.covariates_.code(read_table(rfm)))

    def _newcomer(self) -> Rfm:
        self._refuse_covariates("A question about new customers")
        return super()._newcomer()

    def _active_traits(self) -> ActiveTraits:
        self._refuse_covariates("An interval per customer")
        r, alpha, s, beta = self.params_
        return ActiveTraits(r, alpha, 0.0, 0.0, s, beta)

    def _refuse_covariates(self, what: str) -> None:
        if self.covariates_ is not None:
            names = ", ".join(f"{each.name}=..." for each in self.covariates_.attributes)
            raise SettingsError(
                f"{what} needs to know which customers are meant: this model has covariates. Ask "
                f"model.for_covariates({names})."
            )

    def _scales(self, table: Rfm) -> tuple[FloatArray, FloatArray]:
        """The scales alpha and beta of each customer."""
        _, alpha, _, beta = self.params_
        if not isinstance(table, CovariateRfm):
            return np.full_like(table.T, alpha), np.full_like(table.T, beta)
        shift = table.covariates @ self._effects()
        return np.exp(np.log(alpha) - shift[:, 0]), np.exp(np.log(beta) - shift[:, 1])

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


def _unit(groups: TimingGroups) -> DataUnit:
    """Time was in units of the longest T."""
    return DataUnit(
        np.array([1.0, groups.scale, 1.0, groups.scale]),
        -float(np.sum(groups.weight * groups.frequency) * np.log(groups.scale)),
    )


def _digest(groups: TimingGroups, sets: Sets) -> str:
    covariates = sets.covariates[sets.label].T
    return rows_digest(groups.frequency, groups.recency, groups.T, groups.weight, *covariates)
