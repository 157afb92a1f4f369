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
    uncentred,
    unscaled,
)
from patronage.models.covariates import (
    CovariateCoding,
    CovariateRfm,
    aligned,
    chosen,
    scaled,
    with_covariates,
)
from patronage.models.fitting import Optimum
from patronage.models.groups import TimingGroups, rows_digest, timing_groups
from patronage.models.inference import Problem
from patronage.models.likelihood_model import DataUnit
from patronage.models.prior import PriorName
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
from patronage.models.saving import saved_covariance, saved_numbers


class CovariateModel(PurchaseModel):
    """A model with four parameters, of which the second and the fourth differ with covariates.

    Of a customer with covariates z they are exp(-z @ effects) of what they are where z is 0, with
    effects of their own for each of the two.
    """

    effect_kinds: ClassVar[tuple[str, str]]
    """What the effects on the second and on the fourth parameter are called."""
    prior: PriorName
    covariates: Sequence[str] | None
    covariates_: CovariateCoding | None = None
    effects_: pd.DataFrame

    def __init__(self, prior: PriorName = None, covariates: Sequence[str] | None = None) -> None:
        self.prior = prior
        self.covariates = covariates

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
            attributes to use: numbers, yes/no, text or categories; of them, those that the
            model's own `covariates` name, if it does. By default they are columns of `rfm`, where
            predictions look for them too.

        Raises
        ------
        DataError
            If a value cannot be, a covariate cannot be used, or no customer has a repeat purchase
            and there is no prior.
        """
        table = read_rfm(rfm, may_lack_customers=weights is not None)
        counted = read_weights(weights, table.customer_id)
        if covariates is None and self.covariates is None:
            self._fit_without(timing_groups(table, counted))
        else:
            given = (
                read_table(rfm) if covariates is None else aligned(covariates, table.customer_id)
            )
            frame = given if self.covariates is None else chosen(given, self.covariates)
            self.covariates_ = CovariateCoding.learn(frame)
            values = self.covariates_.code(frame)
            self._fit_effects(with_covariates(table, values), counted, self.covariates_.columns)
        return self

    def for_covariates(self, **values: Any) -> Self:
        """The model of customers with these covariates, as one without covariates.

        It answers for new customers and draws them; its log-likelihood and
        number of customers are those of the whole fit.

        Raises
        ------
        SettingsError
            If a covariate is not named, or one that is named is none of the model's.
        DataError
            If a covariate has a level no fitted customer had.
        """
        check_is_fitted(self, "params_")
        if self.covariates_ is None:
            raise SettingsError("This model was fitted without covariates: use it as it is.")
        wanted = [each.name for each in self.covariates_.attributes]
        if set(values) != set(wanted):
            raise SettingsError(
                f"for_covariates takes {', '.join(wanted)}, the covariates of the fit; given were "
                f"{', '.join(values) or 'none'}. Ask "
                f"model.for_covariates({', '.join(f'{name}=...' for name in wanted)})."
            )
        table = pd.DataFrame({name: [value] for name, value in values.items()})
        (z,) = self.covariates_.code(read_table(table))
        turn = np.hstack([np.eye(4), np.zeros((4, 2 * len(z)))])
        turn[1, 4 : 4 + len(z)] = turn[3, 4 + len(z) :] = -z
        estimates, covariance = self._estimates()
        spread, params = turn @ covariance @ turn.T, np.exp(turn @ estimates)
        model: Self = clone(self)
        model.__dict__.update(vars(self))
        model.params_ = self.params_type(*map(float, params))
        model.covariates_ = None
        model._set_effects((), spread * np.outer(params, params), np.empty(0))
        return model

    def _be_certain(self) -> None:
        super()._be_certain()
        self._set_effects((), self.covariance_.to_numpy(), np.empty(0))

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
        effects = saved_numbers("effects", saved.get("effects", [])).ravel()
        covariance = saved_covariance(stored, 4 + len(effects))
        four = None if stored is None else covariance[:4, :4].tolist()
        model = super().from_dict({**saved, "covariance": four})
        model.covariates_ = None if names is None else CovariateCoding.from_list(names)
        columns = () if model.covariates_ is None else model.covariates_.columns
        model._set_effects(columns, covariance, effects)
        return model

    def _twin(self) -> Self:
        twin = super()._twin()
        if self.covariates_ is not None:
            twin.covariates = [each.name for each in self.covariates_.attributes]
        return twin

    def _reported(self, estimates: FloatArray) -> FloatArray:
        return np.vstack([super()._reported(estimates[:4]), estimates[4:]])

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
        groups, given = covariate_groups(table, weights, table.covariates)
        sets = given._replace(covariates=(given.covariates - scaling.mean) / scaling.spread)
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
        self.data_digest_ = _digest(groups, given)
        if self._keeps_problem:
            shift = np.append(np.log(unit.factor), np.zeros(2 * len(names)))
            scale = np.concatenate([np.ones(4), 1 / scaling.spread, 1 / scaling.spread])
            problem = uncentred(found, scaling)
            self._problem = Problem(problem, groups.customers, shift, scale)

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

    def _estimates(self) -> tuple[FloatArray, FloatArray]:
        effects = self._effects().T.ravel()
        factor = np.append(self.params_, np.ones(len(effects)))
        covariance = self.covariance_.to_numpy() / np.outer(factor, factor)
        return np.append(np.log(self.params_), effects), covariance

    def _with_estimates(self, estimates: FloatArray) -> Self:
        other = super()._with_estimates(estimates[:4])
        effects = estimates[4:].reshape(2, -1).T
        other.effects_ = pd.DataFrame(effects, self.effects_.index, list(self.effect_kinds))
        return other

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
