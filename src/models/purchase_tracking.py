"""Tracking: repeat purchases week by week, as they came and as a value model expects them."""

from datetime import date

import numpy as np
import pandas as pd

from patronage.features import DayTable, weekly_purchases
from patronage.models.purchase_model import PurchaseModel

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
