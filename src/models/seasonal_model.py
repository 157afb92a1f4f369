"""A purchase model with a season: the same model, in time that passes as the season says."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from patronage.errors import SettingsError
from patronage.features import day_table, rfm_summary
from patronage.features.arrays import calendar_day, day_number
from patronage.features.grid import Grid
from patronage.models.active_traits import ActiveTraits, OpportunityTraits
from patronage.models.arguments import check_day
from patronage.models.groups import Histories, distinct_rows
from patronage.models.likelihood_model import FORMAT, check_saved
from patronage.models.purchase_model import PurchaseModel, purchase_model, read_horizons
from patronage.models.purchase_season import PurchaseSeason, unseen_events
from patronage.models.rfm_input import TIMING, FloatArray, Rfm, Weights, read_rfm
from patronage.models.saving import saved_covariance, saved_numbers, saved_text
from patronage.models.season_calendar import FARTHEST, Clock, SeasonCurve, Terms
from patronage.models.season_discount import discounted
from patronage.models.season_fit import LearnedSeason, SeasonData, SeasonLikelihood
from patronage.models.season_purchases import check_takes_season
from patronage.models.seasonal_rfm import SeasonalRfm, timed

LEAST_HISTORY = 365
"""Days of data below which a season is not learned: it could not be told from ageing."""


class SeasonalModel(PurchaseModel):
    """A purchase model whose customers all buy faster and slower with the season.

    Every rate of purchase is multiplied by S(t), a factor that depends on the calendar day alone
    and is known for all days to come. In operational time, which passes by S(t) a day, that is the
    model without a season: its likelihood and its answers hold unchanged, the former times S of the
    day of each repeat purchase. Where customers leave in time (Pareto/NBD), the chance to leave
    passes with the season too.

    Times are in days, and a customer table needs the day it is of, `as_of`: `rfm_summary` brings
    it. A question about new customers is answered for a year without season unless it names the
    day on which they come.

    Parameters
    ----------
    purchases
        Unfitted model of purchases at any time, without covariates.
    season
        What is known of the season and what is to be learned; by default all is learned.

    Attributes
    ----------
    purchases_ : PurchaseModel
        The model fitted in operational time. Its covariance holds the season's uncertainty too.
    season_ : SeasonCurve
        S(t): `season_.factors(start, end)`, `season_.by_month()`.
    season_effects_ : pandas.DataFrame
        The learned terms of ln S, `effect` and `se`.
    params_, standard_errors_, n_customers_, converged_
        Those of `purchases_`; a time of theirs is in days of factor 1.
    covariance_ : pandas.DataFrame
        Of the parameters and, after them, the terms of ln S: "season:cos1", ...
    log_likelihood_ : float
        Of the purchases on their calendar days, comparable with a model without season; after
        `fit`, which does not know the days, in operational time.
    diagnosis_ : str
        That of `purchases_`; why no season was learned, where none was, and which events have no
        day in the data.

    Examples
    --------
    >>> SeasonalModel(BetaGeoModel()).fit_days(days, as_of=date(2011, 9, 10))  # doctest: +SKIP
    """

    purchases_: PurchaseModel
    season_: SeasonCurve
    season_effects_: pd.DataFrame

    def __init__(self, purchases: PurchaseModel, season: PurchaseSeason | None = None) -> None:
        self.purchases = purchases
        self.season = season

    def fit(self, rfm: Any, weights: Weights = None) -> Self:
        """Learn the parameters, given the season.

        A season that is to be learned needs the days of purchases: `fit_days`.

        Parameters
        ----------
        rfm
            `customer_id`, `frequency`, `recency`, `T` in days, and `as_of`.
        weights
            How many customers each row stands for.

        Raises
        ------
        SettingsError
            If a season is to be learned, the model learns from the times between purchases, or
            takes no season.
        DataError
            If a value cannot be, or see the model of purchases.
        """
        check_takes_season(self.purchases)
        terms = self._season().terms()
        if terms.names or hasattr(self.purchases, "k"):
            raise SettingsError(
                f"{type(self.purchases).__name__} with this season learns from the days of "
                "purchases, which a table of frequency, recency and T does not hold: "
                "fit_days(days, as_of=...)."
            )
        table = timed(read_rfm(rfm), rfm, SeasonCurve(terms))
        columns = {name: getattr(table, name) for name in ("customer_id", *TIMING)}
        model = clone(self.purchases).fit(pd.DataFrame(columns), weights)
        self._learn_season(model, SeasonCurve(terms), 0.0, model.covariance_.to_numpy(), "")
        return self

    def fit_days(self, days: Any, *, as_of: date, rfm: Any = None) -> Self:
        """Learn the parameters and the season from customer days before `as_of`.

        Parameters
        ----------
        days
            Customer days: a `DayTable`, or the output of `customer_days`.
        as_of
            Days at or after it are not seen.
        rfm
            Not used: the season needs the days themselves.

        Raises
        ------
        DataError
            If nobody bought before `as_of`, or see the model of purchases.
        SettingsError
            If the model takes no season.
        """
        check_takes_season(self.purchases)
        table = day_table(days)
        terms, problem = self._learnable(table.first_day, day_number(as_of))
        grid = Grid.of(table, [as_of])
        if not grid.as_of.size:
            rfm_summary(table, as_of=as_of)  # says so
        data = SeasonData.of(grid)
        learned = self._learned(data, terms)
        if not learned.settled:
            problem = "The season has not settled: the data hardly tell it. Take fewer harmonics."
        ends = np.cumsum(np.exp(learned.curve.log_factors(data.days)))
        history = data.table(ends, gaps=hasattr(self.purchases, "k"))
        model = clone(self.purchases).fit(history, data.weight)
        problem = " ".join((problem, unseen_events(terms, table.first_day, data.as_of))).strip()
        density = float(data.repeats @ learned.curve.log_factors(data.days))
        self._learn_season(model, learned.curve, density, learned.covariance, problem)
        return self

    def _learnable(self, first_day: int, as_of: int) -> tuple[Terms, str]:
        """What can be learned of the season, and why not all."""
        terms, known = self._season().terms(), as_of - first_day
        if not terms.harmonics or known >= LEAST_HISTORY:
            return terms, ""
        return replace(terms, harmonics=0), (
            f"No season was learned: the data cover {known:,} days before "
            f"{calendar_day(as_of)}, and less than a year ({LEAST_HISTORY} days) does not tell a "
            "season from customers who grow older. Give a longer history, or the season itself: "
            "PurchaseSeason(factors=...)."
        )

    def _learned(self, data: SeasonData, terms: Terms) -> LearnedSeason:
        model = clone(self.purchases)
        if hasattr(model, "k") and model.k is None:
            plain = data.table(np.arange(1.0, len(data.days) + 1), gaps=True)
            model.set_params(k=clone(model).fit(plain, data.weight).k_)
        return SeasonLikelihood(model, data, terms).learn()

    def _learn_season(
        self,
        model: PurchaseModel,
        curve: SeasonCurve,
        density: float,
        covariance: FloatArray,
        problem: str,
    ) -> None:
        names = [*model.params_type._fields, *(f"season:{name}" for name in curve.terms.names)]
        cut = len(model.params_)
        errors = np.sqrt(np.diag(covariance))
        model.covariance_ = pd.DataFrame(covariance[:cut, :cut], names[:cut], names[:cut])
        model.standard_errors_ = model.params_type(*map(float, errors[:cut]))
        self.purchases_, self.season_ = model, curve
        self.covariance_ = pd.DataFrame(covariance, names, names)
        self.season_effects_ = pd.DataFrame(
            {"effect": curve.coefficients, "se": errors[cut:]},
            index=pd.Index(curve.terms.names, name="term", dtype=object),
            dtype=np.float64,
        )
        self._set_learned(model.log_likelihood_ + density, problem)

    def _set_learned(self, log_likelihood: float, problem: str) -> None:
        model = self.purchases_
        self.params_type = model.params_type  # type: ignore[misc]
        self.params_, self.standard_errors_ = model.params_, model.standard_errors_
        self.n_customers_, self.converged_ = model.n_customers_, model.converged_
        self.data_digest_ = model.data_digest_
        self.log_likelihood_ = log_likelihood
        self.diagnosis_ = " ".join(text for text in (model.diagnosis_, problem) if text)

    def _season(self) -> PurchaseSeason:
        return PurchaseSeason() if self.season is None else self.season

    @property
    def without_season(self) -> PurchaseModel:
        """The fitted model of a year in which every day is an average one: `purchases_`."""
        check_is_fitted(self, "params_")
        return self.purchases_

    def expected_purchases_new_customer(
        self, horizon: ArrayLike, first_day: date | None = None
    ) -> "pd.Series[Any]":
        """Repeat purchases in each `horizon` after a customer's first purchase.

        Parameters
        ----------
        horizon
            In days.
        first_day
            Day of the first purchase; without it, of a year without season.
        """
        check_is_fitted(self, "params_")
        if first_day is None:
            return self.purchases_.expected_purchases_new_customer(horizon)
        spans = read_horizons(horizon)
        start = day_number(check_day("first_day", first_day)) + 1
        clock = self._clock(start, float(spans.max()))
        found = self.purchases_.expected_purchases_new_customer(clock.span(spans))
        return found.set_axis(spans)

    def draw_customers(self, n: int, T: ArrayLike, rng: np.random.Generator) -> pd.DataFrame:
        """Simulate `n` customers observed for `T` of operational time; see `simulate_log`."""
        check_is_fitted(self, "params_")
        return self.purchases_.draw_customers(n, T, rng)

    def predict_purchases(
        self, rfm: Any, horizon: float, interval: float = 0.9, seed: int = 0
    ) -> pd.DataFrame:
        """As for every purchase model: exact, since a count does not mind when it is reached."""
        return super().predict_purchases(rfm, horizon, interval, seed)

    def confidence_intervals(
        self,
        level: float = 0.95,
        method: Literal["delta", "profile"] = "delta",
        data: Any = None,
        weights: Weights = None,
    ) -> pd.DataFrame:
        """Interval of each parameter of `purchases_`, by the delta method only."""
        check_is_fitted(self, "params_")
        if method == "profile":
            raise SettingsError('method="profile" is not offered with a season; use "delta".')
        return self.purchases_.confidence_intervals(level)

    def to_dict(self) -> dict[str, Any]:
        """Everything that was learned, as plain values ready for JSON."""
        check_is_fitted(self, "params_")
        covariance = self.covariance_.to_numpy()
        return {
            "model": type(self).__name__,
            "format": FORMAT,
            "purchases": self.purchases_.to_dict(),
            "season": None if self.season is None else self.season.to_dict(),
            "terms": self.season_.terms.to_dict(),
            "coefficients": list(self.season_.coefficients),
            "covariance": covariance.tolist() if np.isfinite(covariance).all() else None,
            "log_likelihood": self.log_likelihood_,
            "diagnosis": self.diagnosis_,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Rebuild a fitted model from `to_dict()`.

        Raises
        ------
        DataError
            If `saved` is of another model or format.
        """
        check_saved(saved, cls.__name__)
        inner, settings = purchase_model(saved["purchases"]), saved["season"]
        model = cls(clone(inner), None if settings is None else PurchaseSeason.from_dict(settings))
        terms = Terms.from_dict(saved["terms"])
        effects = saved_numbers("coefficients", saved["coefficients"], (len(terms.names),))
        curve = SeasonCurve(terms, tuple(effects.tolist()))
        covariance = saved_covariance(saved["covariance"], len(inner.params_) + len(effects))
        model._learn_season(inner, curve, 0.0, covariance, "")
        model.log_likelihood_ = float(saved_numbers("log_likelihood", saved["log_likelihood"], ()))
        model.diagnosis_ = saved_text("diagnosis", saved["diagnosis"])
        return model

    def _read(self, rfm: Any, columns: Sequence[str] = TIMING) -> SeasonalRfm:
        check_is_fitted(self, "params_")
        return timed(read_rfm(rfm, columns), rfm, self.season_)

    def _ask(self, rfm: Any) -> Histories:
        return self._present(self._read(rfm))

    def _present(self, table: Rfm) -> Histories:
        if not isinstance(table, SeasonalRfm):
            return super()._present(table)
        distinct = distinct_rows(table.frequency, table.recency, table.T, table.as_of.astype(float))
        return Histories(table.take(distinct.first), distinct.codes, table.customer_id)

    def _active_traits(self, table: Rfm) -> ActiveTraits | OpportunityTraits:
        return self.purchases_._active_traits(table)

    def _stage_shares(self, table: Rfm) -> FloatArray:
        return self.purchases_._stage_shares(table)

    def _clock(self, first: int, days: float) -> Clock:
        return self.season_.clock(first, int(min(np.ceil(days), FARTHEST)))

    def _in_own_time(
        self, table: Rfm, horizon: float
    ) -> Iterator[tuple[NDArray[np.intp], PurchaseModel, Rfm, float]]:
        for rows, some, clock in self._by_clock(table, horizon):
            yield rows, self.purchases_, some, float(clock.span(horizon))

    def _by_clock(self, table: Rfm, days: float) -> Iterator[tuple[NDArray[np.intp], Rfm, Clock]]:
        """Rows of one as_of, and the clock that begins there."""
        if not isinstance(table, SeasonalRfm):  # a newcomer of a year without season
            yield np.arange(len(table.T)), table, Clock(0, np.zeros(1))
            return
        for as_of in np.unique(table.as_of):
            rows = np.flatnonzero(table.as_of == as_of)
            yield rows, table.take(rows), self._clock(int(as_of), days)

    def _answers(
        self, table: Rfm, days: float, answer: Callable[[Rfm, Clock], FloatArray]
    ) -> FloatArray:
        parts = [(rows, answer(some, clock)) for rows, some, clock in self._by_clock(table, days)]
        found = np.empty((len(table.T), *parts[0][1].shape[1:]))
        for rows, values in parts:
            found[rows] = values
        return found

    def _spans(
        self, table: Rfm, days: float, answer: Callable[[Rfm, float], FloatArray]
    ) -> FloatArray:
        """What is asked of so many days after T, asked of their operational time."""
        return self._answers(table, days, lambda some, clock: answer(some, float(clock.span(days))))

    def _log_odds_inactive(self, table: Rfm) -> FloatArray:
        return self.purchases_._log_odds_inactive(table)

    def _alive(self, table: Rfm) -> FloatArray:
        return self.purchases_._alive(table)

    def _stays(self, table: Rfm, after: float) -> FloatArray:
        return self._spans(table, after, self.purchases_._stays)

    def _purchases(self, table: Rfm, horizon: float) -> FloatArray:
        return self._spans(table, horizon, self.purchases_._purchases)

    def _no_purchase(self, table: Rfm, horizon: float, lead: float) -> FloatArray:
        def none(some: Rfm, clock: Clock) -> FloatArray:
            begin, end = (float(clock.span(day)) for day in (lead, lead + horizon))
            return self.purchases_._no_purchase(some, end - begin, begin)

        return self._answers(table, lead + horizon, none)

    def _counts(self, table: Rfm, horizon: float, counts: int) -> FloatArray:
        return self._spans(table, horizon, lambda t, u: self.purchases_._counts(t, u, counts))

    def _wait(self, table: Rfm, share: float) -> FloatArray:
        def days(some: Rfm, clock: Clock) -> FloatArray:
            waits = self.purchases_._wait(some, share)
            known = np.isfinite(waits)
            waits[known] = clock.wait(waits[known])
            return waits

        return self._answers(table, FARTHEST, days)

    def _discounted_if_active(self, table: Rfm, horizon: float, rate: float) -> FloatArray:
        if rate == 0:
            return self._spans(
                table, horizon, lambda t, u: self.purchases_._discounted_if_active(t, u, 0.0)
            )

        def worth(some: Rfm, clock: Clock) -> FloatArray:
            return discounted(
                lambda span: self.purchases_._purchases(some, span), clock, horizon, rate
            )

        return self._answers(table, horizon, worth)
