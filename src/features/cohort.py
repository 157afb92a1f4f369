"""Family cohort: pace over the whole relationship, and what as_of itself says."""

import numpy as np

from patronage.features.arrays import Columns
from patronage.features.feature import Feature
from patronage.features.grid import Grid

HISTORY_CAP = 730

FEATURES = (
    Feature(
        "purchase_rate",
        "Repeat purchase days per 30 days since the first purchase.",
        "ratio",
        "cohort",
        "purchases per month",
    ),
    Feature(
        "active_share",
        "recency divided by T: near 1, the last purchase is recent for so long a relationship.",
        "share",
        "cohort",
        "share of the relationship up to the last purchase",
    ),
    Feature(
        "days_to_second",
        "Days from the first to the second purchase day.",
        "days",
        "cohort",
        "days from the first to the second purchase",
        null="with one purchase",
    ),
    Feature(
        "history_days",
        f"Days from the first day of the data to as_of, at most {HISTORY_CAP}: longer windows are "
        "cut short by it.",
        "days",
        "cohort",
        "days of data before the date",
    ),
    Feature(
        "as_of_sin",
        "Sine of the place of as_of in the year, as an angle: 0 on 1 January, 1 in early April.",
        "ratio",
        "cohort",
        "time of the year",
    ),
    Feature(
        "as_of_cos",
        "Cosine of the same angle: 1 on 1 January, -1 in early July.",
        "ratio",
        "cohort",
        "time of the year",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    return {
        "purchase_rate": 30 * (grid.purchases - 1) / grid.age,
        "active_share": (grid.last - grid.first) / grid.age,
        "days_to_second": grid.days_to_second,
        "history_days": np.minimum(grid.history, HISTORY_CAP),
        "as_of_sin": np.sin(grid.year_angle),
        "as_of_cos": np.cos(grid.year_angle),
    }
