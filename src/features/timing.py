"""Family timing: on which days of the week and of the month the customer buys."""

import numpy as np

from patronage.features.arrays import Columns, FloatArray
from patronage.features.feature import Feature
from patronage.features.grid import Grid

FEATURES = (
    Feature(
        "weekend_share",
        "Share of purchase days on a Saturday or Sunday.",
        "share",
        "timing",
        "share of purchases at the weekend",
    ),
    Feature(
        "weekday_entropy",
        "Spread of the purchase days over the week: 0 when all fall on one weekday, 1 when all "
        "seven are alike.",
        "share",
        "timing",
        "spread of purchases over the week",
    ),
    Feature(
        "weekday_top_share",
        "Share of purchase days on the customer's most frequent weekday.",
        "share",
        "timing",
        "share of purchases on the preferred weekday",
    ),
    Feature(
        "month_concentration",
        "Concentration of the purchase days around one day of the month: 1 when it is always the "
        "same, near 0 when they spread evenly. With the month as a circle, the length of the mean.",
        "share",
        "timing",
        "how closely purchases keep to one time of the month",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    entropy, top = grid.table.weekday_spread
    return {
        "weekend_share": _mean(grid, grid.table.weekend),
        "weekday_entropy": grid.latest(entropy),
        "weekday_top_share": grid.latest(top),
        "month_concentration": np.hypot(*(_mean(grid, part) for part in grid.table.month_angle)),
    }


def _mean(grid: Grid, values: FloatArray) -> FloatArray:
    return np.asarray(grid.latest(grid.table.running_sum(values)) / grid.purchases)
