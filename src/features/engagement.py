"""Family engagement: answers to the firm's e-mails as rates, and visits of the customer's own.

A rate is empty where nothing was sent. It is not drawn towards a mean: of a customer without opens
the result would tell how much was sent, and that follows what the firm expects of the customer,
which is no behaviour to learn from.
"""

import numpy as np

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.event_kinds import (
    CART_ABANDONED,
    EMAIL_CLICK,
    EMAIL_OPEN,
    EMAIL_SENT,
    SEARCH,
    SUBSCRIBE,
    UNSUBSCRIBE,
    VISIT,
)
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.lookup import Lookup

NEEDS = "events"
SPANS = (30, 90)
RATES = {"open": EMAIL_OPEN, "click": EMAIL_CLICK}
OWN = {"visits": VISIT, "searches": SEARCH, "carts_abandoned": CART_ABANDONED}
KINDS = (*OWN.values(), EMAIL_SENT, *RATES.values(), SUBSCRIBE, UNSUBSCRIBE)

FEATURES = (
    *(
        Feature(
            f"{rate}_rate_{span}",
            f"E-mail {rate}s in the {span} days before as_of divided by e-mails sent in them.",
            "ratio",
            "engagement",
            f"{rate}s per e-mail in the last {span} days",
            window=span,
            null="where no e-mail was sent in them",
        )
        for rate in RATES
        for span in SPANS
    ),
    *(
        Feature(
            f"{rate}_rate",
            f"E-mail {rate}s divided by e-mails sent, over all time before as_of.",
            "ratio",
            "engagement",
            f"{rate}s per e-mail so far",
            null="where no e-mail was sent",
        )
        for rate in RATES
    ),
    Feature(
        "open_rate_change",
        "open_rate_90 less open_rate: below 0, e-mails are opened less than before.",
        "number",
        "engagement",
        "change in opens per e-mail",
        window=90,
        null="where no e-mail was sent in the 90 days",
    ),
    Feature(
        "click_to_open_90",
        "E-mail clicks divided by e-mail opens in the 90 days before as_of.",
        "ratio",
        "engagement",
        "clicks per opened e-mail in the last 90 days",
        window=90,
        null="where no e-mail was opened in them",
    ),
    Feature(
        "unsubscribed",
        "1 when the customer has unsubscribed and not subscribed again.",
        "flag",
        "engagement",
        "unsubscribed from e-mails",
    ),
    *(
        Feature(
            f"{name}_{span}",
            f"Events of the kind {kind} in the {span} days before as_of.",
            "count",
            "engagement",
            f"{name.replace('_', ' ')} in the last {span} days",
            window=span,
        )
        for name, kind in OWN.items()
        for span in SPANS
    ),
    Feature(
        "days_since_visit",
        "Days from the last visit to as_of.",
        "days",
        "engagement",
        "days since the last visit",
        null="where there was no visit",
    ),
    Feature(
        "visits_since_last",
        "Visits on days after the last purchase day.",
        "count",
        "engagement",
        "visits since the last purchase",
    ),
    Feature(
        "visit_trend_30",
        "Visits in the 30 days before as_of divided by those of the 30 days before.",
        "ratio",
        "engagement",
        "visits in the last 30 days against the 30 days before",
        window=60,
        null="where there was no visit in the 30 days before",
    ),
    Feature(
        "purchases_per_visit_90",
        "Purchase days divided by visits in the 90 days before as_of.",
        "ratio",
        "engagement",
        "purchases per visit in the last 90 days",
        window=90,
        null="where there was no visit in them",
    ),
)


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    sent, visits = grid.events_of(EMAIL_SENT), grid.events_of(VISIT)
    answers = {rate: grid.events_of(kind) for rate, kind in RATES.items()}
    own = {name: grid.events_of(kind) for name, kind in OWN.items()}
    windowed = {f"{r}_rate_{span}": _rate(answers[r], sent, span) for r in RATES for span in SPANS}
    ever = {f"{rate}_rate": _rate(answers[rate], sent) for rate in RATES}
    return {
        **windowed,
        **ever,
        "open_rate_change": windowed["open_rate_90"] - ever["open_rate"],
        "click_to_open_90": _rate(answers["click"], answers["open"], 90),
        "unsubscribed": _unsubscribed(grid),
        **{f"{name}_{span}": own[name].count(span) for name in OWN for span in SPANS},
        "days_since_visit": visits.days_since,
        "visits_since_last": visits.count_after(grid.last),
        "visit_trend_30": ratio(visits.count(30), visits.count(60, 30)),
        "purchases_per_visit_90": ratio(grid.total("purchase_days", 90), visits.count(90)),
    }


def _rate(answers: Lookup, sent: Lookup, span: int | None = None) -> FloatArray:
    return ratio(answers.count(span), sent.count(span))


def _unsubscribed(grid: Grid) -> FloatArray:
    choices = grid.events_of(SUBSCRIBE, UNSUBSCRIBE)
    left = choices.records.text("kind").among({UNSUBSCRIBE}).astype(np.float64)
    return np.nan_to_num(choices.latest(left))
