"""How far forecasts of purchases or spend lay from what came: errors, ranking, calibration."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from patronage.models.rfm_input import FloatArray

DECILES = 10
METRICS = ("actual", "predicted", "bias", "mae", "rmse", "deviance", "decile_mape", "gini")


def forecast_metrics(actual: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """All of `METRICS`: totals, then means per customer, then calibration and ranking.

    Returns
    -------
    dict
        `actual`, `predicted`: totals. `bias`: mean of predicted - actual. `mae`, `rmse`.
        `deviance`: see `poisson_deviance`. `decile_mape`: mean, over the tenths of `decile_table`
        in which anything came, of |predicted - actual| / actual [1]_. `gini`: see
        `normalised_gini`.

    References
    ----------
    .. [1] Wang, Liu & Miao (2019), A Deep Probabilistic Model for Customer Lifetime Value
       Prediction, arXiv:1912.07753, sec. 4.
    """
    y, mean = (np.asarray(values, dtype=np.float64) for values in (actual, predicted))
    error = mean - y
    return {
        "actual": float(y.sum()),
        "predicted": float(mean.sum()),
        "bias": float(error.mean()),
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "deviance": poisson_deviance(y, mean),
        "decile_mape": _mape(decile_table(y, mean)),
        "gini": normalised_gini(y, mean),
    }


def poisson_deviance(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean Poisson deviance: 0 for a perfect forecast; infinite where 0 was predicted and not so.

    NaN where a value is negative, as net spend can be.
    """
    y, mean = (np.asarray(values, dtype=np.float64) for values in (actual, predicted))
    if min(y.min(), mean.min()) < 0:
        return float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = np.where(y > 0, y * np.log(y / mean), 0.0)
    return float(2 * np.mean(surprise - y + mean))


def decile_table(actual: ArrayLike, predicted: ArrayLike) -> pd.DataFrame:
    """Means of tenths of the customers, by what was predicted; the lowest first.

    Customers of equal prediction count alike, so the order of rows changes nothing.

    Returns
    -------
    DataFrame
        Index `decile`, 1 to 10; `predicted`, `actual` (means) and `n`.
    """
    y, mean = _spread_over_ties(actual, predicted)
    tenth = np.arange(len(mean)) * DECILES // len(mean) + 1
    table = pd.DataFrame({"predicted": mean, "actual": y}).groupby(tenth)
    return table.mean().assign(n=table.size()).rename_axis("decile")


def normalised_gini(actual: ArrayLike, predicted: ArrayLike) -> float:
    """How well the forecast ranks customers by what came: 1 perfectly, 0 as by chance [1]_.

    The Gini coefficient of the gains curve in the order of the forecast, over that in the order
    of the truth; customers of equal prediction share what came from them. NaN where all customers
    brought the same.

    References
    ----------
    .. [1] Wang, Liu & Miao (2019), arXiv:1912.07753, sec. 4.
    """
    most = _gini(actual, actual)
    return _gini(actual, predicted) / most if most else float("nan")


def _gini(actual: ArrayLike, score: ArrayLike) -> float:
    """Area between the gains curve and the diagonal, times 2 x the total."""
    y, _ = _spread_over_ties(actual, score)
    place = 2 * np.arange(1, len(y) + 1) - len(y) - 1
    return float(place @ y) / len(y)


def _spread_over_ties(actual: ArrayLike, score: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Both in ascending order of the score; those who tie get their mean."""
    y, s = (np.asarray(values, dtype=np.float64) for values in (actual, score))
    levels, place, n = np.unique(s, return_inverse=True, return_counts=True)
    shared = np.bincount(place, y) / n
    return np.repeat(shared, n), np.repeat(levels, n)


def _mape(deciles: pd.DataFrame) -> float:
    came = deciles[deciles["actual"] > 0]
    error: Any = (came["predicted"] - came["actual"]).abs() / came["actual"]
    return float(error.mean())
