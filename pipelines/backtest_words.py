"""What a backtest of value models says, for who reads no table."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from patronage.models.backtest import Backtest
from patronage.models.forecast import Forecast
from patronage.models.model_forecast import PURCHASES
from patronage.tracking.paired_bootstrap import bootstrap_intervals

SAME = 1e-6
"""Forecasts that agree so far, relatively, are the same."""


def without_repeats(backtest: Backtest) -> Backtest:
    """Leave out models that say the same of every customer as one before them, with a note there.

    A model of regular timing that finds none (k = 1) is the model without it.
    """
    kept: list[Forecast] = []
    for forecast in backtest.forecasts:
        place = next((n for n, one in enumerate(kept) if _is_same(one, forecast)), None)
        if place is None:
            kept.append(forecast)
            continue
        text = f"{forecast.name} foresees the same for every customer and has no row of its own."
        kept[place] = replace(kept[place], note=" ".join(filter(None, (kept[place].note, text))))
    return replace(backtest, forecasts=tuple(kept))


def _is_same(one: Forecast, other: Forecast) -> bool:
    """Rules and rivals give no likelihood, and stay."""
    if one.purchases is None or other.purchases is None:
        return False
    return bool(
        np.isfinite([one.log_likelihood, other.log_likelihood]).all()
        and np.isclose(one.log_likelihood, other.log_likelihood, rtol=SAME)
        and np.allclose(one.purchases, other.purchases, rtol=SAME, atol=SAME)
    )


def level_with_best(backtest: Backtest) -> list[str]:
    """Models whose root mean squared error of purchases chance alone may set apart from the best.

    The 90 % interval, by a paired bootstrap over customers, of their squared errors less the best
    one's does not lie above 0.
    """
    actual = backtest.customers[PURCHASES].to_numpy(float)
    errors = {
        forecast.name: (forecast.purchases - actual) ** 2
        for forecast in backtest.forecasts
        if forecast.purchases is not None and np.isfinite(forecast.purchases).all()
    }
    if not errors:
        return []
    best, *others = sorted(errors, key=lambda name: float(errors[name].mean()))
    intervals = bootstrap_intervals([errors[name] - errors[best] for name in others])
    return [name for name, (low, _) in zip(others, intervals, strict=True) if low <= 0]


def in_plain_words(
    table: pd.DataFrame, customers: int, horizon: int, cutoff: date, level: Sequence[str] = ()
) -> str:
    """Which forecast of purchases came nearest, by how much, and what that means for a run.

    Parameters
    ----------
    table
        As `Backtest.table`: the best first.
    customers
        How many there are.
    horizon, cutoff
        Days of the hold-out and its first day.
    level
        As of `level_with_best`.
    """
    known = table[(table["target"] == "purchases") & table["rmse"].notna()]
    if known.empty:
        return "No model had a forecast of purchases."
    best, others = known.iloc[0], known.iloc[1:]
    off = best["predicted"] - best["actual"]
    side = f"{abs(off):,.0f} too {'many' if off > 0 else 'few'}" if round(off) else "just as many"
    text = (
        f"In the {horizon} days from {cutoff} {customers:,} customers made {best['actual']:,.0f} "
        f"purchases. By root mean squared error {best['model']} came nearest, with "
        f"{best['rmse']:.2f}: it foresaw {best['predicted']:,.0f} in all, {side}, and for one "
        f"customer it is typically off by {best['mae']:.2f} purchases (mean absolute error)."
    )
    if others.empty:
        return text
    return f"{text} {_beside(others, level)} {_MEANING}"


_MEANING = (
    "Nothing is to be set: `patronage run` chooses its model of purchases itself, by how likely "
    "the model found what came."
)


def _beside(others: pd.DataFrame, level: Sequence[str]) -> str:
    """Ties as ties; else the next, and the last."""
    second, worst = others.iloc[0], others.iloc[-1]
    if level:
        text = (
            f"{', '.join(level)} {'ties' if len(level) == 1 else 'tie'} with it: the difference "
            "is within chance (90 % interval of a paired bootstrap over customers)."
        )
    else:
        text = f"The next, {second['model']}, has {second['rmse']:.2f}, which is beyond chance."
    if len(others) > max(len(level), 1):
        text = f"{text} The last, {worst['model']}, has {worst['rmse']:.2f}."
    return text
