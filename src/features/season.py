"""Family season: what the customer did one year ago, in the days that now lie ahead."""

import numpy as np

from patronage.features.arrays import Columns, FloatArray
from patronage.features.feature import Feature
from patronage.features.grid import Grid

YEAR = 365
SPANS = (30, 90)

FEATURES = (
    *(
        Feature(
            f"season_purchase_days_{span}",
            f"Purchase days in the {span} days from 365 days before as_of on: what follows as_of, "
            "a year earlier.",
            "count",
            "season",
            f"purchases in the same {span} days last year",
            window=YEAR,
            null="where the data do not reach back a year",
        )
        for span in SPANS
    ),
    *(
        Feature(
            f"season_spend_{span}",
            f"Net spend in the {span} days from 365 days before as_of on.",
            "money",
            "season",
            f"spend in the same {span} days last year",
            window=YEAR,
            null="where the data do not reach back a year",
        )
        for span in SPANS
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    return {
        **{
            f"season_purchase_days_{span}": _last_year(grid, "purchase_days", span)
            for span in SPANS
        },
        **{f"season_spend_{span}": _last_year(grid, "spend", span) for span in SPANS},
    }


def _last_year(grid: Grid, measure: str, span: int) -> FloatArray:
    return np.where(grid.history >= YEAR, grid.total(measure, YEAR, YEAR - span), np.nan)
