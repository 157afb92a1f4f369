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
from patronage.features.customer_tables import CustomerTables
from patronage.features.family import Family
from patronage.features.feature import Feature

MODULES = (rfm, rhythm, windows, trends, season, basket, returns, price, timing, cohort)
FAMILIES = tuple(Family.of(module) for module in MODULES)
FEATURES: tuple[Feature, ...] = tuple(feature for family in FAMILIES for feature in family.features)


def families_of(tables: CustomerTables) -> tuple[Family, ...]:
    """The families that these tables allow."""
    return tuple(
        family
        for family in FAMILIES
        if family.needs is None or tables.table(family.needs) is not None
    )


def families_left_out(tables: CustomerTables) -> dict[str, str]:
    """The other families, by name, and why they cannot be built."""
    built = families_of(tables)
    return {
        family.name: f"there is no table [{family.needs}]"
        for family in FAMILIES
        if family not in built
    }


def catalogue_markdown() -> str:
    """The catalogue as a Markdown table: name, family, unit and meaning of each feature."""
    rows = (f"| `{f.name}` | {f.family} | {f.unit} | {f.meaning} |" for f in FEATURES)
    return "\n".join(("| feature | family | unit | meaning |", "| --- | --- | --- | --- |", *rows))
