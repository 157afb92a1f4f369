"""BG/BB: purchases at regular opportunities until a customer silently leaves before one."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError
from patronage.models import betageobetabinom_quantities as quantities
from patronage.models.active_traits import OpportunityTraits
from patronage.models.arguments import check_count, check_periods
from patronage.models.betageobetabinom_likelihood import (
    BetaGeoBetaBinomLikelihood,
    BetaGeoBetaBinomParams,
    Histories,
    count_histories,
)
from patronage.models.fitting import Optimum, maximise
from patronage.models.groups import distinct_rows
from patronage.models.likelihood_model import DataUnit
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import (
    TIMING,
    FloatArray,
    Rfm,
    Weights,
    read_rfm,
    read_weights,
    refuse_values,
)

EXTREME = 1e4
"""A parameter pair beyond this has no spread left to speak of."""
TELLING = 3
"""Opportunities from which on four parameters can be told apart."""
MOST_OPPORTUNITIES = 100_000
"""Daily ones of 270 years: a longer T is a date or a time of another unit."""
OPPORTUNITIES = (
    "T counts opportunities, frequency those with a purchase, recency is the last one with a "
    "purchase (0 for none)"
)


class BetaGeoBetaBinomModel(PurchaseModel):
    """Beta-geometric / beta-binomial model of purchases at regular opportunities [1]_.

    While active, a customer buys at each opportunity (a year's appeal, a cruise, a match) with a
    probability of her own, p ~ Beta(alpha, beta); before each opportunity she leaves for good with
    a probability of her own, theta ~ Beta(gamma, delta). The purchase that made her a customer is
    not counted.

    Time is counted in opportunities: `T` is their number so far, `recency` that of the last one
    with a purchase, horizons are whole numbers. A customer counts as active at T when she has not
    left before opportunity T + 1, the next one: so the paper and BTYD tabulate P(alive); lifetimes'
    `conditional_probability_alive(m)` is `probability_alive(after=m - 1)`. The j-th opportunity
    after T is discounted by exp(-rate j).

    Attributes
    ----------
    params_ : BetaGeoBetaBinomParams
        alpha, beta, gamma, delta.
    standard_errors_ : BetaGeoBetaBinomParams
        From the exact Hessian; NaN where the fit did not converge.
    covariance_ : pandas.DataFrame
        Of the parameters.
    log_likelihood_ : float
        Total.
    n_customers_ : int or float
        Customers fitted; the sum of weights.
    converged_ : bool
        False where the data leave a parameter without a finite estimate; `diagnosis_` says why and
        what to do. Predictions are then those of the limiting model.
    diagnosis_ : str
        Empty where the fit converged.

    References
    ----------
    .. [1] Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual
       Setting, Marketing Science 29(6).
    """

    params_: BetaGeoBetaBinomParams
    standard_errors_: BetaGeoBetaBinomParams
    params_type = BetaGeoBetaBinomParams

    def fit(self, rfm: Any, weights: Weights = None) -> Self:
        """Learn alpha, beta, gamma, delta from one row per customer.

        Parameters
        ----------
        rfm
            `customer_id`, `frequency`, `recency`, `T`, in opportunities.
        weights
            How many customers each row stands for; `customer_id` is then optional.

        Raises
        ------
        DataError
            If a value cannot be, or no customer made a purchase.
        """
        table = _check_opportunities(read_rfm(rfm, may_lack_customers=weights is not None))
        histories = count_histories(table, read_weights(weights, table.customer_id))
        _check_purchases(histories)
        optimum = maximise(BetaGeoBetaBinomLikelihood(histories), _start(histories))
        customers = float(histories.weight.sum())
        diagnosis = _diagnosis(optimum, histories)
        self._learn(optimum, customers, DataUnit(np.ones(4), 0.0), diagnosis)
        self.data_digest_ = histories.digest()
        return self

    def next_purchase(self, rfm: Any, interval: float = 0.8) -> pd.DataFrame:
        """Opportunities from T to the next purchase, given that the customer is active at T.

        Parameters
        ----------
        rfm
            One row per customer.
        interval
            Probability that the next purchase lies between `low` and `high`.

        Returns
        -------
        DataFrame
            `median`, `low`, `high`, whole numbers; infinite where so many leave before they buy
            again that the share is not reached within 10,000 opportunities.
        """
        return super().next_purchase(rfm, interval)

    def draw_customers(self, n: int, T: ArrayLike, rng: np.random.Generator) -> pd.DataFrame:
        """Simulate `n` customers observed for `T` opportunities, a number or one for each.

        Returns
        -------
        DataFrame
            What `fit` takes, and the latent truth: `rate`, the chance to buy at an opportunity;
            `dropout`, the chance to leave before one; `active`, whether she is there for T + 1.
        """
        check_is_fitted(self, "params_")
        alpha, beta, gamma, delta = self.params_
        size = check_count("n", n)
        seen = np.broadcast_to(np.asarray(T, dtype=np.float64), size)
        buys, leaves = rng.beta(alpha, beta, size), rng.beta(gamma, delta, size)
        stayed = _failures(leaves, rng)
        there = np.minimum(stayed, seen)
        last = np.maximum(there - _failures(buys, rng), 0)
        before = rng.binomial(np.maximum(last - 1, 0).astype(np.int64), buys)
        return pd.DataFrame(
            {
                "customer_id": np.arange(size),
                "frequency": np.where(last > 0, before + 1, 0),
                "recency": last,
                "T": seen,
                "rate": buys,
                "dropout": leaves,
                "active": stayed > seen,
            }
        )

    def _active_traits(self, table: Rfm) -> OpportunityTraits:
        return OpportunityTraits(*self.params_)

    def _log_odds_inactive(self, table: Rfm) -> FloatArray:
        distinct = distinct_rows(table.frequency, table.recency, table.T)
        history = (table.frequency, table.recency, table.T)
        x, t_x, n = (column[distinct.first].astype(np.intp) for column in history)
        return quantities.log_odds_inactive(self.params_, x, t_x, n)[distinct.codes]

    def _stays(self, table: Rfm, after: float) -> FloatArray:
        ahead = check_periods("after", after)
        return self._per_history(table, lambda p, _, n: quantities.stays(p, n, ahead))

    def _purchases(self, table: Rfm, horizon: float) -> FloatArray:
        return self._discounted_if_active(table, horizon, 0.0)

    def _no_purchase(self, table: Rfm, horizon: float, lead: float) -> FloatArray:
        ahead, span = check_periods("lead", lead), check_periods("horizon", horizon)
        pmf = self._per_history(table, quantities.count_pmf, span, ahead, 1)
        return pmf[:, 0]

    def _counts(self, table: Rfm, horizon: float, counts: int) -> FloatArray:
        span = check_periods("horizon", horizon)
        return self._per_history(table, quantities.count_pmf, span, 0.0, counts)

    def _wait(self, table: Rfm, share: float) -> FloatArray:
        return self._per_history(table, quantities.wait, share)

    def _discounted_if_active(self, table: Rfm, horizon: float, rate: float) -> FloatArray:
        span = check_periods("horizon", horizon, finite=False)
        return self._per_history(table, quantities.purchases, span, rate)

    def _read(self, rfm: Any, columns: Sequence[str] = TIMING) -> Rfm:
        return _check_opportunities(super()._read(rfm, columns))

    def _per_history(self, table: Rfm, quantity: Any, *arguments: float) -> FloatArray:
        """Given an active customer recency does not matter: work each distinct (x, n) once."""
        distinct = distinct_rows(table.frequency, table.T)
        x, n = (c[distinct.first].astype(np.intp) for c in (table.frequency, table.T))
        values: FloatArray = quantity(self.params_, x, n, *arguments)
        return values[distinct.codes]


def _check_opportunities(table: Rfm) -> Rfm:
    ids, x, t_x = table.customer_id, table.frequency, table.recency
    for name, values in (("recency", t_x), ("T", table.T)):
        fraction = values != np.floor(values)
        refuse_values(name, fraction, values, ids, "is not a whole number", f"{OPPORTUNITIES}.")
    too_many = table.T > MOST_OPPORTUNITIES
    refuse_values(
        "T",
        too_many,
        table.T,
        ids,
        f"exceeds {MOST_OPPORTUNITIES:,}",
        f"{OPPORTUNITIES}; give no date and no time in another unit.",
    )
    refuse_values("frequency", x > t_x, x, ids, "exceeds recency", f"{OPPORTUNITIES}.")
    return table


def _check_purchases(histories: Histories) -> None:
    if not histories.x.any():
        raise DataError(
            f"frequency is 0 for all {histories.weight.sum():,.10g} customers: without a purchase "
            "neither the chance to buy nor the chance to leave can be estimated. Take more "
            "opportunities, or check that customer_id joins a customer's orders."
        )


def _start(histories: Histories) -> FloatArray:
    """The observed share of opportunities taken, spread evenly; leaving somewhat rare."""
    w, x, n = histories.weight, histories.x, histories.n
    share = float(np.clip((w @ x) / (w @ n), 0.01, 0.99))
    start: FloatArray = np.log(np.array([2 * share, 2 * (1 - share), 1.0, 4.0]))
    return start


def _diagnosis(optimum: Optimum, histories: Histories) -> str:
    """Why there is no finite best estimate, and what to do; empty where there is one."""
    if optimum.settled and not optimum.flat:
        return ""
    alpha, beta, gamma, delta = np.exp(optimum.log_params)
    longest = int(histories.n.max())
    found = [f"T is at most {longest}, too few opportunities to tell four parameters apart"]
    if longest >= TELLING:
        found = [text for holds, text in _limits(alpha, beta, gamma, delta) if holds]
    cause = "; ".join(found) or "the likelihood has no clear peak"
    buyers = float(histories.weight[histories.x > 0].sum())
    return (
        f"BG/BB has no finite best estimate on these {histories.weight.sum():,.10g} customers "
        f"({buyers:,.10g} with a purchase): {cause}. Predictions are those of this limit. Take "
        "more customers or more opportunities, and check recency and T."
    )


def _limits(alpha: float, beta: float, gamma: float, delta: float) -> list[tuple[bool, str]]:
    buys, leaves = alpha / (alpha + beta), gamma / (gamma + delta)
    rare, sure = 1 / EXTREME, 1 - 1 / EXTREME
    return [
        (leaves < rare, "no dropout can be identified (E[theta] -> 0, everyone active)"),
        (leaves > sure, "everyone leaves before the first opportunity (E[theta] -> 1)"),
        (buys > sure, "all buy at every opportunity until they leave (E[p] -> 1)"),
        (
            alpha + beta > EXTREME and rare <= buys <= sure,
            f"no heterogeneity of purchases (alpha and beta -> infinity, p = {buys:.3g})",
        ),
        (
            gamma + delta > EXTREME and rare <= leaves <= sure,
            f"no heterogeneity of dropout (gamma and delta -> infinity, theta = {leaves:.3g})",
        ),
        (alpha + beta < rare, "purchases are all or nothing (alpha and beta -> 0)"),
        (gamma + delta < rare, "dropout is all or nothing (gamma and delta -> 0)"),
    ]


def _failures(chance: FloatArray, rng: np.random.Generator) -> FloatArray:
    """How often nothing happens before the first time it does, at this chance each."""
    with np.errstate(divide="ignore"):  # a chance of 1 is never missed
        again = np.log1p(-np.maximum(chance, np.finfo(np.float64).tiny))
    count: FloatArray = np.floor(np.log1p(-rng.random(len(chance))) / again)
    return count
