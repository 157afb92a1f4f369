"""What theory says of a feature's direction, the start (the value model) being the same."""

from collections.abc import Mapping, Sequence

RISING, FALLING = 1, -1
DIRECTIONS: Mapping[str, int] = {
    "overdue_ratio": RISING,
    "away_to_max_gap": RISING,
    "recency_z": RISING,
    "purchase_days_30": FALLING,
    "purchase_days_90": FALLING,
    "purchase_days_180": FALLING,
    "purchase_days_365": FALLING,
    "season_purchase_days_30": FALLING,
    "season_purchase_days_90": FALLING,
    "complaints_90": RISING,
    "open_complaints": RISING,
    "oldest_open_days": RISING,
    "failed_payments_90": RISING,
    "days_since_failed_payment": FALLING,
    "unsubscribed": RISING,
    "visits_30": FALLING,
    "visits_90": FALLING,
    "usage_30": FALLING,
    "days_since_usage": RISING,
    "survey_score_last": FALLING,
    "nps_last": FALLING,
    "detractor": RISING,
    "auto_renew": FALLING,
    "lapses": RISING,
}
"""1: churn may not fall where the feature rises; -1: it may not rise."""


def constraints(features: Sequence[str]) -> list[int]:
    """The direction of each feature, 0 where theory gives none; LightGBM's monotone_constraints."""
    return [DIRECTIONS.get(name, 0) for name in features]
