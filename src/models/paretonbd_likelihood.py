"""Log-likelihood of the Pareto/NBD with exact gradient and Hessian by the log-parameters."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.fitting import Evaluation
from patronage.models.groups import TimingGroups, distinct_rows
from patronage.models.rfm_input import FloatArray

FARTHEST = 250.0
"""Log-parameters beyond this are refused, so that their products stay finite."""
SECOND = np.array([[5, 6, 7, 8], [6, 9, 10, 11], [7, 10, 12, 13], [8, 11, 13, 14]])
"""Where a table keeps the second derivatives by each two of the four log-parameters."""


class Design(NamedTuple):
    """How one of a customer's four log-parameters follows from those that are estimated."""

    places: NDArray[np.intp]
    rows: FloatArray
    """One row per set of covariates."""


def _designs(covariates: FloatArray) -> list[Design]:
    sets, count = covariates.shape
    one = np.ones((sets, 1))
    shifted = np.hstack([one, -covariates])
    effects = 4 + np.arange(2 * count).reshape(2, count)
    return [
        Design(np.array([0]), one),
        Design(np.append(1, effects[0]), shifted),
        Design(np.array([2]), one),
        Design(np.append(3, effects[1]), shifted),
    ]


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
        self.designs = _designs(covariates)
        self.share = groups.weight / groups.weight.sum()
        self.chains = chains(groups.frequency, groups.recency, groups.T, label)
        self.later = reached_share(groups.frequency, self.share)
        self.earlier = np.arange(len(self.later), dtype=np.float64)

    def __call__(self, params: FloatArray) -> Evaluation:
        """Value, gradient and Hessian."""
        own = np.column_stack([each.rows @ params[each.places] for each in self.designs])
        if not np.abs(own).max() < FARTHEST:
            return _nowhere(len(params))
        sums = self._sums(own)
        value = float(sums[:, 0].sum()) + self._add_gamma(params[0], sums)
        by_set = np.zeros((len(own), sums.shape[1]))
        np.add.at(by_set, self.chains.label, sums)
        gradient, hessian = np.zeros(len(params)), np.zeros((len(params), len(params)))
        for i, one in enumerate(self.designs):
            gradient[one.places] = by_set[:, 1 + i] @ one.rows
            for j, other in enumerate(self.designs):
                curvature = by_set[:, SECOND[i, j], None]
                block = one.rows.T @ (curvature * other.rows)
                hessian[np.ix_(one.places, other.places)] = block
        return Evaluation(value, gradient, hessian)

    def _sums(self, own: FloatArray) -> FloatArray:
        from patronage.models.paretonbd_tables import leaving_tables, likelihood_sums

        at = self.chains
        r, s = float(np.exp(own[0, 0])), float(np.exp(own[0, 2]))
        alpha, beta = np.exp(own[at.label, 1]), np.exp(own[at.label, 3])
        table = leaving_tables(at.time, at.offsets, at.frequency, r, alpha, s, beta)
        rows = (at.chain, at.last, at.end, self.share, at.frequency)
        return likelihood_sums(table, *rows, r, alpha, s)

    def _add_gamma(self, log_r: float, sums: FloatArray) -> float:
        """ln(Gamma(r+x) / Gamma(r)) as a product over k < x, exact for any size of r."""
        r = float(np.exp(log_r))
        n, f = self.later, r / (r + self.earlier)
        sums[0, 1] += np.sum(n * f)
        sums[0, 5] += np.sum(n * f * (1 - f))
        return float(np.sum(n * np.log(r + self.earlier)))


def reached_share(frequency: FloatArray, share: FloatArray) -> FloatArray:
    """Share of customers with more than k repeat purchases, k = 0, 1, ..."""
    counts = np.bincount(frequency.astype(np.intp), share).astype(np.float64)
    reached: FloatArray = np.cumsum(counts[::-1])[::-1][1:]
    return reached


def _nowhere(size: int) -> Evaluation:
    return Evaluation(-np.inf, np.full(size, np.nan), np.full((size, size), np.nan))
