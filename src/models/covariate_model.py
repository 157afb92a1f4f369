"""What purchase models with covariates share: the fit of the effects, and who is meant."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from patronage.errors import SettingsError
from patronage.models.betageo_family import check_repeats
from patronage.models.covariate_effects import (
    Sets,
    covariate_groups,
    four_parameters,
    unscaled,
)
from patronage.models.covariates import (
    CovariateCoding,
    CovariateRfm,
    aligned,
    scaled,
    with_covariates,
)
from patronage.models.fitting import Optimum
from patronage.models.groups import TimingGroups, rows_digest, timing_groups
from patronage.models.likelihood_model import DataUnit
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import (
    TIMING,
    FloatArray,
    Rfm,
    Weights,
    read_rfm,
    read_table,
    read_weights,
)


class CovariateModel(PurchaseModel):
    """A model with four parameters, of which the second and the fourth differ with covariates.

    Of a customer with covariates z they are exp(-z @ effects) of what they are where z is 0, with
    effects of their own for each of the two.
    """

    effect_kinds: ClassVar[tuple[str, str]]
    """What the effects on the second and on the fourth parameter are called."""
    covariates_: CovariateCoding | None = None
    effects_: pd.DataFrame

    def fit(self, rfm: Any, weights: Weights = None, covariates: Any = None) -> Self:
        """Learn the parameters, and the effects of covariates, from one row per customer.

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
            self._fit_without(timing_groups(table, counted))
        else:
            frame = aligned(covariates, table.customer_id)
            self.covariates_ = CovariateCoding.learn(frame)
            values = self.covariates_.code(frame)
            self._fit_effects(with_covariates(table, values), counted, self.covariates_.columns)
        return self

    def for_covariates(self, **values: Any) -> Self:
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
        model: Self = clone(self)
        model.__dict__.update(vars(self))
        model.params_ = self.params_type(*map(float, params))
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

    @abstractmethod
    def _fit_plain(self, groups: TimingGroups) -> None:
        """Learn everything without covariates."""

    @abstractmethod
    def _best_fit(self, groups: TimingGroups, sets: Sets | None = None) -> Optimum:
        """Where the objective is largest."""

    @abstractmethod
    def _unit(self, groups: TimingGroups) -> DataUnit:
        """How the fit's parameters relate to those in the data's unit."""

    @abstractmethod
    def _why_not(
        self, optimum: Optimum, groups: TimingGroups, names: tuple[str, ...], sets: Sets
    ) -> str:
        """Why there is no finite best estimate."""

    def _fit_without(self, groups: TimingGroups) -> None:
        if self.prior is None:
            check_repeats(groups)
        self.covariates_ = None
        self._fit_plain(groups)
        self._set_effects((), self.covariance_.to_numpy(), np.empty(0))

    def _fit_effects(
        self, table: CovariateRfm, weights: FloatArray, names: tuple[str, ...]
    ) -> None:
        scaling = scaled(table.covariates, weights, names)
        groups, sets = covariate_groups(table, weights, scaling.values)
        if self.prior is None:
            check_repeats(groups)
        found = self._best_fit(groups, sets)
        cause = "" if self._has_peak(found) else self._why_not(found, groups, names, sets)
        unit = self._unit(groups)
        self._learn(four_parameters(found), groups.customers, unit, cause)
        optimum = unscaled(found, scaling, names)
        self.params_ = self.params_type(*map(float, np.exp(optimum.log_params[:4]) * unit.factor))
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
        labels = [
            *self.params_type._fields,
            *(f"{kind}:{name}" for kind in self.effect_kinds for name in names),
        ]
        errors = np.sqrt(np.diag(covariance))
        self.covariance_ = pd.DataFrame(covariance, labels, labels)
        self.standard_errors_ = self.params_type(*map(float, errors[:4]))
        columns = np.vstack([np.reshape(effects, (2, -1)), np.reshape(errors[4:], (2, -1))]).T
        index = pd.Index(names, name="covariate", dtype=object)
        self.effects_ = pd.DataFrame(
            columns, index, [*self.effect_kinds, *(f"{kind}_se" for kind in self.effect_kinds)]
        )

    def _effects(self) -> FloatArray:
        """Of each coded covariate, by kind: shape (n, 2)."""
        effects: FloatArray = self.effects_[list(self.effect_kinds)].to_numpy()
        return effects

    def _read(self, rfm: Any, columns: Sequence[str] = TIMING) -> Rfm:
        table = super()._read(rfm, columns)
        if self.covariates_ is None:
            return table
        return with_covariates(table, self.covariates_.code(read_table(rfm)))

    def _newcomer(self) -> Rfm:
        self._refuse_covariates("A question about new customers")
        return super()._newcomer()

    def _refuse_covariates(self, what: str) -> None:
        if self.covariates_ is not None:
            names = ", ".join(f"{each.name}=..." for each in self.covariates_.attributes)
            raise SettingsError(
                f"{what} needs to know which customers are meant: this model has covariates. Ask "
                f"model.for_covariates({names})."
            )

    def _scales(self, table: Rfm) -> tuple[FloatArray, FloatArray]:
        """The second and the fourth parameter of each customer."""
        _, first, _, second = self.params_
        if not isinstance(table, CovariateRfm):
            return np.full_like(table.T, first), np.full_like(table.T, second)
        shift = table.covariates @ self._effects()
        return np.exp(np.log(first) - shift[:, 0]), np.exp(np.log(second) - shift[:, 1])


def _digest(groups: TimingGroups, sets: Sets) -> str:
    covariates = sets.covariates[sets.label].T
    return rows_digest(groups.frequency, groups.recency, groups.T, groups.weight, *covariates)
