"""Family price: what is paid off the full price, how that changes, and what it leaves."""

import numpy as np

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid

NO_DISCOUNT = "without discount"
NOTHING_RECENT = "without discount, or where nothing was bought in the 90 days"

FEATURES = (
    Feature(
        "discount_share",
        "Discounts divided by the full price, which is value bought plus discounts.",
        "share",
        "price",
        "average discount",
        null="without discount, or where only free lines were bought",
    ),
    Feature(
        "discount_share_90",
        "The same in the 90 days before as_of.",
        "share",
        "price",
        "average discount of the last 90 days",
        window=90,
        null=NOTHING_RECENT,
    ),
    Feature(
        "discount_change",
        "discount_share_90 less discount_share: above 0, more is bought on discount than before.",
        "number",
        "price",
        "change in the average discount",
        window=90,
        null=NOTHING_RECENT,
    ),
    Feature(
        "discount_days_share",
        "Share of the purchase days with a discount.",
        "share",
        "price",
        "share of purchases with a discount",
        null=NO_DISCOUNT,
    ),
    Feature(
        "discount_depth",
        "Discounts divided by the full price of the purchase days with a discount.",
        "share",
        "price",
        "discount where there is one",
        null="without discount, or where no purchase had one",
    ),
    Feature(
        "full_price_share_90",
        "Share of the purchase days without any discount, of the 90 days before as_of.",
        "share",
        "price",
        "share of recent purchases at full price",
        window=90,
        null=NOTHING_RECENT,
    ),
    Feature(
        "full_price_change",
        "full_price_share_90 less the same share over all time before as_of.",
        "number",
        "price",
        "change in the share of purchases at full price",
        window=90,
        null=NOTHING_RECENT,
    ),
    Feature(
        "margin_share",
        "Margin, less that of returns, divided by value bought.",
        "share",
        "price",
        "margin on purchases",
        null="without margin, or where only free lines were bought",
    ),
    Feature(
        "margin_share_90",
        "The same in the 90 days before as_of.",
        "share",
        "price",
        "margin on purchases of the last 90 days",
        window=90,
        null="without margin, or where nothing was bought in the 90 days",
    ),
    Feature(
        "margin_change",
        "margin_share_90 less margin_share.",
        "number",
        "price",
        "change in the margin on purchases",
        window=90,
        null="without margin, or where nothing was bought in the 90 days",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    margin, recent_margin = _margin_share(grid), _margin_share(grid, 90)
    return {
        **_discounts(grid),
        "margin_share": margin,
        "margin_share_90": recent_margin,
        "margin_change": recent_margin - margin,
    }


def _discounts(grid: Grid) -> Columns:
    measures = grid.table.measures
    discount = measures.get("discount", np.full(grid.table.day.size, np.nan))
    some = np.where(np.isnan(discount), np.nan, discount > 0)
    share, recent = _discount_share(grid), _discount_share(grid, 90)
    days = grid.total_of(some * measures["purchase_days"]) / grid.purchases
    full_price = 1 - ratio(
        grid.total_of(some * measures["purchase_days"], 90), grid.total("purchase_days", 90)
    )
    return {
        "discount_share": share,
        "discount_share_90": recent,
        "discount_change": recent - share,
        "discount_days_share": days,
        "discount_depth": ratio(
            grid.total_of(some * discount), grid.total_of(some * (measures["gross"] + discount))
        ),
        "full_price_share_90": full_price,
        "full_price_change": full_price - (1 - days),
    }


def _discount_share(grid: Grid, span: int | None = None) -> FloatArray:
    discount = grid.total("discount", span)
    return ratio(discount, grid.total("gross", span) + discount)


def _margin_share(grid: Grid, span: int | None = None) -> FloatArray:
    return ratio(grid.total("margin", span), grid.total("gross", span))
