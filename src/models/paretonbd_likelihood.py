"""Log-likelihood of the Pareto/NBD with exact gradient and Hessian by the log-parameters."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.covariate_effects import (
    FARTHEST,
    add_gamma,
    by_estimated,
    designs,
    nowhere,
    own_parameters,
    reached_share,
)
from patronage.models.fitting import Evaluation
from patronage.models.groups import TimingGroups, distinct_rows
from patronage.models.rfm_input import FloatArray


class Chains(NamedTuple):
    """Customers that share a frequency and a set of covariates, and the times that occur there."""

    time: FloatArray
    offsets: NDArray[np.int64]
    """Chain c owns the ascending times offsets[c] to offsets[c + 1] - 1."""
    frequency: FloatArray
    label: NDArray[np.intp]
    """Which set of covariates a chain has."""
    chain: NDArray[np.int64]
    last: NDArray[np.int64]
    end: NDArray[np.int64]
    """For each row its chain, and the places of its recency and its T among the times."""


def chains(
    frequency: FloatArray, recency: FloatArray, T: FloatArray, label: NDArray[np.intp]
) -> Chains:
    """Sort the times of each chain and find every row's place in them."""
    distinct = distinct_rows(frequency, label.astype(np.float64))
    count = len(distinct.first)
    both = np.concatenate([recency, T])
    time_code, times = pd.factorize(both, sort=True)
    code = np.concatenate([distinct.codes, distinct.codes]) * len(times) + time_code
    place, found = pd.factorize(code, sort=True)
    offsets = np.searchsorted(found, np.arange(count + 1) * len(times)).astype(np.int64)
    rows = len(recency)
    return Chains(
        np.ascontiguousarray(times[found % len(times)]),
        offsets,
        frequency[distinct.first],
        label[distinct.first],
        distinct.codes.astype(np.int64),
        place[:rows].astype(np.int64),
        place[rows:].astype(np.int64),
    )


class ParetoNBDLikelihood:
    """Mean log-likelihood per customer of (ln r, ln alpha, ln s, ln beta, effects) [1]_.

    With covariates z, a customer has ln alpha - z @ (effects on purchases) and ln beta - z @
    (effects on leaving), in this order after the four.

    Parameters
    ----------
    groups
        Distinct customers and their counts.
    label
        Which row of `covariates` each group has.
    covariates
        Sets of covariates, shape (sets, covariates); none by default.

    References
    ----------
    .. [1] Schmittlein, Morrison & Colombo (1987), Management Science 33(1); the effects as in Fader
       & Hardie (2007), Incorporating Time-Invariant Covariates into the Pareto/NBD and BG/NBD.
    """

    def __init__(
        self,
        groups: TimingGroups,
        label: NDArray[np.intp] | None = None,
        covariates: FloatArray | None = None,
    ) -> None:
        label = np.zeros(len(groups.T), dtype=np.intp) if label is None else label
        covariates = np.empty((1, 0)) if covariates is None else covariates
        self.designs = designs(covariates)
        self.share = groups.weight / groups.weight.sum()
        self.chains = chains(groups.frequency, groups.recency, groups.T, label)
        self.later = reached_share(groups.frequency, self.share)

    def __call__(self, params: FloatArray) -> Evaluation:
        """Value, gradient and Hessian."""
        own = own_parameters(params, self.designs)
        if not np.abs(own).max() < FARTHEST:
            return nowhere(len(params))
        sums = self._sums(own)
        value = float(sums[:, 0].sum()) + add_gamma(params[0], self.later, sums)
        by_set = np.zeros((len(own), sums.shape[1]))
        np.add.at(by_set, self.chains.label, sums)
        return by_estimated(value, by_set, self.designs, len(params))

    def _sums(self, own: FloatArray) -> FloatArray:
        from patronage.models.paretonbd_tables import leaving_tables, likelihood_sums

        at = self.chains
        r, s = float(np.exp(own[0, 0])), float(np.exp(own[0, 2]))
        alpha, beta = np.exp(own[at.label, 1]), np.exp(own[at.label, 3])
        table = leaving_tables(at.time, at.offsets, at.frequency, r, alpha, s, beta)
        rows = (at.chain, at.last, at.end, self.share, at.frequency)
        return likelihood_sums(table, *rows, r, alpha, s)
