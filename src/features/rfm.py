"""Family rfm: how often, how recently, for how long and how much, as the value models count."""

from patronage.features.arrays import Columns, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid

FEATURES = (
    Feature("frequency", "Purchase days after the first one.", "count", "rfm", "repeat purchases"),
    Feature(
        "recency",
        "Days from the first to the last purchase day.",
        "days",
        "rfm",
        "days between the first and the last purchase",
    ),
    Feature("T", "Days from the first purchase day to as_of.", "days", "rfm", "days as a customer"),
    Feature(
        "monetary_value",
        "Mean net spend per repeat purchase day; a return counts against the purchase day before "
        "it; 0 with no repeat purchase.",
        "money",
        "rfm",
        "spend per repeat purchase",
    ),
    Feature(
        "days_since_last",
        "Days from the last purchase day to as_of.",
        "days",
        "rfm",
        "days since the last purchase",
    ),
    Feature("total_spend", "Net spend since the first purchase.", "money", "rfm", "spend so far"),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    repeats = grid.purchases - 1
    return {
        "frequency": repeats,
        "recency": grid.last - grid.first,
        "T": grid.age,
        "monetary_value": ratio(grid.repeat_spend, repeats, empty=0.0),
        "days_since_last": grid.away,
        "total_spend": grid.total("spend"),
    }
