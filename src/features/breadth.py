"""Family breadth: over how many categories the lines bought spread, and which are new."""

from patronage.features.arrays import FloatArray, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.records import Texts
from patronage.features.variety import Variety

NEEDS = "categories"
NONE = "where no line bought has a category"

FEATURES = (
    Feature("categories", "Distinct categories so far.", "count", "breadth", "categories bought"),
    Feature(
        "categories_90",
        "Distinct categories of the 90 days before as_of.",
        "count",
        "breadth",
        "categories bought in the last 90 days",
        window=90,
    ),
    Feature(
        "categories_90_share",
        "categories_90 divided by categories.",
        "share",
        "breadth",
        "share of the categories still bought",
        window=90,
        null=NONE,
    ),
    Feature(
        "category_entropy",
        "Spread of the lines over the customer's categories: 0 when all are of one, 1 when each "
        "has as many.",
        "share",
        "breadth",
        "spread over categories",
        null=NONE,
    ),
    Feature(
        "categories_effective",
        "Number of categories that would, with equally many lines in each, be as spread: the "
        "exponential of the entropy.",
        "number",
        "breadth",
        "number of categories bought regularly",
        null=NONE,
    ),
    Feature(
        "top_category_share",
        "Share of the lines in the category with most of them.",
        "share",
        "breadth",
        "share of the favourite category",
        null=NONE,
    ),
    Feature(
        "days_since_top_category",
        "Days from the last purchase of that category to as_of.",
        "days",
        "breadth",
        "days since the favourite category was bought",
        null=NONE,
    ),
    Feature(
        "new_category_rate",
        "Share of the categories bought after the first day with one, day by day, that were new "
        "to the customer.",
        "share",
        "breadth",
        "share of categories not bought before",
        null="where no category was bought after the first day with one",
    ),
    Feature(
        "new_categories_90",
        "Categories first bought in the 90 days before as_of.",
        "count",
        "breadth",
        "categories first bought in the last 90 days",
        window=90,
    ),
    Feature(
        "days_since_new_category",
        "Days from the last day with a category new to the customer to as_of.",
        "days",
        "breadth",
        "days since a new category was bought",
        null=NONE,
    ),
    Feature(
        "first_category",
        "Category with most lines on the first day with one, the first of the alphabet of several.",
        "text",
        "breadth",
        "category of the first purchase",
        null=NONE,
    ),
    Feature(
        "top_category",
        "Category with most lines so far, the first of the alphabet of several.",
        "text",
        "breadth",
        "favourite category",
        null=NONE,
    ),
)


def compute(grid: Grid) -> dict[str, FloatArray | Texts]:
    """The family's features, one value per row of the grid."""
    variety = Variety.of(grid, grid.over("categories").records, "category")
    recent = variety.distinct_within(90)
    return {
        "categories": variety.distinct,
        "categories_90": recent,
        "categories_90_share": ratio(recent, variety.distinct),
        "category_entropy": variety.evenness,
        "categories_effective": variety.effective,
        "top_category_share": variety.top_share,
        "days_since_top_category": variety.days_since_top,
        "new_category_rate": variety.new_rate,
        "new_categories_90": variety.new_within(90),
        "days_since_new_category": variety.days_since_new,
        "first_category": variety.first,
        "top_category": variety.top,
    }
