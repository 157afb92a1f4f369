"""What a value model has to beat: rules that need no model, and the package lifetimes."""

import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

from patronage.models.forecast import Forecast
from patronage.models.rfm_input import FloatArray

SAME_RATE, LAST_PERIOD, LIFETIMES = "same rate as before", "same as last period", "lifetimes BG/NBD"


def naive_forecasts(customers: pd.DataFrame, horizon: float) -> Iterator[Forecast]:
    """The customer's own rate so far; and, where it is known, what came in the last period.

    Parameters
    ----------
    customers
        `frequency` and `T`; `last_purchases`, those in the horizon before T, if known; for spend
        `monetary_value` and `last_spend`.
    horizon
        In the unit of T.
    """
    rate = customers["frequency"].to_numpy(float) / customers["T"].to_numpy(float)
    spend = None
    if "monetary_value" in customers:
        spend = rate * horizon * customers["monetary_value"].to_numpy(float)
    yield Forecast(SAME_RATE, rate * horizon, spend)
    if "last_purchases" in customers:
        last = customers["last_purchases"].to_numpy(float)
        yield Forecast(LAST_PERIOD, last, _column(customers, "last_spend"))


def lifetimes_forecast(customers: pd.DataFrame, horizon: float) -> Forecast:
    """BG/NBD, and Gamma-Gamma where spend is known, as lifetimes fits them without a penalty.

    What lifetimes cannot do is told in the forecast's note, never raised.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        try:
            from lifetimes import BetaGeoFitter

            timing = (customers["frequency"], customers["recency"], customers["T"])
            model = BetaGeoFitter().fit(*timing)
            found = model.conditional_expected_number_of_purchases_up_to_time(horizon, *timing)
            purchases = np.asarray(found, dtype=np.float64)
            spend = _lifetimes_spend(customers) if "monetary_value" in customers else None
        except Exception as error:  # whatever a foreign fit raises is its result
            return Forecast(LIFETIMES, note=" ".join(f"{type(error).__name__}: {error}".split()))
    note = "" if np.isfinite(purchases).all() else _undefined(purchases)
    return Forecast(LIFETIMES, purchases, None if spend is None else purchases * spend, note=note)


def _lifetimes_spend(customers: pd.DataFrame) -> FloatArray:
    from lifetimes import GammaGammaFitter

    known = customers[(customers["frequency"] > 0) & (customers["monetary_value"] > 0)]
    model = GammaGammaFitter().fit(known["frequency"], known["monetary_value"])
    spend: Any = model.conditional_expected_average_profit(
        customers["frequency"], customers["monetary_value"]
    )
    return np.asarray(spend, dtype=np.float64)


def _undefined(purchases: FloatArray) -> str:
    bad = int(np.count_nonzero(~np.isfinite(purchases)))
    return f"the forecast is NaN or infinite for {bad:,} of {len(purchases):,} customers"


def _column(customers: pd.DataFrame, name: str) -> FloatArray | None:
    return customers[name].to_numpy(float) if name in customers else None
