"""Family returns: goods sent back, by value and by time."""

import numpy as np

from patronage.features.arrays import Columns, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid

FEATURES = (
    Feature(
        "return_share",
        "Value returned divided by value bought, since the first purchase.",
        "share",
        "returns",
        "share of purchases sent back",
    ),
    Feature(
        "return_share_90",
        "The same in the 90 days before as_of; empty where nothing was bought in them.",
        "share",
        "returns",
        "share of recent purchases sent back",
    ),
    Feature("return_lines", "Lines returned so far.", "count", "returns", "items sent back"),
    Feature(
        "days_since_return",
        "Days from the last day with a return to as_of; empty with none.",
        "days",
        "returns",
        "days since the last return",
    ),
    Feature(
        "returned_after_last",
        "1 when something was returned on a day after the last purchase day.",
        "flag",
        "returns",
        "a return after the last purchase",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    last_return = grid.latest_day(grid.table.last_return)
    return {
        "return_share": ratio(grid.total("returned"), grid.total("gross")),
        "return_share_90": ratio(grid.total("returned", 90), grid.total("gross", 90)),
        "return_lines": grid.total("return_lines"),
        "days_since_return": grid.as_of - last_return,
        "returned_after_last": (last_return > grid.last).astype(np.float64),
    }
