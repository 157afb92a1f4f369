"""Log-likelihood of the BG/BB model with exact gradient and Hessian by the log-parameters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patronage.models.fitting import Evaluation
from patronage.models.groups import distinct_rows, rows_digest
from patronage.models.rfm_input import FloatArray, Rfm

Whole = NDArray[np.intp]

CELLS = 400_000
"""Terms worked at a time: a bound on memory."""


class BetaGeoBetaBinomParams(NamedTuple):
    """Chance to buy at an opportunity ~ Beta(alpha, beta), to leave before ~ Beta(gamma, delta)."""

    alpha: float
    beta: float
    gamma: float
    delta: float


@dataclass(frozen=True)
class Histories:
    """Distinct (purchases, opportunity of the last one, opportunities); customers with each."""

    x: Whole
    t_x: Whole
    n: Whole
    weight: FloatArray

    def digest(self) -> str:
        """Fingerprint of the data, whatever the order of the customers."""
        columns = (self.x, self.t_x, self.n, self.weight)
        return rows_digest(*(column.astype(np.float64) for column in columns))


def count_histories(table: Rfm, weights: FloatArray) -> Histories:
    """Collapse customers to distinct histories; rows of weight 0 count for none."""
    distinct = distinct_rows(table.frequency, table.recency, table.T)
    count = np.bincount(distinct.codes, weights).astype(np.float64)
    first, count = distinct.first[count > 0], count[count > 0]
    columns = (table.frequency, table.recency, table.T)
    x, t_x, n = (column[first].astype(np.intp) for column in columns)
    return Histories(x, t_x, n, count)


class Terms(NamedTuple):
    """The ways each history can have come about: still active at n, or gone after t < n."""

    x: Whole
    t: Whole
    gone: Whole
    """1 where she left before opportunity t + 1, else 0; then t = n."""
    owner: Whole
    """Which of the histories; its terms stand together, the active one first."""
    starts: Whole


def ways(x: Whole, t_x: Whole, n: Whole) -> Terms:
    """All terms of these histories."""
    size = n - t_x + 1
    starts = np.cumsum(size) - size
    owner = np.repeat(np.arange(len(size)), size)
    back = np.arange(len(owner)) - starts[owner]
    return Terms(x[owner], n[owner] - back, np.minimum(back, 1), owner, starts)


class Rising(NamedTuple):
    """Sums over j < k of ln(1 + j/a), 1/(a+j), 1/(a+j)^2, for k = 0, 1, ..."""

    log: FloatArray
    first: FloatArray
    second: FloatArray


def rising(a: float, size: int) -> Rising:
    """The logarithm of a (a+1) ... (a+k-1) / a^k and its derivatives, for k = 0, ..., `size`."""
    j = np.arange(size, dtype=np.float64)
    inverse = 1 / (a + j)
    return Rising(*map(_running, (np.log1p(j / a), inverse, inverse**2)))


def _running(values: FloatArray) -> FloatArray:
    """0, v0, v0 + v1, ...: each sum rounded once, as rounding errors are summed beside."""
    after = np.cumsum(values)
    before = np.append(0.0, after)[:-1]
    added = after - before
    lost = (before - (after - added)) + (values - added)
    sums: FloatArray = np.append(0.0, after + np.cumsum(lost))
    return sums


class LogTerms:
    """Logarithm of each term, with derivatives by the log-parameters, from tables over k."""

    def __init__(self, params: BetaGeoBetaBinomParams, size: int) -> None:
        self.params = params
        alpha, beta, gamma, delta = params
        self.a, self.b, self.ab = (rising(p, size) for p in (alpha, beta, alpha + beta))
        self.d, self.gd = rising(delta, size), rising(gamma + delta, size + 1)

    def value(self, terms: Terms) -> FloatArray:
        """Log of B(alpha+x, beta+t-x) B(gamma+gone, delta+t) / (B(alpha, beta) B(gamma, delta))."""
        alpha, beta, gamma, delta = self.params
        x, t, gone = terms.x, terms.t, terms.gone
        buys = self.a.log[x] - x * np.log1p(beta / alpha)
        skips = self.b.log[t - x] - (t - x) * np.log1p(alpha / beta) - self.ab.log[t]
        stays = self.d.log[t] - self.gd.log[t] - t * np.log1p(gamma / delta)
        value: FloatArray = buys + skips + stays - gone * np.log1p((delta + t) / gamma)
        return value

    def slopes(self, terms: Terms) -> FloatArray:
        """First derivatives: 4 x terms."""
        alpha, beta, gamma, delta = self.params
        x, t, m = terms.x, terms.t, terms.t + terms.gone
        return np.array(
            [
                alpha * (self.a.first[x] - self.ab.first[t]),
                beta * (self.b.first[t - x] - self.ab.first[t]),
                terms.gone - gamma * self.gd.first[m],
                delta * (self.d.first[t] - self.gd.first[m]),
            ]
        )

    def bends(self, terms: Terms, slopes: FloatArray, weight: FloatArray) -> FloatArray:
        """Second derivatives, summed with weights: 4 x 4."""
        alpha, beta, gamma, delta = self.params
        x, t, m = terms.x, terms.t, terms.t + terms.gone
        both, leave = self.ab.second[t] @ weight, self.gd.second[m] @ weight
        bends = np.zeros((4, 4))
        bends[0, 0] = slopes[0] @ weight + alpha**2 * (both - self.a.second[x] @ weight)
        bends[1, 1] = slopes[1] @ weight + beta**2 * (both - self.b.second[t - x] @ weight)
        bends[0, 1] = bends[1, 0] = alpha * beta * both
        bends[2, 2] = gamma**2 * leave - gamma * (self.gd.first[m] @ weight)
        bends[3, 3] = slopes[3] @ weight + delta**2 * (leave - self.d.second[t] @ weight)
        bends[2, 3] = bends[3, 2] = gamma * delta * leave
        return bends


class BetaGeoBetaBinomLikelihood:
    """Mean log-likelihood per customer of (ln alpha, ln beta, ln gamma, ln delta) [1]_.

    A sum of positive terms, one for each way a history can have come about.

    References
    ----------
    .. [1] Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual
       Setting, Marketing Science 29(6).
    """

    def __init__(self, histories: Histories) -> None:
        self.histories = histories
        self.share = histories.weight / histories.weight.sum()
        self.size = int(histories.n.max())

    def __call__(self, log_params: FloatArray) -> Evaluation:
        """Value, gradient and Hessian."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            logs = LogTerms(BetaGeoBetaBinomParams(*np.exp(log_params)), self.size)
            parts = [self._part(logs, rows) for rows in self._chunks()]
        return Evaluation(
            float(sum(part.value for part in parts)),
            np.sum([part.gradient for part in parts], axis=0),
            np.sum([part.hessian for part in parts], axis=0),
        )

    def _part(self, logs: LogTerms, rows: slice) -> Evaluation:
        share, found = self.share[rows], self.histories
        terms = ways(found.x[rows], found.t_x[rows], found.n[rows])
        value = logs.value(terms)
        total, part = log_sums(value, terms)
        weight = share[terms.owner] * part
        slopes = logs.slopes(terms)
        means = np.add.reduceat(slopes * part, terms.starts, axis=1)
        hessian = logs.bends(terms, slopes, weight)
        hessian += (slopes * weight) @ slopes.T - (means * share) @ means.T
        return Evaluation(float(share @ total), means @ share, hessian)

    def _chunks(self) -> Iterator[slice]:
        ends = np.cumsum(self.histories.n - self.histories.t_x + 1)
        start = 0
        while start < len(ends):
            done = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, done + CELLS, side="right")))
            yield slice(start, stop)
            start = stop


def log_sums(value: FloatArray, terms: Terms) -> tuple[FloatArray, FloatArray]:
    """Logarithm of each history's sum, and each term's part of it."""
    top = np.maximum.reduceat(value, terms.starts)
    scaled = np.exp(value - top[terms.owner])
    sums = np.add.reduceat(scaled, terms.starts)
    return top + np.log(sums), scaled / sums[terms.owner]
