"""Tracking: repeat purchases week by week, as they came and as a value model expects them."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.features import DayTable, weekly_purchases
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray
from patronage.models.seasonal_model import SeasonalModel

WEEK = 7


def track_purchases(days: DayTable, model: PurchaseModel, *, end: date) -> pd.DataFrame:
    """Actual and expected repeat purchases of all customers in each whole week before `end`.

    The expectation follows from the days of the first purchases and from the model alone: the sum,
    over customers, of the expected repeat purchases of somebody first seen on that day [1]_.
    Customers are taken to arrive in the middle of their week.

    Parameters
    ----------
    model
        Fitted in days, on what was known at some earlier day: the weeks after it are out of time.
    end
        The first day that is not looked at.

    Returns
    -------
    DataFrame
        `week` (its first day), `actual`, `expected`.

    References
    ----------
    .. [1] Fader, Hardie & Lee (2005), Marketing Science 24(2), eq. (9) and fig. 2.
    """
    weekly = weekly_purchases(days, end=end)
    if isinstance(model, SeasonalModel):
        expected = _by_season(weekly["first_purchases"].to_numpy(), model, days.first_day)
    else:
        ages = WEEK * (np.arange(len(weekly)) + 0.5)
        by_age = np.asarray(model.expected_purchases_new_customer(ages.tolist()))
        in_week = np.diff(by_age, prepend=0.0)
        expected = np.convolve(weekly["first_purchases"], in_week)[: len(weekly)]
    return pd.DataFrame(
        {
            "week": weekly["week_start"],
            "actual": weekly["repeat_purchases"],
            "expected": expected,
        }
    )


def _by_season(first: NDArray[np.int64], model: SeasonalModel, first_day: int) -> FloatArray:
    """Weeks differ: customers of each week have ages of their own by the season's clock."""
    weeks = len(first)
    clock = model.season_.clock(first_day, WEEK * weeks)
    ends = clock.at(first_day + WEEK * np.arange(1, weeks + 1))
    begun = clock.at(first_day + WEEK * (np.arange(weeks) + 0.5))
    ages = np.maximum(ends[None, :] - begun[:, None], 0.0)
    distinct, codes = np.unique(ages, return_inverse=True)
    by_age = model.purchases_.expected_purchases_new_customer(distinct).to_numpy()
    so_far: FloatArray = first @ by_age[codes.reshape(ages.shape)]
    return np.diff(so_far, prepend=0.0)
