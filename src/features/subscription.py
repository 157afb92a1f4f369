"""Family subscription: terms of a contract, how they were renewed, and what they cost.

A row of subscriptions is a term, known from its start on with its plan, price and whether it renews
by itself; a renewal is a term after another. When a term's `end` may be seen is a matter of
`end_known`: once it has passed, or from the start on.
"""

import numpy as np

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.lookup import Lookup
from patronage.features.records import Texts
from patronage.features.terms import daily_prices, plan_changes, renewals

NEEDS = "subscriptions"
LAPSE_AFTER = 1
"""Days: some books end a term on its last day, others on the first day after it."""
NOT_STARTED = "where no term has started"
FIRST_TERM = "where there is no second term"
NO_RENEWAL = "where no term was renewed, or no end of such a term is known"

FEATURES = (
    Feature(
        "subscription_days",
        "Days from the start of the first term to as_of.",
        "days",
        "subscription",
        "days as a subscriber",
        null=NOT_STARTED,
    ),
    Feature(
        "term_days",
        "Days from the start of the last term to as_of.",
        "days",
        "subscription",
        "days in the present term",
        null=NOT_STARTED,
    ),
    Feature("terms", "Terms started.", "count", "subscription", "subscription terms"),
    Feature(
        "auto_renew",
        "1 when the last term renews by itself.",
        "flag",
        "subscription",
        "subscription renews by itself",
        null="where no term has started, or without auto_renew",
    ),
    Feature(
        "auto_renew_share",
        "Share of the terms that renew by themselves.",
        "share",
        "subscription",
        "share of terms that renew by themselves",
        null="where no term has started, or without auto_renew",
    ),
    Feature(
        "plan",
        "Plan of the last term.",
        "text",
        "subscription",
        "plan",
        null="where no term has started, or without plan",
    ),
    Feature(
        "plan_changed",
        "1 when the plan of the last term is not that of the term before.",
        "flag",
        "subscription",
        "changed plan at the last renewal",
        null="where there is no second term, or without plan",
    ),
    Feature(
        "plan_changes",
        "How often the plan changed from one term to the next.",
        "count",
        "subscription",
        "changes of plan",
    ),
    Feature(
        "price_last",
        "Price of the last term.",
        "money",
        "subscription",
        "price of the subscription",
        null="where no term has started, or without price",
    ),
    Feature(
        "price_per_day",
        "Price of the last term whose end is known, per day of it.",
        "money",
        "subscription",
        "price of the subscription per day",
        null="where no end is known, or without price",
    ),
    Feature(
        "price_change",
        "Price of the last term divided by that of the term before.",
        "ratio",
        "subscription",
        "price against the term before",
        null="where there is no second term, or without price",
    ),
    Feature(
        "price_to_mean",
        "Price of the last term divided by the mean over all terms.",
        "ratio",
        "subscription",
        "price against the usual one",
        null="where no term has started, or without price",
    ),
    Feature(
        "lapses",
        "Renewals that began more than a day after the term before had ended: past churn.",
        "count",
        "subscription",
        "times the subscription lapsed",
    ),
    Feature(
        "lapse_share",
        "Share of the renewals that were lapses.",
        "share",
        "subscription",
        "share of renewals after a lapse",
        null=NO_RENEWAL,
    ),
    Feature(
        "early_renewals",
        "Renewals that began before the term before had ended.",
        "count",
        "subscription",
        "renewals before the end",
    ),
    Feature(
        "renewal_gap_mean",
        "Mean days from the end of a term to the start of the next; below 0 when renewed early.",
        "days",
        "subscription",
        "days between expiry and renewal",
        null=NO_RENEWAL,
    ),
    Feature(
        "renewal_gap_last",
        "The same of the last renewal.",
        "days",
        "subscription",
        "days between the last expiry and renewal",
        null=NO_RENEWAL,
    ),
    Feature(
        "subscription_ended",
        "1 when the last term ended before as_of.",
        "flag",
        "subscription",
        "subscription has ended",
        null=NOT_STARTED,
    ),
    Feature(
        "days_since_end",
        "Days from the end of the last term to as_of.",
        "days",
        "subscription",
        "days since the subscription ended",
        null="where no term has started, or the last one runs",
    ),
    Feature(
        "days_to_renewal",
        "Days from as_of to the end of the last term.",
        "days",
        "subscription",
        "days until the subscription ends",
        null="where it has ended or has no end, or where ends are known only once they have passed",
    ),
)


def compute(grid: Grid) -> dict[str, FloatArray | Texts]:
    """The family's features, one value per row of the grid."""
    terms = grid.over("subscriptions")
    changed = plan_changes(terms.records)
    renews = terms.records.number("auto_renew")
    return {
        "subscription_days": grid.as_of - terms.earliest(terms.records.day.astype(np.float64)),
        "term_days": terms.days_since,
        "terms": terms.seen,
        "auto_renew": terms.latest(renews),
        "auto_renew_share": _mean(terms, renews),
        "plan": terms.latest_text(terms.records.text("plan")),
        "plan_changed": terms.latest(changed),
        "plan_changes": terms.total(changed),
        **_prices(grid, terms),
        **_renewals(grid),
        **_end(grid, terms),
    }


def _mean(terms: Lookup, values: FloatArray) -> FloatArray:
    """Mean of the values that there are."""
    return ratio(terms.total(values), terms.total((~np.isnan(values)).astype(np.float64)))


def _prices(grid: Grid, terms: Lookup) -> Columns:
    price = terms.records.number("price")
    last = terms.latest(price)
    daily = grid.look_up(daily_prices(terms.records, grid.tables.end_known))
    return {
        "price_last": last,
        "price_per_day": daily.latest(daily.records.number("per_day")),
        "price_change": ratio(last, terms.latest(price, back=1)),
        "price_to_mean": ratio(last, _mean(terms, price)),
    }


def _renewals(grid: Grid) -> Columns:
    terms = grid.over("subscriptions").records
    renewed = grid.look_up(renewals(terms, grid.tables.end_known))
    gap = renewed.records.number("gap")
    lapses = renewed.total((gap > LAPSE_AFTER).astype(np.float64))
    return {
        "lapses": lapses,
        "lapse_share": ratio(lapses, renewed.seen),
        "early_renewals": renewed.total((gap < 0).astype(np.float64)),
        "renewal_gap_mean": ratio(renewed.total(gap), renewed.seen),
        "renewal_gap_last": renewed.latest(gap),
    }


def _end(grid: Grid, terms: Lookup) -> Columns:
    """Of the last term; an end on as_of or later counts only where it is known at the start."""
    end = terms.latest(terms.records.number("end"))
    passed = end < grid.as_of
    ahead = ~passed if grid.tables.end_known == "at_start" else np.zeros_like(passed)
    return {
        "subscription_ended": np.where(terms.seen > 0, passed, np.nan),
        "days_since_end": np.where(passed, grid.as_of - end, np.nan),
        "days_to_renewal": np.where(ahead, end - grid.as_of, np.nan),
    }
