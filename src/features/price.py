"""Family price: what is paid off the full price, and what it leaves."""

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid

FEATURES = (
    Feature(
        "discount_share",
        "Discounts divided by the full price, which is value bought plus discounts; empty "
        "without discount.",
        "share",
        "price",
        "average discount",
    ),
    Feature(
        "discount_share_90",
        "The same in the 90 days before as_of; empty where nothing was bought in them.",
        "share",
        "price",
        "average discount of the last 90 days",
    ),
    Feature(
        "margin_share",
        "Margin, less that of returns, divided by value bought; empty without margin.",
        "share",
        "price",
        "margin on purchases",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    return {
        "discount_share": _discount_share(grid),
        "discount_share_90": _discount_share(grid, 90),
        "margin_share": ratio(grid.total("margin"), grid.total("gross")),
    }


def _discount_share(grid: Grid, span: int | None = None) -> FloatArray:
    discount = grid.total("discount", span)
    return ratio(discount, grid.total("gross", span) + discount)
