"""BG/NBD and MBG/NBD with covariates."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from patronage.models import betageo_quantities as quantities
from patronage.models.active_traits import ActiveTraits
from patronage.models.betageo_family import BetaGeoFamily, diagnosis
from patronage.models.betageo_quantities import Active
from patronage.models.covariate_effects import (
    FARTHEST,
    Sets,
    add_gamma,
    by_estimated,
    designs,
    nowhere,
    own_parameters,
    reached_share,
    unbounded,
    without_covariates,
)
from patronage.models.covariate_model import CovariateModel
from patronage.models.covariates import CovariateRfm
from patronage.models.fitting import Evaluation, Optimum, maximise
from patronage.models.groups import TimingGroups, distinct_rows
from patronage.models.likelihood_model import DataUnit
from patronage.models.rfm_input import FloatArray, Rfm


class CovariateBetaGeoLikelihood:
    """Mean log-likelihood per customer of (ln r, ln alpha, ln a, ln b, effects) [1]_.

    A customer with covariates z has ln alpha - z @ (effects on purchases) and ln b - z @ (effects
    on dropout), in this order after the four.

    References
    ----------
    .. [1] Fader & Hardie (2007), Incorporating Time-Invariant Covariates into the Pareto/NBD and
       BG/NBD Models, with one list of effects on dropout.
    """

    def __init__(self, groups: TimingGroups, sets: Sets, *, leaves_at_first: bool = False) -> None:
        share, x = groups.weight / groups.weight.sum(), groups.frequency
        self.designs = designs(sets.covariates)
        self.later = reached_share(x, share)
        timing = (share, x, groups.recency, groups.T, x + leaves_at_first)
        self.share, self.x, self.t_x, self.T, self.chances = map(np.ascontiguousarray, timing)
        self.label = np.ascontiguousarray(sets.label, dtype=np.int64)

    def __call__(self, params: FloatArray) -> Evaluation:
        """Value, gradient and Hessian."""
        from patronage.models.betageo_covariate_kernels import set_sums

        own = own_parameters(params, self.designs)
        if not np.abs(own).max() < FARTHEST:
            return nowhere(len(params))
        r, alpha, a, b = np.ascontiguousarray(np.exp(own).T)
        timing = (self.x, self.t_x, self.T, self.chances)
        sums = set_sums(self.share, *timing, self.label, float(r[0]), alpha, float(a[0]), b)
        value = float(sums[:, 0].sum()) + add_gamma(params[0], self.later, sums)
        return by_estimated(value, sums, self.designs, len(params))


class CovariateBetaGeoFamily(CovariateModel, BetaGeoFamily):
    """The members that take covariates.

    Covariates z multiply a customer's purchase rate by exp(z @ effects on purchases), and the odds
    a / b of her mean dropout probability by exp(z @ effects on dropout): alpha and b are divided by
    these. A multiplier that a and b shared would leave the mean dropout where it is, so that only
    what changes a / b can be told from data; with b, the shape a stays common, as r does.
    """

    effect_kinds = ("purchases", "dropout")

    def draw_customers(self, n: int, T: ArrayLike, rng: np.random.Generator) -> pd.DataFrame:
        """As for all members; with covariates, of `for_covariates` only."""
        check_is_fitted(self, "params_")
        self._refuse_covariates("draw_customers")
        return super().draw_customers(n, T, rng)

    def _fit_plain(self, groups: TimingGroups) -> None:
        self._learn_from(self._maximise(groups), groups)

    def _best_fit(self, groups: TimingGroups, sets: Sets | None = None) -> Optimum:
        if sets is None:
            return self._maximise(groups)
        plain = self._maximise(without_covariates(groups))
        start = np.append(plain.log_params, np.zeros(2 * sets.covariates.shape[1]))
        likelihood = CovariateBetaGeoLikelihood(groups, sets, leaves_at_first=self.leaves_at_first)
        return maximise(self._objective(likelihood, groups.customers), start)

    def _unit(self, groups: TimingGroups) -> DataUnit:
        return self._data_unit(groups)

    def _why_not(
        self, optimum: Optimum, groups: TimingGroups, names: tuple[str, ...], sets: Sets
    ) -> str:
        return diagnosis(self.title, optimum, groups, unbounded(optimum, names, sets))

    def _active_traits(self, table: Rfm) -> ActiveTraits:
        traits = super()._active_traits(table)
        if not isinstance(table, CovariateRfm):
            return traits
        alpha, b = self._scales(table)
        return traits._replace(rate_time=alpha, dropout_b=b + self.leaves_at_first)

    def _active(self, table: Rfm) -> Active:
        if not isinstance(table, CovariateRfm):
            return super()._active(table)
        alpha, b = self._scales(table)
        shape = self.params_.r + table.frequency
        return Active(shape, alpha + table.T, self.params_.a, b + self._chances(table))

    def _log_odds_inactive(self, table: Rfm) -> FloatArray:
        if not isinstance(table, CovariateRfm):
            return super()._log_odds_inactive(table)
        alpha, b = self._scales(table)
        own = (self.params_.r, alpha, self.params_.a, b)
        x, t_x, T = table.frequency, table.recency, table.T
        return quantities.log_odds_inactive(own, x, t_x, T, self._chances(table))

    def _distinct_active(self, table: Rfm) -> tuple[Active, NDArray[np.intp]]:
        if not isinstance(table, CovariateRfm):
            return super()._distinct_active(table)
        shape, scale, a, b = self._active(table)
        distinct = distinct_rows(shape, scale, b)
        rows = distinct.first
        return Active(shape[rows], scale[rows], a, b[rows]), distinct.codes
