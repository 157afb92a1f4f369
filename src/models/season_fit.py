"""Learning a season: the likelihood of model and calendar together, climbed along the calendar.

With the purchase model fitted anew at each step, the slope of the highest log-likelihood along
ln S of a day is (envelope theorem) the repeat purchases of that day less those expected of the
customers exposed to it; expected of whom follows from how each customer's likelihood changes with
recency and T.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from patronage.features.grid import Grid
from patronage.models.groups import distinct_rows
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray, Rfm
from patronage.models.season_calendar import SeasonCurve, Terms

SPREAD = 0.5
"""Of a coefficient of ln S before data are seen: of harmonic k a k-th of it, of an event twice."""
STEP = 1e-3
"""In a coefficient, for the curvature."""
MOST_STEPS = 60
MANY, SHARE = 20_000, 10
"""Distinct histories from which a climb begins on a sample: all that many customers share, and of
the others one in so many, counted for all."""


@dataclass(frozen=True, eq=False)
class SeasonData:
    """Distinct (frequency, first day, last day), how many customers share each, and purchases.

    Days are places after the first day of the data.
    """

    origin: int
    as_of: int
    frequency: FloatArray
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    weight: FloatArray
    repeats: FloatArray
    """Repeat purchases of each day up to as_of."""
    gap_from: NDArray[np.int64]
    gap_to: NDArray[np.int64]
    gap_owner: NDArray[np.int64]
    """Of each time between purchases: its days, and the group of the customer."""
    gap_weight: FloatArray
    """How many such times it stands for."""

    @classmethod
    def of(cls, grid: Grid) -> "SeasonData":
        """From a grid with one as_of."""
        table, as_of = grid.table, int(grid.as_of[0])
        origin = table.first_day
        x = grid.purchases - 1
        first, last = grid.first - origin, grid.last - origin
        distinct = distinct_rows(x, first, last)
        group = np.full(len(table), -1)
        group[grid.customer] = distinct.codes
        seen = np.flatnonzero((table.repeat_number > 0) & (table.purchase_day < as_of))
        day = table.purchase_day.astype(np.int64) - origin
        customer = np.repeat(np.arange(len(table)), np.diff(table.purchase_offsets))
        rows = distinct.first
        return cls(
            origin,
            as_of,
            x[rows],
            first[rows].astype(np.int64),
            last[rows].astype(np.int64),
            np.bincount(distinct.codes).astype(np.float64),
            np.bincount(day[seen], minlength=as_of - origin).astype(np.float64),
            day[seen - 1],
            day[seen],
            group[customer[seen]],
            np.ones(len(seen)),
        )

    def sample(self) -> "SeasonData":
        """Histories that stand for all."""
        small = np.flatnonzero(self.weight <= 2 * self.weight.mean())
        some = self.weight.copy()
        some[small] = np.where(np.arange(len(small)) % SHARE == 0, SHARE * self.weight[small], 0)
        kept = some > 0
        ratio = some / self.weight
        place = np.cumsum(kept) - 1
        gaps = kept[self.gap_owner]
        owner, to = self.gap_owner[gaps], self.gap_to[gaps]
        return replace(
            self,
            frequency=self.frequency[kept],
            first=self.first[kept],
            last=self.last[kept],
            weight=some[kept],
            repeats=np.bincount(to, ratio[owner], len(self.repeats)).astype(np.float64),
            gap_from=self.gap_from[gaps],
            gap_to=to,
            gap_owner=place[owner],
            gap_weight=ratio[owner],
        )

    @property
    def days(self) -> NDArray[np.int64]:
        """Those of the history, since 1970-01-01."""
        return np.arange(self.origin, self.as_of)

    def table(self, ends: FloatArray, *, gaps: bool) -> pd.DataFrame:
        """Histories in operational time; `ends` is the time at the end of each day."""
        started = ends[self.first]
        found = pd.DataFrame(
            {
                "frequency": self.frequency,
                "recency": ends[self.last] - started,
                "T": ends[-1] + 1 - started,
            }
        )
        if gaps:
            logs = self.gap_weight * np.log(ends[self.gap_to] - ends[self.gap_from])
            sums = np.bincount(self.gap_owner, logs, minlength=len(self.weight))
            found["log_gap_sum"] = sums / self.weight
        return found

    def slopes(self, model: PurchaseModel, ends: FloatArray, table: pd.DataFrame) -> FloatArray:
        """Derivative of the log-likelihood in operational time by the length of each day."""
        some = _rfm(table)
        by_recency, by_age = (self.weight * slope for slope in model._time_slopes(some))
        size = len(ends)
        at_end = np.bincount(self.last, by_recency, size)
        at_end -= np.bincount(self.first, by_recency + by_age, size)
        at_end[-1] += by_age.sum()
        k = getattr(model, "k_", 1)
        if k > 1:
            pull = (k - 1) * self.gap_weight / (ends[self.gap_to] - ends[self.gap_from])
            at_end += np.bincount(self.gap_to, pull, size) - np.bincount(self.gap_from, pull, size)
        return np.cumsum(at_end[::-1])[::-1].astype(np.float64)


def _rfm(table: pd.DataFrame) -> Rfm:
    columns = {name: table[name].to_numpy() for name in ("frequency", "recency", "T")}
    ids = pd.RangeIndex(len(table), name="customer_id")
    return Rfm(customer_id=ids, monetary_value=np.empty(0), **columns)


class Step(NamedTuple):
    """A season, the model fitted to it, and the log-likelihood of the purchases' days."""

    curve: SeasonCurve
    model: PurchaseModel
    log_likelihood: float
    slope: FloatArray


@dataclass(frozen=True, eq=False)
class LearnedSeason:
    """The season of highest penalised likelihood.

    `covariance` is that of the model's parameters and then the coefficients; NaN where unknown.
    """

    curve: SeasonCurve
    covariance: FloatArray
    settled: bool


class SeasonLikelihood:
    """The highest log-likelihood for each season, the purchase model fitted to it."""

    def __init__(self, model: PurchaseModel, data: SeasonData, terms: Terms) -> None:
        self.model, self.data, self.terms = model, data, terms
        self.near: Any = None
        self.given = terms.given(data.days)
        waves = [SPREAD / k for k in range(1, terms.harmonics + 1) for _ in range(2)]
        self.spread = np.array([*waves, *(2 * SPREAD for _ in terms.events)])

    def at(self, coefficients: FloatArray) -> Step:
        """Fit the model in the season's time."""
        curve = SeasonCurve(self.terms, tuple(map(float, coefficients)))
        value, by = curve.with_slopes(self.data.days)
        log_factors = self.given + value
        factors = np.exp(log_factors)
        ends = np.cumsum(factors)
        table = self.data.table(ends, gaps=hasattr(self.model, "k"))
        model = clone(self.model)
        model._near = self.near
        model.fit(table, self.data.weight)
        self.near = model.params_ if model.converged_ else None
        by_log = factors * self.data.slopes(model, ends, table) + self.data.repeats
        density = float(self.data.repeats @ log_factors)
        return Step(curve, model, model.log_likelihood_ + density, by_log @ by)

    def lowered(self, coefficients: FloatArray) -> tuple[float, FloatArray]:
        """What is minimised: minus the log-likelihood, a little more the wilder the season."""
        step = self.at(coefficients)
        pull = coefficients / self.spread**2
        return float(coefficients @ pull / 2) - step.log_likelihood, pull - step.slope

    def learn(self) -> LearnedSeason:
        """Climb from no season at all.

        Where histories are many, a sample of them shows the way and the curvature; the estimate is
        that of all.
        """
        size = len(self.spread)
        start, inverse = np.zeros(size), np.eye(size) / (1 + self.data.repeats.sum() / 2)
        covariance = None
        if size and len(self.data.weight) > MANY:
            some = SeasonLikelihood(self.model, self.data.sample(), self.terms)
            start, _ = some.climb(start, inverse)
            covariance, self.near = some.covariance(start), some.near
            if np.isfinite(covariance).all():
                inverse = covariance[-size:, -size:]
        found, settled = self.climb(start, inverse)
        if covariance is None:
            covariance = self.covariance(found)
        curve = SeasonCurve(self.terms, tuple(map(float, found)))
        return LearnedSeason(curve, covariance, settled)

    def climb(self, start: FloatArray, inverse: FloatArray) -> tuple[FloatArray, bool]:
        """To the best coefficients, and whether it got there; `inverse` as the curvature's."""
        from scipy.optimize import minimize

        if not start.size:
            return start, True
        found = minimize(
            self.lowered,
            start,
            jac=True,
            method="BFGS",
            options={
                "gtol": self._tolerance,
                "maxiter": MOST_STEPS,
                "hess_inv0": (inverse + inverse.T) / 2,
            },
        )
        return np.asarray(found.x), bool(np.abs(found.jac).max() < 100 * self._tolerance)

    @property
    def _tolerance(self) -> float:
        """Far below what chance moves."""
        return 1e-4 * max(1.0, float(np.sqrt(self.data.repeats.sum())))

    def covariance(self, coefficients: FloatArray) -> FloatArray:
        """By differences of exact slopes; the model's parameters move with the season."""
        best = self.at(coefficients)
        own = best.model.covariance_.to_numpy()
        size, params = len(coefficients), len(best.model.params_)
        curvature, moved = np.empty((size, size)), np.empty((params, size))
        for place in range(size):
            step = STEP * np.eye(size)[place]
            up, down = self.at(coefficients + step), self.at(coefficients - step)
            curvature[place] = (down.slope - up.slope) / (2 * STEP)
            moved[:, place] = np.subtract(up.model.params_, down.model.params_) / (2 * STEP)
        precision = (curvature + curvature.T) / 2 + np.diag(1 / self.spread**2)
        if not size:
            return own
        if not np.isfinite(own).all() or np.linalg.eigvalsh(precision)[0] <= 0:
            return np.full((params + size, params + size), np.nan)
        season = np.linalg.inv(precision)
        across = moved @ season
        return np.block([[own + across @ moved.T, across], [across.T, season]])
