"""Family payments: payments that failed, by what the table of events says."""

from patronage.features.arrays import Columns
from patronage.features.event_kinds import PAYMENT_FAILED
from patronage.features.feature import Feature
from patronage.features.grid import Grid

NEEDS = "events"
KINDS = (PAYMENT_FAILED,)
SPANS = (30, 90, 365)

FEATURES = (
    *(
        Feature(
            f"failed_payments_{span}",
            f"Payments that failed in the {span} days before as_of.",
            "count",
            "payments",
            f"failed payments in the last {span} days",
            window=span,
        )
        for span in SPANS
    ),
    Feature(
        "days_since_failed_payment",
        "Days from the last failed payment to as_of.",
        "days",
        "payments",
        "days since the last failed payment",
        null="where no payment failed",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    failed = grid.events_of(PAYMENT_FAILED)
    return {
        **{f"failed_payments_{span}": failed.count(span) for span in SPANS},
        "days_since_failed_payment": failed.days_since,
    }
