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
        null="where only free lines were bought",
    ),
    Feature(
        "return_share_90",
        "The same in the 90 days before as_of.",
        "share",
        "returns",
        "share of recent purchases sent back",
        window=90,
        null="where nothing was bought in them",
    ),
    Feature(
        "return_change",
        "return_share_90 less return_share: above 0, more is sent back than before.",
        "number",
        "returns",
        "change in the share sent back",
        window=90,
        null="where nothing was bought in the 90 days",
    ),
    Feature("return_lines", "Lines returned so far.", "count", "returns", "items sent back"),
    Feature(
        "return_lines_90",
        "Lines returned in the 90 days before as_of.",
        "count",
        "returns",
        "items sent back in the last 90 days",
        window=90,
    ),
    Feature(
        "days_since_return",
        "Days from the last day with a return to as_of.",
        "days",
        "returns",
        "days since the last return",
        null="where nothing was returned",
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
    share = ratio(grid.total("returned"), grid.total("gross"))
    recent = ratio(grid.total("returned", 90), grid.total("gross", 90))
    return {
        "return_share": share,
        "return_share_90": recent,
        "return_change": recent - share,
        "return_lines": grid.total("return_lines"),
        "return_lines_90": grid.total("return_lines", 90),
        "days_since_return": grid.as_of - last_return,
        "returned_after_last": (last_return > grid.last).astype(np.float64),
    }
