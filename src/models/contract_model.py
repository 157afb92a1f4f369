"""What the models of contracts offer: how long customers renew, and what that is worth."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError
from patronage.models.arguments import check_count, check_number, check_periods
from patronage.models.beta_survival import BetaSurvival
from patronage.models.contract_input import (
    Contracts,
    Renewals,
    count_renewals,
    read_contracts,
    survivor_table,
)
from patronage.models.contract_likelihood import ContractLikelihood
from patronage.models.fitting import Optimum, maximise
from patronage.models.groups import distinct_rows
from patronage.models.likelihood_model import DataUnit, LikelihoodModel
from patronage.models.rfm_input import FloatArray, Weights, read_weights


class ContractModel(LikelihoodModel, ABC):
    """A model of customers who renew a contract period by period, or do not and are lost.

    A table of contracts has one row per customer: `customer_id`; `recency`, the last period with a
    contract (1 = never renewed); `T`, the last period that was seen, the first contract's being 1.
    Who has `recency` = `T` is active; T - 1 renewals were seen. Cohorts differ in T only: one set
    of parameters serves all. For parameters of their own fit a model to each.
    """

    def fit(self, contracts: Any, weights: Weights = None) -> Self:
        """Learn the parameters from one row per customer.

        Parameters
        ----------
        contracts
            `customer_id`, `recency`, `T`, in periods.
        weights
            How many customers each row stands for; `customer_id` is then optional.

        Raises
        ------
        DataError
            If a value cannot be, or no renewal was seen.
        """
        table = read_contracts(contracts, may_lack_customers=weights is not None)
        return self._fit(count_renewals(table, read_weights(weights, table.customer_id)))

    def fit_survivors(self, *cohorts: Sequence[float]) -> Self:
        """Learn the parameters from counts of survivors.

        Parameters
        ----------
        *cohorts
            For each cohort its size, then how many were left after each renewal that was seen,
            e.g. [1000, 869, 743].

        Raises
        ------
        DataError
            If counts rise, or are not numbers of customers.
        """
        table = survivor_table(*cohorts)
        return self.fit(table, weights=table["weight"].to_numpy())

    def _fit(self, renewals: Renewals) -> Self:
        if not np.any(renewals.kept + renewals.lost):
            raise DataError(
                f"T is 1 for all {renewals.customers:,.10g} customers: no renewal was seen, so "
                "nothing can be learned about them. Take a later T, or older customers."
            )
        likelihood = ContractLikelihood(renewals.kept, renewals.lost, renewals.customers)
        first = np.argmax(renewals.kept + renewals.lost > 0)
        odds = (renewals.kept[first] + 1) / (renewals.lost[first] + 1)
        start = np.log([1.0, odds, 1.0])[: len(self.params_type._fields)]
        optimum = maximise(likelihood, start)
        unit = DataUnit(np.ones(len(start)), 0.0)
        self._learn(optimum, renewals.customers, unit, self._diagnosis(optimum, renewals))
        self.data_digest_ = renewals.digest()
        return self

    @abstractmethod
    def _diagnosis(self, optimum: Optimum, renewals: Renewals) -> str:
        """Why there is no finite best estimate, and what to do; empty where there is one."""

    @property
    def _curve(self) -> BetaSurvival:
        check_is_fitted(self, "params_")
        return BetaSurvival(*self.params_)

    def retention_rates(self, periods: int) -> "pd.Series[Any]":
        """Share of those still there who renew, at renewal 1, ..., `periods`."""
        last = check_count("periods", periods, least=1)
        index = pd.RangeIndex(1, last + 1, name="renewal")
        return pd.Series(self._curve.retention(1, last), index=index, name="retention")

    def survival(self, periods: int) -> "pd.Series[Any]":
        """Share of new customers left after renewal 0, 1, ..., `periods`."""
        time = np.arange(check_count("periods", periods) + 1.0)
        values = self._curve.survival(np.zeros_like(time), time)
        return pd.Series(values, index=time.astype(int), name="survival").rename_axis("renewal")

    def probability_alive(self, contracts: Any, after: float = 0) -> "pd.Series[Any]":
        """Probability that each customer has a contract `after` periods past T.

        At T itself that is known: 1 where `recency` = `T`, else 0.
        """
        curve, table = self._curve, read_contracts(contracts)
        ahead = check_periods("after", after)
        values = self._per_age(table, lambda age: curve.survival(age, np.full_like(age, ahead)))
        return pd.Series(table.active * values, index=table.customer_id, name="p_alive")

    def expected_active(
        self, contracts: Any, periods: int, weights: Weights = None
    ) -> "pd.Series[Any]":
        """How many of the customers will have a contract 0, 1, ..., `periods` after their T.

        Parameters
        ----------
        contracts
            One row per customer.
        periods
            How far to project.
        weights
            How many customers each row stands for; `customer_id` is then optional.
        """
        curve = self._curve
        table = read_contracts(contracts, may_lack_customers=weights is not None)
        count = read_weights(weights, table.customer_id) * table.active
        ahead = np.arange(check_count("periods", periods) + 1.0)
        ages, codes = np.unique(table.T - 1, return_inverse=True)
        held = np.bincount(codes, count)
        left = [curve.survival(np.full_like(ahead, age), ahead) for age in ages]
        index = pd.RangeIndex(len(ahead), name="after")
        return pd.Series(held @ np.array(left), index=index, name="expected_active")

    def expected_renewals(
        self, contracts: Any, horizon: float = np.inf, *, given_alive: bool = False
    ) -> "pd.Series[Any]":
        """Renewals each customer will make in the next `horizon` periods: residual lifetime.

        Infinite for an infinite horizon where few leave ever (alpha c <= 1).
        """
        values = self.discounted_renewals(contracts, 0.0, horizon, given_alive=given_alive)
        return values.rename("expected_renewals")

    def discounted_renewals(
        self,
        contracts: Any,
        rate: float,
        horizon: float = np.inf,
        *,
        wait: float = 1.0,
        given_alive: bool = False,
    ) -> "pd.Series[Any]":
        """Renewals to come, one made s periods from now counted as exp(-rate s).

        Parameters
        ----------
        contracts
            One row per customer.
        rate
            Continuous discount rate per period: ln(1 + d) for an effective rate d.
        horizon
            How many renewals to look ahead; infinite by default.
        wait
            Periods from now to the next renewal: 0 just before it, which is the discounted
            expected residual lifetime (DERL) of Fader & Hardie (2010), eq. 6; 1 just after the
            last.
        given_alive
            Take every customer as active at T.
        """
        curve, table = self._curve, read_contracts(contracts)
        span = check_periods("horizon", horizon, finite=False)
        delta, lead = check_number("rate", rate), check_number("wait", wait)
        shift = np.exp(delta * (1 - lead))
        values = self._per_age(table, lambda age: shift * curve.residual(age, span, delta))
        held = values if given_alive else np.where(table.active > 0, values, 0.0)
        return pd.Series(held, index=table.customer_id, name="discounted_renewals")

    def discounted_lifetime(self, rate: float, horizon: float = np.inf) -> float:
        """Discounted periods of a new customer (DEL): the first counts 1, later ones if renewed.

        Parameters
        ----------
        rate
            Continuous discount rate per period: ln(1 + d) for an effective rate d.
        horizon
            How many renewals to look ahead.
        """
        span = check_periods("horizon", horizon, finite=False)
        return 1 + float(self._curve.residual(np.zeros(1), span, check_number("rate", rate))[0])

    def discounted_residual_lifetime(self, renewal: ArrayLike, rate: float) -> "pd.Series[Any]":
        """DERL just before the n-th renewal, which counts undiscounted if made.

        Parameters
        ----------
        renewal
            One number n >= 1 or several.
        rate
            Continuous discount rate per period: ln(1 + d) for an effective rate d.

        References
        ----------
        .. [1] Fader & Hardie (2010), Customer-Base Valuation in a Contractual Setting, Marketing
           Science 29(1), eq. 6.
        """
        delta = check_number("rate", rate)
        numbers = [check_count("renewal", n, least=1) for n in np.atleast_1d(np.asarray(renewal))]
        values = np.exp(delta) * self._curve.residual(np.array(numbers) - 1.0, np.inf, delta)
        index = pd.Index(numbers, name="renewal")
        return pd.Series(values, index=index, name="discounted_residual_lifetime")

    def clv(
        self,
        contracts: Any,
        margin: float,
        annual_discount_rate: float,
        periods_per_year: float,
        horizon: float = np.inf,
        *,
        wait: float = 1.0,
    ) -> "pd.Series[Any]":
        """Expected discounted margin of the renewals to come, in the currency of `margin`.

        Parameters
        ----------
        contracts
            One row per customer.
        margin
            Earned with each renewal.
        annual_discount_rate
            Effective rate per year; ln(1 + it) / `periods_per_year` is the rate per period.
        periods_per_year
            1 for yearly contracts, 12 for monthly ones.
        horizon
            How many renewals to look ahead.
        wait
            Periods from now to the next renewal.
        """
        share = check_number("margin", margin, above=-np.inf)
        year = check_number("periods_per_year", periods_per_year, closed=False)
        rate = float(np.log1p(check_number("annual_discount_rate", annual_discount_rate))) / year
        count = self.discounted_renewals(contracts, rate, horizon, wait=wait)
        return (share * count).rename("clv")

    def draw_customers(self, n: int, T: ArrayLike, rng: np.random.Generator) -> pd.DataFrame:
        """Simulate `n` customers seen for `T` periods, a number or one for each.

        Returns
        -------
        DataFrame
            What `fit` takes, and the latent truth: `theta`, the chance to be lost at the first
            renewal; `lifetime`, periods with a contract; `active`, whether she has one at T.
        """
        curve, size = self._curve, check_count("n", n)
        theta, chance = rng.beta(curve.alpha, curve.beta, size), rng.random(size)
        leaves = np.maximum(theta, np.finfo(np.float64).tiny)
        with np.errstate(divide="ignore"):
            endured = (np.log1p(-chance) / np.log1p(-leaves)) ** (1 / curve.c)
        lifetime = np.maximum(np.ceil(endured), 1)
        seen = np.broadcast_to(np.asarray(T, dtype=np.float64), size)
        return pd.DataFrame(
            {
                "customer_id": np.arange(size),
                "recency": np.minimum(lifetime, seen),
                "T": seen,
                "theta": theta,
                "lifetime": lifetime,
                "active": lifetime >= seen,
            }
        )

    @staticmethod
    def _per_age(table: Contracts, quantity: Any) -> FloatArray:
        """Work each distinct number of renewals passed once."""
        distinct = distinct_rows(table.T)
        values: FloatArray = quantity(table.T[distinct.first] - 1)
        return values[distinct.codes]
