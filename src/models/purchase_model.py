"""What every model of repeat purchases offers: the questions, asked in one way."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Self, TypeAlias, cast, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError, SettingsError
from patronage.features import rfm_summary
from patronage.models.active_traits import ActiveTraits, OpportunityTraits
from patronage.models.arguments import check_count, check_number, check_share
from patronage.models.groups import Histories, histories
from patronage.models.likelihood_model import LikelihoodModel
from patronage.models.rfm_input import TIMING, FloatArray, Rfm, Weights, read_rfm

Horizons: TypeAlias = Sequence[float] | NDArray[Any]


class PurchaseModel(LikelihoodModel, ABC):
    """A model of when customers buy and when they leave for good.

    Whoever has left makes no purchase any more; a model brings the odds of that, and what a
    customer does who is active at T, the end of her history.
    """

    @abstractmethod
    def fit(self, rfm: Any, weights: Weights = None) -> Self:
        """Learn the parameters from one row per customer."""

    def fit_days(self, days: Any, *, as_of: date, rfm: Any = None) -> Self:
        """Learn from customer days, in days: `fit` on `rfm_summary(days, as_of=as_of, gaps=True)`.

        Parameters
        ----------
        days
            Customer days: a `DayTable`, or the output of `customer_days`.
        as_of
            Days at or after it are not seen.
        rfm
            That summary, where it is at hand.
        """
        return self.fit(rfm_summary(days, as_of=as_of, gaps=True) if rfm is None else rfm)

    @property
    def without_season(self) -> "PurchaseModel":
        """The fitted model of a year in which every day is an average one."""
        return self

    @overload
    def expected_purchases(self, rfm: Any, horizon: float) -> "pd.Series[Any]": ...
    @overload
    def expected_purchases(self, rfm: Any, horizon: Horizons) -> pd.DataFrame: ...
    def expected_purchases(
        self, rfm: Any, horizon: float | Horizons
    ) -> "pd.Series[Any] | pd.DataFrame":
        """Purchases each customer will make in the `horizon` after T.

        Parameters
        ----------
        rfm
            One row per customer, in the time unit of the fit.
        horizon
            A number, which gives a Series, or several, which give a DataFrame with a column each.
        """
        asked = self._ask(rfm)
        alive = self._alive(asked.table)
        if np.ndim(horizon) == 0:
            span = check_number("horizon", cast(float, horizon))
            count = alive * self._purchases(asked.table, span)
            return asked.series(count, "expected_purchases")
        spans = _spans(horizon)
        counts = [alive * self._purchases(asked.table, span) for span in spans]
        return asked.frame(np.column_stack(counts), spans)

    def predict_purchases(
        self, rfm: Any, horizon: float, interval: float = 0.9, seed: int = 0
    ) -> pd.DataFrame:
        """How many purchases each customer will make in the `horizon` after T, and how surely.

        Parameters
        ----------
        rfm
            One row per customer, in the time unit of the fit.
        horizon
            In that unit.
        interval
            Probability that the number lies between `low` and `high`.
        seed
            Of the draws behind the interval; a customer's interval does not depend on the others.

        Returns
        -------
        DataFrame
            `expected_purchases`, `low`, `high`, and `probability`, that of the interval: more than
            was asked for where whole numbers allow no less (see `predictive_intervals`).
        """
        from patronage.models.customer_futures import Question
        from patronage.models.predictive_intervals import count_interval

        level, span = check_share("interval", interval), check_number("horizon", horizon)
        expected, question = self.expected_purchases(rfm, span), Question(span, 0.0, level, seed)
        asked = self._ask(rfm)
        found = count_interval(self, asked.table, question)
        bounds = {name: asked.series(each, name) for name, each in found._asdict().items()}
        return pd.DataFrame({"expected_purchases": expected} | bounds)

    def probability_alive(self, rfm: Any, after: float = 0) -> "pd.Series[Any]":
        """Probability that each customer is still active `after` time units past T."""
        asked, wait = self._present(self._read(rfm)), check_number("after", after)
        alive = self._alive(asked.table)
        if wait > 0:
            alive *= self._stays(asked.table, wait)
        return asked.series(alive, "p_alive")

    def probability_no_purchase(
        self, rfm: Any, horizon: float, lead: float = 0
    ) -> "pd.Series[Any]":
        """Probability of no purchase in the `horizon` that begins `lead` after T."""
        asked = self._ask(rfm)
        span, wait = check_number("horizon", horizon), check_number("lead", lead)
        odds = self._log_odds_inactive(asked.table)
        none = expit(odds) + expit(-odds) * self._no_purchase(asked.table, span, wait)
        return asked.series(np.minimum(none, 1), "p_no_purchase")  # rounding may pass 1

    def purchase_count_pmf(self, rfm: Any, horizon: float, max_count: int) -> pd.DataFrame:
        """Probability of exactly 0, 1, ..., `max_count` purchases in the `horizon` after T."""
        asked, span = self._ask(rfm), check_number("horizon", horizon)
        counts = np.arange(check_count("max_count", max_count) + 1)
        pmf = self._count_pmf(asked.table, span, len(counts))
        return asked.frame(pmf, pd.Index(counts, name="purchases"))

    def next_purchase(self, rfm: Any, interval: float = 0.8) -> pd.DataFrame:
        """Time from T to the next purchase, given that the customer is active at T.

        Parameters
        ----------
        rfm
            One row per customer.
        interval
            Probability that the next purchase lies between `low` and `high`.

        Returns
        -------
        DataFrame
            `median`, `low`, `high`, in the data's time unit. Infinite where the purchase does not
            come within any representable time with that probability.
        """
        asked, tail = self._ask(rfm), (1 - check_share("interval", interval)) / 2
        times = [self._wait(asked.table, share) for share in (0.5, tail, 1 - tail)]
        return asked.frame(np.column_stack(times), pd.Index(["median", "low", "high"]))

    def discounted_purchases(
        self, rfm: Any, horizon: float, rate: float, *, given_alive: bool = False
    ) -> "pd.Series[Any]":
        """Purchases in the `horizon` after T, one made s later counted as exp(-rate s).

        Parameters
        ----------
        rfm
            One row per customer.
        horizon
            In the data's time unit; `math.inf` gives the discounted expected residual
            transactions (DERT), infinite at `rate` 0 where the purchases to come are.
        rate
            Continuous discount rate per time unit; `arguments.discount_rate` makes it of an
            annual rate.
        given_alive
            Take every customer as active at T.
        """
        asked = self._present(self._read(rfm))
        values = self._discounted(asked.table, horizon, rate, given_alive=given_alive)
        return asked.series(values, "discounted_purchases")

    def expected_purchases_new_customer(self, horizon: ArrayLike) -> "pd.Series[Any]":
        """Repeat purchases in each `horizon` after a customer's first purchase."""
        check_is_fitted(self, "params_")
        newcomer, spans = self._newcomer(), read_horizons(horizon)
        values = [(self._alive(newcomer) * self._purchases(newcomer, t))[0] for t in spans]
        return pd.Series(values, index=spans, name="expected_purchases")

    def purchase_count_pmf_new_customer(self, horizon: float, max_count: int) -> "pd.Series[Any]":
        """Probability of 0, 1, ..., `max_count` repeat purchases in the `horizon`."""
        check_is_fitted(self, "params_")
        span, counts = check_number("horizon", horizon), check_count("max_count", max_count) + 1
        values = self._count_pmf(self._newcomer(), span, counts)[0]
        index = pd.Index(np.arange(counts), name="purchases")
        return pd.Series(values, index=index, name="probability")

    @abstractmethod
    def draw_customers(self, n: int, T: ArrayLike, rng: np.random.Generator) -> pd.DataFrame:
        """Simulate `n` customers observed for `T`, a number or one for each.

        Returns
        -------
        DataFrame
            What `fit` takes, and the latent truth: at least `rate`, purchases per time unit while
            active, and `active`, whether she still is at T.
        """

    @abstractmethod
    def _log_odds_inactive(self, table: Rfm) -> FloatArray:
        """ln(P(inactive at T) / P(active at T))."""

    @abstractmethod
    def _stays(self, table: Rfm, after: float) -> FloatArray:
        """P(active at T + after), given active at T."""

    @abstractmethod
    def _purchases(self, table: Rfm, horizon: float) -> FloatArray:
        """Expected purchases in the horizon, given active at T."""

    @abstractmethod
    def _no_purchase(self, table: Rfm, horizon: float, lead: float) -> FloatArray:
        """P(no purchase in the horizon after the lead), given active at T."""

    @abstractmethod
    def _counts(self, table: Rfm, horizon: float, counts: int) -> FloatArray:
        """P(0, 1, ..., counts - 1 purchases in the horizon), given active at T: a row each."""

    @abstractmethod
    def _wait(self, table: Rfm, share: float) -> FloatArray:
        """Time within which this share of the customers active at T make their next purchase."""

    @abstractmethod
    def _discounted_if_active(self, table: Rfm, horizon: float, rate: float) -> FloatArray:
        """Discounted purchases in the horizon, given active at T."""

    def _time_slopes(self, table: Rfm) -> tuple[FloatArray, FloatArray]:
        """Derivatives of each customer's log-likelihood by her recency and by her T.

        The times between purchases, on which regular timing depends, stay as they are.
        """
        raise SettingsError(
            f"{type(self).__name__} takes no season: its time is counted in opportunities. Take "
            "BetaGeoModel, ModifiedBetaGeoModel, their CNBD forms or ParetoNBDModel."
        )

    def _in_own_time(
        self, table: Rfm, horizon: float
    ) -> Iterator[tuple[NDArray[np.intp], "PurchaseModel", Rfm, float]]:
        """Rows that share a clock, who answers for them, their histories and the horizon by it."""
        yield np.arange(len(table.T)), self, table, horizon

    @abstractmethod
    def _active_traits(self, table: Rfm) -> ActiveTraits | OpportunityTraits:
        """How the traits of customers active at T are distributed, for drawing their future.

        One for all, or, where the table has covariates, one for each customer.
        """

    def _stage_shares(self, table: Rfm) -> FloatArray:
        """P(j stages passed since the last purchase), given active at T: a row each."""
        return np.ones((len(table.T), 1))

    def _ask(self, rfm: Any) -> Histories:
        """Read a table of customers and collapse it to distinct histories."""
        return histories(self._read(rfm))

    def _present(self, table: Rfm) -> Histories:
        """What P(alive) is asked of where little else is."""
        return histories(table)

    def _read(self, rfm: Any, columns: Sequence[str] = TIMING) -> Rfm:
        check_is_fitted(self, "params_")
        return read_rfm(rfm, columns)

    def _alive(self, table: Rfm) -> FloatArray:
        return expit(-self._log_odds_inactive(table))

    def _count_pmf(self, table: Rfm, horizon: float, counts: int) -> FloatArray:
        odds = self._log_odds_inactive(table)
        pmf = expit(-odds)[:, None] * self._counts(table, horizon, counts)
        pmf[:, 0] += expit(odds)
        return pmf

    def _discounted(
        self, table: Rfm, horizon: float, rate: float, *, given_alive: bool
    ) -> FloatArray:
        span = check_number("horizon", horizon, finite=False)
        values = self._discounted_if_active(table, span, check_number("rate", rate))
        if not given_alive:
            values *= self._alive(table)
        return values

    def _newcomer(self) -> Rfm:
        """A customer at her first purchase."""
        zero = np.zeros(1)
        ids = pd.RangeIndex(1, name="customer_id")
        return Rfm(customer_id=ids, frequency=zero, recency=zero, T=zero, monetary_value=zero)


def purchase_model(saved: dict[str, Any]) -> PurchaseModel:
    """Rebuild a fitted purchase model of any class from its `to_dict()`.

    Raises
    ------
    DataError
        If it was saved by a class that is not known here.
    """
    known = _models_below(PurchaseModel)  # type: ignore[type-abstract]
    name = str(saved.get("model"))
    if name not in known:
        raise DataError(
            f"The saved purchase model is a {name}, which is not known; known are "
            f"{', '.join(sorted(known))}. Import the module that defines it, or fit anew."
        )
    return known[name].from_dict(saved)


def _models_below(parent: type[PurchaseModel]) -> dict[str, type[PurchaseModel]]:
    """The classes derived from it that can be fitted, by name."""
    found: dict[str, type[PurchaseModel]] = {}
    for child in parent.__subclasses__():
        found |= _models_below(child)
        if not child.__abstractmethods__ and not child.__name__.startswith("_"):
            found[child.__name__] = child
    return found


def read_horizons(horizon: Any) -> "pd.Index[float]":
    """One horizon or several, checked.

    Raises
    ------
    SettingsError
        If one is no finite number of 0 or more, or there is none.
    """
    return _spans([horizon] if np.ndim(horizon) == 0 else horizon)


def _spans(horizon: Any) -> "pd.Index[float]":
    if np.ndim(horizon) != 1 or not len(horizon):
        raise SettingsError(
            f"horizon={horizon!r} must be a number or a list of one or more, e.g. [30, 90]."
        )
    return pd.Index([check_number("horizon", span) for span in horizon], name="horizon")


def expit(value: FloatArray) -> FloatArray:
    """1 / (1 + exp(-value)), without a warning far below 0."""
    with np.errstate(over="ignore"):
        result: FloatArray = 1 / (1 + np.exp(-value))
    return result
