"""BG/NBD: purchases until a customer silently leaves after one of them."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError
from patronage.models import betageo_quantities as quantities
from patronage.models.arguments import check_number
from patronage.models.betageo_likelihood import BetaGeoLikelihood
from patronage.models.betageo_quantities import BetaGeoParams
from patronage.models.fitting import Optimum, maximise
from patronage.models.groups import TimingGroups, distinct_rows, timing_groups
from patronage.models.likelihood_model import DataUnit, LikelihoodModel
from patronage.models.rfm_input import FloatArray, Rfm, Weights, read_rfm, read_weights

EXTREME = 1e4
"""A parameter pair beyond this (in units of the longest T) has no spread left to speak of."""
FEW = 30
"""Repeat customers below which a failed fit is put down to their number."""


class BetaGeoModel(LikelihoodModel):
    """Beta-geometric / negative binomial model of repeat purchases [1]_.

    While active, a customer buys at random with a rate of her own, lambda ~ Gamma(r, rate alpha);
    after each repeat purchase she leaves with a probability of her own, p ~ Beta(a, b).

    Attributes
    ----------
    params_ : BetaGeoParams
        r, alpha, a, b; alpha in the data's time unit.
    standard_errors_ : BetaGeoParams
        From the exact Hessian; NaN where the fit did not converge.
    covariance_ : pandas.DataFrame
        Of the parameters.
    log_likelihood_ : float
        Total, with time in the data's own unit.
    n_customers_ : int or float
        Customers fitted; the sum of weights.
    converged_ : bool
        False where the data leave a parameter without a finite estimate; `diagnosis_` says why and
        what to do. Predictions are then those of the limiting model.
    diagnosis_ : str
        Empty where the fit converged.

    References
    ----------
    .. [1] Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science
       24(2).
    """

    params_: BetaGeoParams
    standard_errors_: BetaGeoParams
    params_type = BetaGeoParams

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
            If a value cannot be, or no customer has a repeat purchase.
        """
        table = read_rfm(rfm, may_lack_customers=weights is not None)
        groups = timing_groups(table, read_weights(weights, table.customer_id))
        _check_repeats(groups)
        optimum = maximise(BetaGeoLikelihood(groups), _start(groups))
        unit = DataUnit(
            np.array([1.0, groups.scale, 1.0, 1.0]),
            -float(np.sum(groups.weight * groups.frequency) * np.log(groups.scale)),
        )
        self._learn(optimum, groups.customers, unit, _diagnosis(optimum, groups))
        self.data_digest_ = groups.digest()
        return self

    def expected_purchases(self, rfm: Any, horizon: float) -> "pd.Series[Any]":
        """Purchases each customer will make in the `horizon` after T (eq. 10)."""
        table = self._read(rfm)
        span = check_number("horizon", horizon)
        given_alive = self._per_frequency_and_T(table, quantities.purchases, span)
        return table.series(self._alive(table) * given_alive, "expected_purchases")

    def probability_alive(self, rfm: Any) -> "pd.Series[Any]":
        """Probability that each customer is still active at T; 1 without a repeat purchase."""
        table = self._read(rfm)
        return table.series(self._alive(table), "p_alive")

    def probability_no_purchase(
        self, rfm: Any, horizon: float, lead: float = 0
    ) -> "pd.Series[Any]":
        """Probability of no purchase in the `horizon` that begins `lead` after T."""
        table = self._read(rfm)
        span, wait = check_number("horizon", horizon), check_number("lead", lead)
        quiet = self._per_frequency_and_T(table, quantities.no_purchase, span, wait)
        odds = self._log_odds_inactive(table)
        none = np.minimum(_expit(odds) + _expit(-odds) * quiet, 1)  # rounding may pass 1
        return table.series(none, "p_no_purchase")

    def discounted_purchases(
        self, rfm: Any, horizon: float, rate: float, *, given_alive: bool = False
    ) -> "pd.Series[Any]":
        """Purchases in the `horizon` after T, one made s later counted as exp(-rate s).

        Parameters
        ----------
        rfm
            One row per customer.
        horizon
            In the data's time unit.
        rate
            Continuous discount rate per time unit.
        given_alive
            Take every customer as active at T.
        """
        table = self._read(rfm)
        span, delta = check_number("horizon", horizon), check_number("rate", rate)
        values = self._per_frequency_and_T(table, quantities.discounted_purchases, span, delta)
        alive = 1.0 if given_alive else self._alive(table)
        return table.series(alive * values, "discounted_purchases")

    def expected_purchases_new_customer(self, horizon: ArrayLike) -> "pd.Series[Any]":
        """Repeat purchases in each `horizon` after a customer's first purchase (eq. 9)."""
        check_is_fitted(self, "params_")
        spans = [check_number("horizon", span) for span in np.atleast_1d(np.asarray(horizon))]
        zero = np.zeros(1)
        values = [quantities.purchases(self.params_, zero, zero, span)[0] for span in spans]
        return pd.Series(values, index=pd.Index(spans, name="horizon"), name="expected_purchases")

    def _read(self, rfm: Any) -> Rfm:
        check_is_fitted(self, "params_")
        return read_rfm(rfm)

    def _log_odds_inactive(self, table: Rfm) -> FloatArray:
        x, t_x, T = table.frequency, table.recency, table.T
        return quantities.log_odds_inactive(self.params_, x, t_x, T)

    def _alive(self, table: Rfm) -> FloatArray:
        return _expit(-self._log_odds_inactive(table))

    def _per_frequency_and_T(self, table: Rfm, quantity: Any, *arguments: float) -> FloatArray:
        """Given an active customer recency does not matter: work each distinct (x, T) once."""
        distinct = distinct_rows(table.frequency, table.T)
        x, T = table.frequency[distinct.first], table.T[distinct.first]
        values: FloatArray = quantity(self.params_, x, T, *arguments)
        return values[distinct.codes]


def _check_repeats(groups: TimingGroups) -> None:
    if not groups.frequency.any():
        raise DataError(
            f"frequency is 0 for all {groups.customers:,.10g} customers: without one repeat "
            "purchase neither rate nor dropout can be estimated. Take a longer history, or check "
            "that customer_id joins a customer's orders."
        )


def _start(groups: TimingGroups) -> FloatArray:
    """The observed mean rate, spread like an exponential; dropout somewhat rare."""
    time, repeats = np.sum(groups.weight * groups.T), np.sum(groups.weight * groups.frequency)
    start: FloatArray = np.log(np.array([1.0, time / repeats, 1.0, 2.5]))
    return start


def _diagnosis(optimum: Optimum, groups: TimingGroups) -> str:
    """Why there is no finite best estimate, and what to do; empty where there is one."""
    if optimum.settled and not optimum.flat:
        return ""
    r, alpha, a, b = np.exp(optimum.log_params)
    repeaters = float(groups.weight[groups.frequency > 0].sum())
    few = (repeaters < FEW, "too few customers")
    found = [text for holds, text in (few, *_limits(r, a, b, alpha)) if holds]
    cause = "; ".join(found) or "the likelihood has no clear peak"
    return (
        f"BG/NBD has no finite best estimate on these {groups.customers:,.10g} customers "
        f"({repeaters:,.10g} with a repeat purchase): {cause}. Predictions are those of this "
        "limit. Take more customers or a longer history, and check recency and T."
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


def _expit(value: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        result: FloatArray = 1 / (1 + np.exp(-value))
    return result
