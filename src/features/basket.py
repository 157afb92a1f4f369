"""Family basket: what a purchase day holds. Its value is what was bought, before returns."""

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid

FEATURES = (
    Feature(
        "basket_mean",
        "Mean value bought per purchase day, before returns.",
        "money",
        "basket",
        "value of a usual basket",
    ),
    Feature(
        "basket_max",
        "Highest value bought on one purchase day.",
        "money",
        "basket",
        "value of the largest basket",
    ),
    Feature(
        "basket_sd",
        "Standard deviation of the value per purchase day.",
        "money",
        "basket",
        "how much the baskets vary",
        null="with one purchase",
    ),
    Feature(
        "basket_last_ratio",
        "Value of the last purchase day divided by basket_mean.",
        "ratio",
        "basket",
        "the last basket against the usual one",
        null="where only free lines were bought",
    ),
    Feature("orders_per_day", "Orders per purchase day.", "ratio", "basket", "orders per visit"),
    Feature(
        "products_per_day",
        "Distinct products per purchase day.",
        "ratio",
        "basket",
        "products per visit",
        null="without product_id",
    ),
    Feature(
        "categories_per_day",
        "Distinct categories per purchase day.",
        "ratio",
        "basket",
        "categories per visit",
        null="without category",
    ),
    Feature(
        "new_product_rate",
        "Share of the products bought after the first purchase day that were new to the customer.",
        "share",
        "basket",
        "share of products not bought before",
        null="without product_id, or with one purchase",
    ),
    Feature(
        "unit_price",
        "Value bought per unit.",
        "money",
        "basket",
        "price per unit",
        null="without quantity, or where it is 0",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    table = grid.table
    value = table.at_purchases("gross")
    mean = grid.total("gross") / grid.purchases
    return {
        "basket_mean": mean,
        "basket_max": grid.latest(table.running_max(value)),
        "basket_sd": grid.latest(table.running_sd(value)),
        "basket_last_ratio": ratio(grid.latest(value), mean),
        "orders_per_day": grid.total("orders") / grid.purchases,
        "products_per_day": grid.total("products") / grid.purchases,
        "categories_per_day": grid.total("categories") / grid.purchases,
        "new_product_rate": ratio(_repeats(grid, "new_products"), _repeats(grid, "products")),
        "unit_price": ratio(grid.total("gross"), grid.total("units")),
    }


def _repeats(grid: Grid, measure: str) -> FloatArray:
    """Sum without the first purchase day, on which every product is new."""
    return grid.total(measure) - grid.earliest(grid.table.at_purchases(measure))
