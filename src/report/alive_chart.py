"""What silence means, by how often a customer has bought."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from patronage.report.heat_map import heat_map

ProbabilityAlive = Callable[[pd.DataFrame], pd.Series]
_COLUMNS = 60


def alive_matrix(
    probability_alive: ProbabilityAlive, *, age: float, max_frequency: int
) -> pd.DataFrame:
    """P(alive) of customers first seen `age` ago, by repeat purchases and by recency.

    Parameters
    ----------
    probability_alive
        Takes `customer_id`, `frequency`, `recency` and `T`, in the unit of `age`; returns one
        probability per row.
    age
        Time since the first purchase, > 0.
    max_frequency
        Repeat purchases go from 1 to this number.

    Returns
    -------
    DataFrame
        One row per number of repeat purchases, one column per time since the last purchase.
    """
    counts = np.arange(1, max_frequency + 1)
    away = np.linspace(0, age, _COLUMNS, endpoint=False)
    frequency, silence = (grid.ravel() for grid in np.meshgrid(counts, away, indexing="ij"))
    rfm = pd.DataFrame({"frequency": frequency, "recency": age - silence, "T": float(age)})
    p_alive = probability_alive(rfm.assign(customer_id=[str(row) for row in rfm.index]))
    shaped = p_alive.to_numpy(float).reshape(len(counts), len(away))
    return pd.DataFrame(shaped, index=counts, columns=away)


def alive_chart(
    probability_alive: ProbabilityAlive, *, age: float, max_frequency: int, unit: str
) -> Figure:
    """Heat map of `alive_matrix`; `unit` names that of `age`, such as "days"."""
    matrix = alive_matrix(probability_alive, age=age, max_frequency=max_frequency)
    return heat_map(
        matrix,
        age=age,
        unit=unit,
        title=f"Chance that a customer of {age:,.0f} {unit} is still one",
        label="P(alive)",
        most=1,
        ticks=PercentFormatter(1),
    )
