"""Family lifecycle: how purchases and spend spread over the relationship, from begin to end."""

import numpy as np

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid

TENURE_STEPS = (30, 90, 180, 365, 730)
PRIOR = 0.5
"""Half a purchase day is added to both ends before they are compared."""

FEATURES = (
    Feature(
        "tenure_bucket",
        "Length of the relationship in steps: 0 below 30 days, then 1 below 90, 2 below 180, "
        "3 below 365, 4 below 730, 5 from then on.",
        "number",
        "lifecycle",
        "stage of the relationship",
    ),
    Feature(
        "begin_share",
        "Share of the purchase days in the first third of the time since the first purchase.",
        "share",
        "lifecycle",
        "share of purchases in the first third of the relationship",
    ),
    Feature(
        "middle_share",
        "The same in the second third.",
        "share",
        "lifecycle",
        "share of purchases in the middle third of the relationship",
    ),
    Feature(
        "end_share",
        "The same in the last third.",
        "share",
        "lifecycle",
        "share of purchases in the last third of the relationship",
    ),
    Feature(
        "end_to_begin",
        "Purchase days of the last third divided by those of the first; half a day is added to "
        "both.",
        "ratio",
        "lifecycle",
        "purchases lately against the beginning",
    ),
    Feature(
        "begin_spend_share",
        "Share of the value bought in the first third of the time since the first purchase.",
        "share",
        "lifecycle",
        "share of spend in the first third of the relationship",
        null="where only free lines were bought",
    ),
    Feature(
        "end_spend_share",
        "The same in the last third.",
        "share",
        "lifecycle",
        "share of spend in the last third of the relationship",
        null="where only free lines were bought",
    ),
    Feature(
        "pauses",
        "Gaps between purchase days that were longer than 90 days.",
        "count",
        "lifecycle",
        "long pauses survived",
    ),
    Feature(
        "spend_per_day",
        "Net spend per day since the first purchase.",
        "money",
        "lifecycle",
        "spend per day as a customer",
    ),
)
PAUSE_DAYS = 90


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    third = grid.age.astype(np.int32) // 3
    begin_ends, end_begins = grid.as_of - 2 * third, grid.as_of - third
    begin = grid.purchases_before(begin_ends)
    upto_end = grid.purchases_before(end_begins)
    end = grid.purchases - upto_end
    bought = grid.total("gross")
    return {
        "tenure_bucket": np.searchsorted(TENURE_STEPS, grid.age, side="right").astype(np.float64),
        "begin_share": begin / grid.purchases,
        "middle_share": (upto_end - begin) / grid.purchases,
        "end_share": end / grid.purchases,
        "end_to_begin": (end + PRIOR) / (begin + PRIOR),
        "begin_spend_share": ratio(grid.total_before("gross", begin_ends), bought),
        "end_spend_share": 1 - ratio(grid.total_before("gross", end_begins), bought),
        "pauses": _pauses(grid),
        "spend_per_day": grid.total("spend") / grid.age,
    }


def _pauses(grid: Grid) -> FloatArray:
    long = (grid.table.gap > PAUSE_DAYS).astype(np.float64)
    return grid.latest(grid.table.running_sum(long))
