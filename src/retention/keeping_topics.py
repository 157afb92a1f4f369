"""What keeps a customer: said first of those who are likely to stay."""

import numpy as np

from patronage.retention.economics import Floats
from patronage.retention.sentences import Sentence, days, every, named, purchases, spent
from patronage.retention.topic import NOTABLE, Topic, fell
from patronage.retention.topics import ABSENCE, FEW, FEW_PURCHASES, LESS_ACTIVE, NEW, SEASON, YEAR
from patronage.retention.wording import counted, money

RECENT_DAYS = 30


def _rose(span: int) -> Sentence:
    """Spent more than in as many days before."""
    return Sentence(
        lambda values: (
            values.amount(f"spend_{span}"),
            values.amount(f"spend_{2 * span}", less=f"spend_{span}"),
            values.numbers("frequency"),
        ),
        lambda now, before, frequency: (
            (frequency > 0) & (before >= 0) & fell(before, span, now, span)
        ),
        lambda now, before, _, currency: (
            f"{spent(now, currency)} in the last {span} days; "
            f"{money(before, currency)} in the {span} days before"
        ),
    )


def _in_time(gap: Floats, away: Floats, frequency: Floats) -> np.ndarray:
    return np.asarray((frequency > 1) & (np.floor(gap) >= away))


KEEPING = (
    Topic(
        ABSENCE.features,
        (
            Sentence(
                named("usual_gap_days", "days_since_last", "frequency"),
                _in_time,
                lambda gap, away, *_: f"usually buys {every(gap)}; last purchase {days(away)} ago",
            ),
            Sentence(
                named("days_since_last"),
                lambda away: away <= RECENT_DAYS,
                lambda away, _: f"last purchase {days(away)} ago",
            ),
        ),
    ),
    Topic(
        FEW.features,
        (
            Sentence(
                lambda values: (values.numbers("frequency") + 1, values.numbers("T")),
                lambda bought, age: bought > FEW_PURCHASES,
                lambda bought, age, _: f"{purchases(bought)} in {days(age)} as a customer",
            ),
        ),
    ),
    Topic(LESS_ACTIVE.features, (_rose(90), _rose(30))),
    Topic(
        NEW.features,
        (
            Sentence(
                named("T"),
                lambda age: age >= YEAR,
                lambda age, _: f"customer for {days(age)}",
            ),
        ),
    ),
    Topic(
        SEASON.features,
        (
            Sentence(
                named("season_purchase_days_90"),
                lambda bought: bought >= 1 / NOTABLE,
                lambda bought, _: (
                    f"bought {counted(int(bought), 'time')} in the same 90 days last year"
                ),
            ),
        ),
    ),
)
"""The features of a topic of reasons, and what can be said where they lower the risk."""
