"""What is to be expected of customers, by how often and how recently they bought."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from patronage.models import PurchaseModel
from patronage.report.alive_chart import alive_matrix
from patronage.report.heat_map import heat_map


def frequency_recency_matrix(
    model: PurchaseModel, *, horizon: float, age: float, max_frequency: int
) -> pd.DataFrame:
    """Expected purchases of customers first seen `age` ago, in a year without season.

    Parameters
    ----------
    model
        Fitted, in the unit of `horizon` and `age`.
    horizon
        Purchases are counted over it.
    age
        Time since the first purchase, > 0.
    max_frequency
        Repeat purchases go from 1 to this number.

    Returns
    -------
    DataFrame
        One row per number of repeat purchases, one column per time since the last purchase.
    """
    asked = partial(model.without_season.expected_purchases, horizon=horizon)
    return alive_matrix(asked, age=age, max_frequency=max_frequency)


def frequency_recency_chart(
    model: PurchaseModel, *, horizon: float, age: float, max_frequency: int, unit: str
) -> Figure:
    """Heat map of `frequency_recency_matrix`; `unit` names that of time, such as "days".

    That of P(alive) is `alive_chart(model.probability_alive, ...)`.
    """
    matrix = frequency_recency_matrix(model, horizon=horizon, age=age, max_frequency=max_frequency)
    return heat_map(
        matrix,
        age=age,
        unit=unit,
        title=f"Purchases to expect in {horizon:,.4g} {unit} of a customer of {age:,.4g} {unit}",
        label="expected purchases",
    )
