"""Family value_model: what a model of purchases and spend, fitted as of the cutoff, expects.

`patronage.models.value_features` computes it, since a model has to be fitted: on what lies before
the cutoff alone, of all customers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from patronage.features.feature import Feature

NO_PURCHASE, PURCHASES = "p_no_purchase", "horizon_purchases"
"""What is expected of a horizon; all else does not hang on it."""
NO_MODEL = "where too few came back to fit a model of purchases"

FEATURES = (
    Feature(
        NO_PURCHASE,
        "Probability of no purchase in the horizon of the churn label.",
        "share",
        "value_model",
        "chance of no purchase",
        null=NO_MODEL,
    ),
    Feature(
        "p_alive",
        "Probability that the customer may still buy at all.",
        "share",
        "value_model",
        "chance of still being a customer",
        null=NO_MODEL,
    ),
    Feature(
        PURCHASES,
        "Purchase days expected in the horizon of the churn label.",
        "number",
        "value_model",
        "expected purchases",
        null=NO_MODEL,
    ),
    Feature(
        "expected_spend",
        "Net spend expected per future purchase day, by the Gamma-Gamma model.",
        "money",
        "value_model",
        "expected spend per purchase",
        null="where too few came back to fit a model of spend",
    ),
)


def named(name: str, horizon_days: int, horizons_days: Sequence[int]) -> str:
    """Column of what is expected of a horizon: among several, each bears its days, as labels do."""
    return name if len(horizons_days) == 1 else f"{name}_{horizon_days}"


def features_of_horizons(horizons_days: Sequence[int]) -> tuple[Feature, ...]:
    """`FEATURES` for these horizons: of one as they are; of several p_no_purchase_30, ..."""
    return tuple(one for feature in FEATURES for one in _each(feature, horizons_days))


def _each(feature: Feature, horizons_days: Sequence[int]) -> Iterator[Feature]:
    if feature.name not in (NO_PURCHASE, PURCHASES):
        yield feature
        return
    for horizon in horizons_days:
        yield replace(
            feature,
            name=named(feature.name, horizon, horizons_days),
            meaning=feature.meaning.replace("the horizon", f"the {horizon} days"),
        )
