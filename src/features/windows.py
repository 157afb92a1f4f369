"""Family windows: purchase days, spend and units of the last days before as_of."""

from patronage.features.arrays import Columns
from patronage.features.feature import Feature
from patronage.features.grid import Grid

SPANS = (7, 30, 60, 90, 180, 365)
UNIT_SPANS = (90, 365)

FEATURES = (
    *(
        Feature(
            f"purchase_days_{span}",
            f"Purchase days in the {span} days before as_of.",
            "count",
            "windows",
            f"purchases in the last {span} days",
            window=span,
        )
        for span in SPANS
    ),
    *(
        Feature(
            f"spend_{span}",
            f"Net spend in the {span} days before as_of.",
            "money",
            "windows",
            f"spend in the last {span} days",
            window=span,
        )
        for span in SPANS
    ),
    *(
        Feature(
            f"units_{span}",
            f"Units bought in the {span} days before as_of.",
            "count",
            "windows",
            f"units bought in the last {span} days",
            window=span,
            null="without quantity",
        )
        for span in UNIT_SPANS
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    return {
        **{f"purchase_days_{span}": grid.total("purchase_days", span) for span in SPANS},
        **{f"spend_{span}": grid.total("spend", span) for span in SPANS},
        **{f"units_{span}": grid.total("units", span) for span in UNIT_SPANS},
    }
