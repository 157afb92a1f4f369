"""Family usage: what the customer uses of a service, by events of the kind usage.

An event counts by its value, such as minutes or seats, and by 1 where it has none.
"""

import numpy as np

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.event_kinds import USAGE
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.lookup import Lookup

NEEDS = "events"
KINDS = (USAGE,)
SPANS = (7, 30, 90)
TREND_SPANS = (14, 30)

FEATURES = (
    *(
        Feature(
            f"usage_{span}",
            f"Usage in the {span} days before as_of: sum of the values, 1 where there is none.",
            "number",
            "usage",
            f"usage in the last {span} days",
            window=span,
        )
        for span in SPANS
    ),
    *(
        Feature(
            f"usage_trend_{span}",
            f"Usage in the {span} days before as_of divided by that of the {span} days before.",
            "ratio",
            "usage",
            f"usage in the last {span} days against the {span} days before",
            window=2 * span,
            null="where there was no usage in the days before",
        )
        for span in TREND_SPANS
    ),
    Feature(
        "usage_events_30",
        "Events of usage in the 30 days before as_of.",
        "count",
        "usage",
        "times used in the last 30 days",
        window=30,
    ),
    Feature(
        "days_since_usage",
        "Days from the last usage to as_of.",
        "days",
        "usage",
        "days since the last usage",
        null="where there was no usage",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    used = grid.events_of(USAGE)
    value = used.records.number("value")
    amount = np.where(np.isnan(value), 1.0, value)
    return {
        **{f"usage_{span}": used.total(amount, span) for span in SPANS},
        **{f"usage_trend_{span}": _trend(used, amount, span) for span in TREND_SPANS},
        "usage_events_30": used.count(30),
        "days_since_usage": used.days_since,
    }


def _trend(used: Lookup, amount: FloatArray, span: int) -> FloatArray:
    return ratio(used.total(amount, span), used.total(amount, 2 * span, span))
