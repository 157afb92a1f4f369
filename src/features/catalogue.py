"""Every feature of the panel, in the order of its columns."""

from patronage.features import (
    basket,
    cohort,
    price,
    returns,
    rfm,
    rhythm,
    season,
    timing,
    trends,
    windows,
)
from patronage.features.feature import Feature

FAMILIES = (rfm, rhythm, windows, trends, season, basket, returns, price, timing, cohort)
FEATURES: tuple[Feature, ...] = tuple(feature for family in FAMILIES for feature in family.FEATURES)


def catalogue_markdown() -> str:
    """The catalogue as a Markdown table: name, family, unit and meaning of each feature."""
    rows = (f"| `{f.name}` | {f.family} | {f.unit} | {f.meaning} |" for f in FEATURES)
    return "\n".join(("| feature | family | unit | meaning |", "| --- | --- | --- | --- |", *rows))
