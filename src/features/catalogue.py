"""Every feature of the panel, in the order of its columns."""

from collections.abc import Collection, Iterable
from typing import Any, get_args

from patronage.features import (
    attributes,
    basket,
    breadth,
    channel,
    cohort,
    engagement,
    lifecycle,
    own_family,
    payments,
    price,
    returns,
    rfm,
    rhythm,
    season,
    service,
    subscription,
    survey,
    timing,
    trends,
    usage,
    value_model,
    windows,
)
from patronage.features.customer_tables import CustomerTables, TableName, as_customer_tables
from patronage.features.family import Family
from patronage.features.feature import Feature
from patronage.features.own_feature import OwnFeature

Row = dict[str, Any]
MODULES = (
    *(rfm, rhythm, windows, trends, season, lifecycle, basket, returns, price, timing, cohort),
    *(breadth, channel, service, payments, engagement, usage, survey, subscription, attributes),
)
FAMILIES = tuple(Family.of(module) for module in MODULES)
FEATURES: tuple[Feature, ...] = tuple(feature for family in FAMILIES for feature in family.features)
"""Those that do not depend on the columns of the user's own tables."""
NEEDED: tuple[TableName, ...] = get_args(TableName)
MISSING = {
    "categories": "transactions have no column category",
    "channels": "transactions have no column channel",
}

EMPTY = {
    "price": "transactions say nothing of discount and margin",
    "returns": "no transaction has a negative amount",
    "breadth": "everything bought is of one category, or of none",
    "channel": "everything was bought by one channel, or by none",
}
"""Why a family that was built may say nothing."""
SAYS_NOTHING = "every column is empty, or the same for all customers"


def families_of(tables: CustomerTables) -> tuple[Family, ...]:
    """The families that these tables allow; the user's own features come last."""
    built_in = tuple(
        family
        for family in FAMILIES
        if family.needs is None or tables.table(family.needs) is not None
    )
    return (*built_in, own_family.OWN) if tables.own else built_in


def features_of(tables: Any) -> tuple[Feature, ...]:
    """The features that `build_panel` computes of these tables, in the order of its columns.

    Parameters
    ----------
    tables
        As for `build_panel`.
    """
    known = as_customer_tables(tables)
    return tuple(feature for family in families_of(known) for feature in family.features_of(known))


def families_left_out(tables: CustomerTables) -> dict[str, str]:
    """The other families, and own features, by name, and why they cannot be built."""
    known = {name for name in NEEDED if tables.table(name) is not None}
    return families_without(known) | dict(tables.own_left_out)


def families_without(known: Collection[str]) -> dict[str, str]:
    """The families that need another table than these, by name, and why they cannot be built."""
    return {
        family.name: why_missing(family.needs)
        for family in FAMILIES
        if family.needs is not None and family.needs not in known
    }


def why_missing(table: str) -> str:
    """Why there is nothing to compute of an optional table."""
    return MISSING.get(table, f"there is no table [{table}]")


def why_empty(name: str, event_kinds: Collection[str]) -> str:
    """Why a family whose columns are all empty or constant says nothing.

    Parameters
    ----------
    name
        Of the family.
    event_kinds
        The kinds that the events have.
    """
    kinds = next((family.kinds for family in FAMILIES if family.name == name), ())
    if kinds and not set(kinds) & set(event_kinds):
        return f"there are no events of the kind {' or '.join(kinds)}"
    return EMPTY.get(name, SAYS_NOTHING)


def catalogue_rows(features: Iterable[Feature], own: Iterable[OwnFeature] = ()) -> list[Row]:
    """name, family, unit, window, meaning and null of each; of own ones, source and digest too."""
    code = {one.name: {"source": one.source, "digest": one.digest} for one in own}
    names = ("name", "family", "unit", "window", "meaning", "null")
    return [
        {name: getattr(feature, name) for name in names} | code.get(feature.name, {})
        for feature in features
    ]


def catalogue_markdown() -> str:
    """The catalogue as a Markdown table; a window without a number is all time before as_of."""
    head = ("| feature | family | unit | window | meaning | null |", "| --- " * 6 + "|")
    return "\n".join((*head, *(_row(feature) for feature in (*FEATURES, *value_model.FEATURES))))


def _row(feature: Feature) -> str:
    window = "" if feature.window is None else f"{feature.window} d"
    cells = (feature.family, feature.unit, window, feature.meaning, feature.null or "never")
    return f"| `{feature.name}` | {' | '.join(cells)} |"
