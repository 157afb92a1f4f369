"""Family service: complaints, how long they stay open, and how long their solution takes.

A solution closes the oldest complaint of the customer that is open; one without an open complaint
says nothing.
"""

import numpy as np

from patronage.features.arrays import Columns, ratio
from patronage.features.event_kinds import COMPLAINT, COMPLAINT_RESOLVED
from patronage.features.feature import Feature
from patronage.features.grid import Grid

NEEDS = "events"
KINDS = (COMPLAINT, COMPLAINT_RESOLVED)
SPANS = (30, 90, 365)

FEATURES = (
    *(
        Feature(
            f"complaints_{span}",
            f"Complaints in the {span} days before as_of.",
            "count",
            "service",
            f"complaints in the last {span} days",
            window=span,
        )
        for span in SPANS
    ),
    Feature("complaints", "Complaints so far.", "count", "service", "complaints so far"),
    Feature(
        "complaints_per_purchase",
        "Complaints so far per purchase day.",
        "ratio",
        "service",
        "complaints per purchase",
    ),
    Feature(
        "days_since_complaint",
        "Days from the last complaint to as_of.",
        "days",
        "service",
        "days since the last complaint",
        null="where there was no complaint",
    ),
    Feature(
        "complained_after_last",
        "1 when there was a complaint on a day after the last purchase day.",
        "flag",
        "service",
        "a complaint after the last purchase",
    ),
    Feature(
        "open_complaints",
        "Complaints not resolved before as_of.",
        "count",
        "service",
        "open complaints",
    ),
    Feature(
        "oldest_open_days",
        "Days from the oldest open complaint to as_of.",
        "days",
        "service",
        "days that the oldest complaint has been open",
        null="where no complaint is open",
    ),
    Feature(
        "resolution_days",
        "Mean days from complaint to solution, of those resolved.",
        "days",
        "service",
        "days until complaints were resolved",
        null="where none was resolved",
    ),
    Feature(
        "resolution_days_last",
        "Days from complaint to solution of the one resolved last.",
        "days",
        "service",
        "days until the last complaint was resolved",
        null="where none was resolved",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    complaints = grid.events_of(COMPLAINT)
    after_last = complaints.count_after(grid.last)
    return {
        **{f"complaints_{span}": complaints.count(span) for span in SPANS},
        "complaints": complaints.seen,
        "complaints_per_purchase": complaints.seen / grid.purchases,
        "days_since_complaint": complaints.days_since,
        "complained_after_last": (after_last > 0).astype(np.float64),
        **_queue(grid),
    }


def _queue(grid: Grid) -> Columns:
    from patronage.features.event_kernels import first_in_first_out

    both = grid.events_of(COMPLAINT, COMPLAINT_RESOLVED)
    records = both.records
    opened = records.text("kind").among({COMPLAINT})
    waiting, oldest, days, resolved, last = (
        both.latest(state) for state in first_in_first_out(records.day, opened, records.offsets)
    )
    return {
        "open_complaints": np.nan_to_num(waiting),
        "oldest_open_days": grid.as_of - oldest,
        "resolution_days": ratio(days, resolved),
        "resolution_days_last": last,
    }
