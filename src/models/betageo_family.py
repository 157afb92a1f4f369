"""What BG/NBD and its relatives share: the fit, and the questions asked of it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from patronage.errors import DataError
from patronage.models import betageo_quantities as quantities
from patronage.models.active_traits import ActiveTraits
from patronage.models.arguments import check_count
from patronage.models.betageo_discounting import discounted_purchases
from patronage.models.betageo_likelihood import BetaGeoLikelihood
from patronage.models.betageo_prior import WEAK_PRIOR
from patronage.models.betageo_quantities import Active, BetaGeoParams
from patronage.models.fitting import GRADIENT_TOLERANCE, ROUGH, Optimum, maximise
from patronage.models.groups import (
    Histories,
    TimingGroups,
    distinct_timing,
    histories,
    timing_groups,
)
from patronage.models.likelihood_model import DataUnit
from patronage.models.prior import PriorName
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray, Rfm, Weights, read_rfm, read_weights

EXTREME = 1e4
"""A parameter pair beyond this (in units of the longest T) has no spread left to speak of."""
TENTH = 10
MANY, THREADS = 500, 2
"""Rows from which threads pay, and how many."""
FEW = 30
"""Repeat customers below which a failed fit is put down to their number."""


class BetaGeoFamily(PurchaseModel):
    """Purchases at a rate of her own, and after some of them a chance to leave for good.

    The rate is lambda ~ Gamma(r, rate alpha), the dropout probability p ~ Beta(a, b). Members say
    what the models differ in.
    """

    params_: BetaGeoParams
    standard_errors_: BetaGeoParams
    params_type = BetaGeoParams
    weak_prior = WEAK_PRIOR
    title: ClassVar[str]
    """The model's name in messages."""
    leaves_at_first: ClassVar[bool]
    """Whether a customer may leave right after her first purchase, not only after repeats."""

    def __init__(self, prior: PriorName = None) -> None:
        self.prior = prior

    def fit(self, rfm: Any, weights: Weights = None) -> Self:
        """Learn r, alpha, a, b from one row per customer.

        Parameters
        ----------
        rfm
            `customer_id`, `frequency`, `recency`, `T`, the latter two in one time unit.
        weights
            How many customers each row stands for; `customer_id` is then optional.

        Raises
        ------
        DataError
            If a value cannot be, or no customer has a repeat purchase and there is no prior.
        """
        table = read_rfm(rfm, may_lack_customers=weights is not None)
        groups = timing_groups(table, read_weights(weights, table.customer_id))
        if self.prior is None:
            check_repeats(groups)
        optimum = self._maximise(groups)
        self._learn_from(optimum, groups)
        return self

    def _learn_from(self, optimum: Optimum, groups: TimingGroups, log_density: float = 0.0) -> None:
        """Set what was learned; `log_density` of the data is what the likelihood left out."""
        unit = self._data_unit(groups, log_density)
        problem = "" if self._has_peak(optimum) else diagnosis(self.title, optimum, groups)
        self._learn(optimum, groups.customers, unit, problem)
        self.data_digest_ = groups.digest()

    def _data_unit(self, groups: TimingGroups, log_density: float = 0.0) -> DataUnit:
        """Time was in units of the longest T."""
        log_scale = np.log(groups.scale)
        repeats = float(np.sum(groups.weight * groups.frequency))
        return DataUnit(
            np.array([1.0, groups.scale, 1.0, 1.0]), log_density - repeats * float(log_scale)
        )

    def _maximise(self, groups: TimingGroups, k: int = 1) -> Optimum:
        """From where some of the groups lead, which saves most of the steps over all."""
        start, near = _start(groups), self._start_near(self._data_unit(groups).factor)
        start[1] += np.log(k)
        start = start if near is None else near
        fits = [(_sample(groups), ROUGH)] if near is None else []
        for some, tolerance in (*fits, (groups, GRADIENT_TOLERANCE)):
            likelihood = BetaGeoLikelihood(some, leaves_at_first=self.leaves_at_first, k=k)
            optimum = maximise(self._objective(likelihood, some.customers), start, tolerance)
            if self._has_peak(optimum):
                start = optimum.log_params
        return optimum

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
            per time unit while active; `dropout`, her probability to leave after a purchase;
            `active`, whether she still is at T.
        """
        r, alpha, a, b = self.params_
        ages = np.broadcast_to(np.asarray(T, dtype=np.float64), check_count("n", n, least=1))
        rate, dropout = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
        last = rng.geometric(np.maximum(dropout, 1e-18)) - self.leaves_at_first
        stages, k = rng.poisson(rate * ages), self._stages
        made = np.minimum(stages // k, last)
        passed = k * made  # with the last purchase; its place in time is that among all stages
        place = rng.beta(np.maximum(passed, 1), stages - passed + 1)
        return pd.DataFrame(
            {
                "customer_id": np.arange(n),
                "frequency": made,
                "recency": np.where(made > 0, ages * place, 0.0),
                "T": ages,
                "rate": rate / k,
                "dropout": dropout,
                "active": stages // k < last,
            }
        )

    @property
    def _stages(self) -> int:
        """How many of the events that come at random make up a purchase."""
        return 1

    def _chances(self, table: Rfm) -> FloatArray:
        """Purchases after which the customer could leave."""
        return table.frequency + 1 if self.leaves_at_first else table.frequency

    def _active(self, table: Rfm) -> Active:
        r, alpha, a, b = self.params_
        return Active(r + table.frequency, alpha + table.T, a, b + self._chances(table))

    def _time_slopes(self, table: Rfm) -> tuple[FloatArray, FloatArray]:
        # A moment longer is a moment without a purchase: up to T if active, to recency if not.
        x, alive, (r, alpha, _, _) = table.frequency, self._alive(table), self.params_
        gone = (1 - alive) * (r + x) / (alpha + table.recency)
        return -gone, -alive * (r + x) / (alpha + table.T)

    def _active_traits(self, table: Rfm) -> ActiveTraits:
        r, alpha, a, b = self.params_
        return ActiveTraits(r, alpha, a, b + self.leaves_at_first, stages=self._stages)

    def _log_odds_inactive(self, table: Rfm) -> FloatArray:
        x, t_x, T = table.frequency, table.recency, table.T
        return quantities.log_odds_inactive(self.params_, x, t_x, T, self._chances(table))

    def _present(self, table: Rfm) -> Histories:
        """P(alive) takes less time than to find who shares it."""
        return (
            Histories(table, None, table.customer_id) if self._simple(table) else histories(table)
        )

    def _alive(self, table: Rfm) -> FloatArray:
        if not self._simple(table):
            return super()._alive(table)
        timing = (table.frequency, table.recency, table.T, self._chances(table))
        return quantities.shares_active(self.params_, *timing)

    def _simple(self, table: Rfm) -> bool:
        """Neither covariates nor regular timing."""
        return type(table) is Rfm and self._stages == 1

    def _stays(self, table: Rfm, after: float) -> FloatArray:
        return self._per_frequency_and_T(table, quantities.stays, after)

    def _purchases(self, table: Rfm, horizon: float) -> FloatArray:
        return self._per_frequency_and_T(table, quantities.purchases, horizon)

    def _no_purchase(self, table: Rfm, horizon: float, lead: float) -> FloatArray:
        return self._per_frequency_and_T(table, quantities.no_purchase, horizon, lead)

    def _counts(self, table: Rfm, horizon: float, counts: int) -> FloatArray:
        return self._per_frequency_and_T(table, quantities.counts_pmf, horizon, counts)

    def _wait(self, table: Rfm, share: float) -> FloatArray:
        return quantities.wait(self._active(table), share)

    def _discounted_if_active(self, table: Rfm, horizon: float, rate: float) -> FloatArray:
        active, codes = self._distinct_active(table)
        return discounted_purchases(active, horizon, rate)[codes]

    def _per_frequency_and_T(self, table: Rfm, quantity: Any, *arguments: float) -> FloatArray:
        (shape, scale, a, b), codes = self._distinct_active(table)

        def work(rows: NDArray[np.intp]) -> FloatArray:
            values: FloatArray = quantity(Active(shape[rows], scale[rows], a, b[rows]), *arguments)
            return values

        return in_threads(work, np.arange(len(scale)))[codes]

    def _distinct_active(self, table: Rfm) -> tuple[Active, NDArray[np.intp]]:
        """Given an active customer recency does not matter: each distinct (x, T), and whose."""
        distinct = distinct_timing(table.frequency, table.T)
        return self._active(table.take(distinct.first)), distinct.codes


def in_threads(
    work: Callable[[NDArray[np.intp]], FloatArray], rows: NDArray[np.intp]
) -> FloatArray:
    """Results of `work` for the rows, one after the other."""
    if len(rows) < MANY:
        return work(rows)
    with ThreadPoolExecutor(THREADS) as pool:
        return np.concatenate(list(pool.map(work, np.array_split(rows, THREADS))))


def check_repeats(groups: TimingGroups) -> None:
    """Refuse data from which nothing can be learned without a prior."""
    if not groups.frequency.any():
        raise DataError(
            f"frequency is 0 for all {groups.customers:,.10g} customers: without one repeat "
            "purchase neither rate nor dropout can be estimated. Take a longer history, or check "
            "that customer_id joins a customer's orders."
        )


def _sample(groups: TimingGroups) -> TimingGroups:
    """All large groups and every tenth of the others, weighted for all."""
    small = np.flatnonzero(groups.weight <= 2 * groups.weight.mean())
    weight = groups.weight.copy()
    weight[small] = 0
    weight[small[::TENTH]] = groups.weight[small[::TENTH]] * TENTH
    kept = weight > 0
    x, t_x, T = (values[kept] for values in (groups.frequency, groups.recency, groups.T))
    return TimingGroups(x, t_x, T, weight[kept], groups.scale)


def _start(groups: TimingGroups) -> FloatArray:
    """The observed mean rate, spread like an exponential; dropout somewhat rare."""
    time, repeats = np.sum(groups.weight * groups.T), np.sum(groups.weight * groups.frequency)
    start: FloatArray = np.log(np.array([1.0, time / (repeats or 1.0), 1.0, 2.5]))
    return start


def diagnosis(
    title: str, optimum: Optimum, groups: TimingGroups, further: Sequence[str] = ()
) -> str:
    """Why there is no finite best estimate, and what to do; `further` are reasons seen before."""
    r, alpha, a, b = np.exp(optimum.log_params[:4])
    repeaters = float(groups.weight[groups.frequency > 0].sum())
    few = (repeaters < FEW, "too few customers")
    found = [text for holds, text in (few, *_limits(r, a, b, alpha)) if holds]
    found += further
    cause = "; ".join(found) or "the likelihood has no clear peak"
    advice = " Take more customers or a longer history." if few[0] else ""
    return (
        f"The best estimate of {title} lies at a limit on these {groups.customers:,.10g} customers "
        f"({repeaters:,.10g} with a repeat purchase): {cause}. Predictions are those of this "
        f"limit and can be used; it has no standard errors.{advice}"
    )


def _limits(r: float, a: float, b: float, alpha: float) -> list[tuple[bool, str]]:
    return [
        (a / (a + b) < 1 / EXTREME, "no dropout can be identified (E[p] -> 0, everyone active)"),
        (r > EXTREME, "no heterogeneity of purchase rates (r and alpha -> infinity)"),
        (
            a + b > EXTREME and a / (a + b) >= 1 / EXTREME,
            f"no heterogeneity of dropout (a and b -> infinity, p = {a / (a + b):.3g})",
        ),
        (r < 1 / EXTREME, f"purchase rates are all or nothing (r -> 0, alpha = {alpha:.3g})"),
        (a + b < 1 / EXTREME, "dropout is all or nothing (a and b -> 0)"),
    ]
