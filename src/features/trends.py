"""Family trends: a window against the one before it, smoothed so that zeros do not explode."""

import numpy as np

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid

PURCHASE_SPANS = (30, 90, 180)
SPEND_SPANS = (30, 90)
PRIOR = 0.5
"""Half a purchase day, or its mean spend, is added to both windows."""

FEATURES = (
    *(
        Feature(
            f"purchase_trend_{span}",
            f"Purchase days in the {span} days before as_of, divided by those of the {span} days "
            "before; half a day is added to both.",
            "ratio",
            "trends",
            f"purchases in the last {span} days against the {span} days before",
            window=2 * span,
        )
        for span in PURCHASE_SPANS
    ),
    *(
        Feature(
            f"spend_trend_{span}",
            f"Net spend in the {span} days before as_of, divided by that of the {span} days "
            "before; half the customer's mean spend per purchase day is added to both.",
            "ratio",
            "trends",
            f"spend in the last {span} days against the {span} days before",
            window=2 * span,
            null="where only free lines were bought",
        )
        for span in SPEND_SPANS
    ),
    Feature(
        "purchase_acceleration",
        "Purchase days per 30 days over the last 90 days, less the same since the first purchase.",
        "number",
        "trends",
        "change in purchases per month",
        window=90,
    ),
    Feature(
        "late_half_share",
        "Share of the repeat purchase days that lie in the later half of the time since the "
        "first purchase: about 0.5 with a steady customer.",
        "share",
        "trends",
        "share of purchases in the later half of the relationship",
        null="with one purchase",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    return {
        **{f"purchase_trend_{span}": _purchase_trend(grid, span) for span in PURCHASE_SPANS},
        **{f"spend_trend_{span}": _spend_trend(grid, span) for span in SPEND_SPANS},
        "purchase_acceleration": _acceleration(grid),
        "late_half_share": _late_half(grid),
    }


def _purchase_trend(grid: Grid, span: int) -> FloatArray:
    now = grid.total("purchase_days", span)
    before = grid.total("purchase_days", 2 * span, span)
    return np.asarray((now + PRIOR) / (before + PRIOR))


def _spend_trend(grid: Grid, span: int) -> FloatArray:
    usual = PRIOR * grid.total("gross") / grid.purchases
    now = np.maximum(grid.total("spend", span), 0)
    before = np.maximum(grid.total("spend", 2 * span, span), 0)
    return ratio(now + usual, before + usual)


def _acceleration(grid: Grid) -> FloatArray:
    recent = grid.total("purchase_days", 90) / np.minimum(grid.age, 90)
    return np.asarray(30 * (recent - grid.purchases / grid.age))


def _late_half(grid: Grid) -> FloatArray:
    middle = grid.as_of - grid.age.astype(np.int32) // 2
    late = grid.purchases - grid.purchases_before(middle)
    return ratio(late, grid.purchases - 1)
