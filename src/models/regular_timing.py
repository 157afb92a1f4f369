"""What the models of regular purchase timing share: the choice of k, and exact answers."""

import math
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from patronage.errors import DataError, SettingsError
from patronage.models import regular_quantities as quantities
from patronage.models.arguments import check_count
from patronage.models.betageo_family import BetaGeoFamily, check_repeats, in_threads
from patronage.models.fitting import Optimum
from patronage.models.groups import TimingGroups, timing_groups
from patronage.models.prior import PriorName
from patronage.models.regular_quantities import RegularActive
from patronage.models.rfm_input import (
    FloatArray,
    Rfm,
    Weights,
    read_numbers,
    read_rfm,
    read_table,
    read_weights,
    refuse_values,
)

LARGEST_K = 12
"""More regular than this, timing is as good as fixed."""


class Choice(NamedTuple):
    """A fit with k stages a purchase, and what the data's log-likelihood adds to it."""

    k: int
    optimum: Optimum
    log_density: float

    def log_likelihood(self, customers: float) -> float:
        """Of all data."""
        return customers * self.optimum.at.value + self.log_density


class RegularTimingFamily(BetaGeoFamily):
    """The BG/NBD family with purchases more regular than by chance: gaps ~ Erlang(k, lambda).

    Parameters
    ----------
    k
        How regular: 1 is BG/NBD's timing by chance, and the spread of gaps goes as 1 / sqrt(k).
        By default the k of highest likelihood, up to 12.
    prior
        As for the other members.
    """

    k_: int

    def __init__(self, k: int | None = None, prior: PriorName = None) -> None:
        super().__init__(prior)
        self.k = k

    def fit(self, rfm: Any, weights: Weights = None) -> Self:
        """Learn r, alpha, a, b, and k unless given, from one row per customer.

        Parameters
        ----------
        rfm
            `customer_id`, `frequency`, `recency`, `T`, in one time unit, and `log_gap_sum`, the sum
            of the logarithms of the times between purchases (not needed with k=1):
            `rfm_summary(days, as_of=..., gaps=True)` makes it.
        weights
            How many customers each row stands for; `customer_id` is then optional.

        Raises
        ------
        DataError
            If a value cannot be, or no customer has a repeat purchase and there is no prior.
        SettingsError
            If k is no whole number from 1 to 12.
        """
        options = self._options()
        table = read_rfm(rfm, may_lack_customers=weights is not None)
        counted = read_weights(weights, table.customer_id)
        groups = timing_groups(table, counted)
        if self.prior is None:
            check_repeats(groups)
        log_gaps = 0.0
        if options != [1]:
            log_gaps = float(counted @ _read_log_gaps(rfm, table))
        choices = [self._choice(k, groups, log_gaps) for k in options]
        best = max(choices, key=lambda choice: choice.log_likelihood(groups.customers))
        self.k_ = best.k
        self._learn_from(best.optimum, groups, best.log_density)
        return self

    def _options(self) -> list[int]:
        if self.k is None:
            return list(range(1, LARGEST_K + 1))
        if check_count("k", self.k, least=1) > LARGEST_K:
            raise SettingsError(f"k={self.k} must be a whole number from 1 to {LARGEST_K}.")
        return [int(self.k)]

    def _choice(self, k: int, groups: TimingGroups, log_gaps: float) -> Choice:
        """Fit with k; the gaps' densities, in units of the longest T, are left out of the fit."""
        repeats = float(np.sum(groups.weight * groups.frequency))
        scaled = log_gaps - repeats * float(np.log(groups.scale))
        log_density = (k - 1) * scaled - repeats * math.lgamma(k)
        return Choice(k, self._maximise(groups, k), log_density)

    def _be_certain(self) -> None:
        if self.k is None:
            raise SettingsError(
                f"{type(self).__name__} needs k with chosen parameters: with_params(k=2, ...)."
            )
        (self.k_,) = self._options()
        super()._be_certain()

    def draw_customers(self, n: int, T: ArrayLike, rng: np.random.Generator) -> pd.DataFrame:
        """Simulate `n` customers observed for `T`; see `BetaGeoFamily`, and `log_gap_sum`.

        Parameters
        ----------
        n, T, rng
            As for the other members.
        """
        drawn = super().draw_customers(n, T, rng)
        x, t_x = (drawn[name].to_numpy() for name in ("frequency", "recency"))
        # Given the last purchase, the stages before it are spread evenly: gaps ~ Dirichlet(k).
        customer = np.repeat(np.arange(n), x)
        parts = rng.gamma(self.k_, size=len(customer))
        whole = np.bincount(customer, parts, minlength=n)[customer]
        logs = np.log(parts / whole * t_x[customer])
        drawn.insert(4, "log_gap_sum", np.bincount(customer, logs, minlength=n))
        return drawn

    @property
    def _stages(self) -> int:
        return self.k_

    def _regular(self, table: Rfm) -> RegularActive:
        r, alpha, a, b = self.params_
        scale = alpha + table.T
        return RegularActive(
            r + self.k_ * table.frequency,
            scale,
            a,
            b + self._chances(table),
            (table.T - table.recency) / scale,
            self.k_,
        )

    def _stage_shares(self, table: Rfm) -> FloatArray:
        return quantities.stage_shares(self._regular(table))

    def _time_slopes(self, table: Rfm) -> tuple[FloatArray, FloatArray]:
        # Recency and T moved together leave the time since the last purchase as it is, and cost
        # the mean rate of stages; T alone costs the rate at which the last stage is passed.
        active, alive = self._regular(table), self._alive(table)
        stages, passing = quantities.stage_rates(active)
        gone = (1 - alive) * active.shape / (self.params_.alpha + table.recency)
        by_age = -alive * passing
        return -gone - alive * stages - by_age, by_age

    def _log_odds_inactive(self, table: Rfm) -> FloatArray:
        odds, could = np.full_like(table.T, -np.inf), np.flatnonzero(self._chances(table) > 0)
        active, alpha = quantities.take(self._regular(table), could), self.params_.alpha
        odds[could] = quantities.log_odds_inactive(active, alpha, table.recency[could])
        return odds

    def _stays(self, table: Rfm, after: float) -> FloatArray:
        return self._per_history(table, quantities.stays, after)

    def _purchases(self, table: Rfm, horizon: float) -> FloatArray:
        return self._per_history(table, quantities.purchases, horizon)

    def _no_purchase(self, table: Rfm, horizon: float, lead: float) -> FloatArray:
        return self._per_history(table, quantities.no_purchase, horizon, lead)

    def _counts(self, table: Rfm, horizon: float, counts: int) -> FloatArray:
        return self._per_history(table, quantities.counts_pmf, horizon, counts)

    def _wait(self, table: Rfm, share: float) -> FloatArray:
        return self._per_history(table, quantities.wait, share)

    def _discounted_if_active(self, table: Rfm, horizon: float, rate: float) -> FloatArray:
        return self._per_history(table, quantities.discounted_purchases, horizon, rate)

    def _per_history(self, table: Rfm, quantity: Any, *arguments: float) -> FloatArray:
        active = self._regular(table)

        def work(rows: NDArray[np.intp]) -> FloatArray:
            values: FloatArray = quantity(quantities.take(active, rows), *arguments)
            return values

        return in_threads(work, np.arange(len(table.T)))

    def to_dict(self) -> dict[str, Any]:
        """Everything that was learned, as plain values ready for JSON."""
        return super().to_dict() | {"k": self.k_}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Rebuild a fitted model from `to_dict()`."""
        model = super().from_dict(saved)
        model.k_ = saved["k"]
        return model


def _read_log_gaps(rfm: Any, table: Rfm) -> FloatArray:
    """Sums of log gaps; refused where no gaps between 0 and recency can have such a sum."""
    frame = read_table(rfm)
    if "log_gap_sum" not in frame.columns:
        raise DataError(
            "log_gap_sum is missing from the customer table; regular timing is learned from it. "
            "rfm_summary(days, as_of=..., gaps=True) makes it: the sum of the logarithms of the "
            "times between purchases, 0 without a repeat purchase."
        )
    sums = read_numbers(frame, "log_gap_sum", table.customer_id)
    x, t_x = table.frequency, table.recency
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(x > 0, x * np.log(t_x / x), 0.0)
    wrong = (sums > most + 1e-6 * (1 + np.abs(most))) | ((x == 0) & (sums != 0))
    refuse_values(
        "log_gap_sum",
        wrong,
        sums,
        table.customer_id,
        "exceeds what gaps that add up to recency can give",
        "Give it in the unit of recency, natural logarithm; 0 for one-time buyers.",
    )
    return sums
