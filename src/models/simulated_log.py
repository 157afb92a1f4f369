"""Simulated transactions: what customers who behave as a model says would leave in a log."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.errors import SettingsError
from patronage.features.arrays import day_number
from patronage.models.arguments import check_count
from patronage.models.betageobetabinom import BetaGeoBetaBinomModel
from patronage.models.gammagamma import GammaGammaModel
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray
from patronage.models.seasonal_model import SeasonalModel
from patronage.time_units import TimeUnit, days_in

Timing: TypeAlias = Callable[[Any], Any]
SECONDS_A_DAY = 86_400


def simulate_log(
    model: PurchaseModel,
    *,
    customers: int,
    start: date,
    end: date,
    last_arrival: date | None = None,
    spend: GammaGammaModel | None = None,
    time_unit: TimeUnit = "D",
    seed: int,
) -> pd.DataFrame:
    """Transactions of customers who behave exactly as the model says.

    First purchases are spread evenly over [start, last_arrival). Purchases of one customer on one
    day stay apart; `customer_days` and `rfm_summary` join them, as with any log.

    Parameters
    ----------
    model
        Fitted, or with parameters of your choice: `BetaGeoModel.with_params(...)`.
    customers
        How many make a first purchase.
    start, end
        The log covers [start, end).
    last_arrival
        First day without new customers; `end` by default.
    spend
        A fitted model of spend per purchase; it is independent of how often they buy.
    time_unit
        Of the model's parameters: "h" hours, "D" days, "W" weeks, "M" months of 365.25 / 12 days,
        "Y" years of 365.25. An opportunity of the beta-geometric /
        beta-binomial model is one such unit.
    seed
        Of the chance behind it all.

    Returns
    -------
    DataFrame
        `customer_id` (from 0), `timestamp` (datetime64[s]) and, given `spend`, `amount`, in the
        order of time.

    Raises
    ------
    SettingsError
        If the days are not in order or `customers` is less than 1.
    """
    arrive_by = end if last_arrival is None else last_arrival
    if not start < arrive_by <= end:
        raise SettingsError(
            f"start={start}, last_arrival={arrive_by} and end={end} must come in this order, the "
            "first two not on one day."
        )
    n, rng = check_count("customers", customers, least=1), np.random.default_rng(seed)
    unit = days_in(time_unit) * SECONDS_A_DAY
    first, last = (_seconds(day) for day in (start, end))
    arrived = rng.uniform(first, _seconds(arrive_by), n)
    shown, reached = _clock(model, start, end)
    model = model.purchases_ if isinstance(model, SeasonalModel) else model
    ages = (shown(last) - shown(arrived)) / unit
    drawn = model.draw_customers(n, _opportunities(model, ages), rng)
    customer = np.repeat(np.arange(n), drawn["frequency"].to_numpy(np.int64))
    passed = unit * _purchase_times(model, drawn, customer, rng)
    later = reached(shown(arrived)[customer] + passed)
    log = _frame(np.concatenate([np.arange(n), customer]), np.concatenate([arrived, later]))
    if spend is not None:
        log["amount"] = _amounts(spend, log["customer_id"].to_numpy(), n, rng)
    return log.sort_values(["timestamp", "customer_id"], kind="stable", ignore_index=True)


def _seconds(day: date) -> float:
    return (datetime(day.year, day.month, day.day) - datetime(1970, 1, 1)).total_seconds()


def _clock(model: PurchaseModel, start: date, end: date) -> tuple[Timing, Timing]:
    """From seconds to what the model's clock shows, and back."""
    if not isinstance(model, SeasonalModel):
        return (lambda seconds: seconds), (lambda shown: shown)
    clock = model.season_.clock(day_number(start), (end - start).days)
    day = SECONDS_A_DAY
    return (lambda seconds: day * clock.at(seconds / day)), (
        lambda shown: day * clock.day(shown / day)
    )


def _opportunities(model: PurchaseModel, ages: FloatArray) -> FloatArray:
    return np.floor(ages) if isinstance(model, BetaGeoBetaBinomModel) else ages


def _frame(customer: NDArray[Any], seconds: FloatArray) -> pd.DataFrame:
    stamps = np.floor(seconds).astype(np.int64).astype("datetime64[s]")
    return pd.DataFrame({"customer_id": customer, "timestamp": stamps})


def _purchase_times(
    model: PurchaseModel, drawn: pd.DataFrame, customer: NDArray[Any], rng: np.random.Generator
) -> FloatArray:
    """When each repeat purchase is made after the first one, given how many and the last.

    With purchases by chance the earlier ones are spread evenly before the last, so that the gaps
    are Dirichlet(1); with gaps of k stages they are Dirichlet(k).
    """
    last = drawn["recency"].to_numpy(np.float64)
    if isinstance(model, BetaGeoBetaBinomModel):
        return _chosen_opportunities(last, customer, rng)
    parts = rng.gamma(getattr(model, "k_", 1), size=len(customer))
    whole = np.bincount(customer, parts, minlength=len(last))
    before = np.cumsum(np.concatenate([[0.0], whole]))[customer]
    so_far = np.cumsum(parts) - before
    times: FloatArray = last[customer] * np.minimum(so_far / whole[customer], 1.0)
    return times


def _chosen_opportunities(
    last: FloatArray, customer: NDArray[Any], rng: np.random.Generator
) -> FloatArray:
    """The last one, and others before it chosen at random without repeats."""
    counts = np.bincount(customer, minlength=len(last))
    chosen = [
        np.sort(rng.permutation(int(last[c]) - 1)[: counts[c] - 1]) + 1
        for c in np.flatnonzero(counts)
    ]
    ends = last[np.flatnonzero(counts)]
    parts = [np.append(before, end) for before, end in zip(chosen, ends, strict=True)]
    return np.concatenate([np.empty(0), *parts])


def _amounts(
    spend: GammaGammaModel, customer: NDArray[Any], n: int, rng: np.random.Generator
) -> FloatArray:
    p, q, v = spend.params_
    level = rng.gamma(q, 1 / v, n)
    amounts: FloatArray = rng.gamma(p, size=len(customer)) / level[customer]
    return amounts
