"""What can be a reason: features that say the same, and how to put it in words.

Correlated features share one topic: their contributions are added before topics are ranked, so
that five ways to count purchases do not crowd out everything else.
"""

import numpy as np

from patronage.retention.economics import Flags, Floats
from patronage.retention.sentences import (
    Sentence,
    days,
    every,
    named,
    purchases,
    spent,
)
from patronage.retention.table_topics import TABLE_TOPICS
from patronage.retention.topic import NOTABLE, Topic, fell
from patronage.retention.wording import chance, money

FEW_PURCHASES = 4
NEW_FOR_DAYS = 90
RARE_DAYS = 90
SHARE_STEP = 0.05
SMALL_BASKET = 0.5
"""Baskets differ: one is unusually small at half the customer's mean."""
YEAR = 365


def _longer(pause: Floats, gap: Floats) -> Flags:
    """Also when the half day of a median is shown as the day after it."""
    return np.asarray((np.ceil(gap) <= NOTABLE * pause) & (gap < pause))


def _spend_fell(span: int, whole: int) -> Sentence:
    return Sentence(
        lambda values: (
            values.amount(f"spend_{span}"),
            values.amount(f"spend_{whole}", less=f"spend_{span}"),
            values.numbers("frequency"),
        ),
        lambda now, before, frequency: (
            (frequency > 0) & (now >= 0) & fell(now, span, before, whole - span)
        ),
        lambda now, before, _, currency: (
            f"{spent(now, currency)} in the last {span} days; "
            f"{money(before, currency)} in the {whole - span} days before"
        ),
    )


def _purchases_fell(span: int, whole: int) -> Sentence:
    return Sentence(
        lambda values: (
            values.numbers(f"purchase_days_{span}"),
            values.numbers(f"purchase_days_{whole}") - values.numbers(f"purchase_days_{span}"),
            values.numbers("frequency"),
        ),
        lambda now, before, frequency: (frequency > 0) & fell(now, span, before, whole - span),
        lambda now, before, *_: (
            f"{purchases(now)} in the last {span} days; "
            f"{before:,.0f} in the {whole - span} days before"
        ),
    )


ONE_PURCHASE = Sentence(
    named("days_since_last", "frequency"),
    lambda away, frequency: frequency == 0,
    lambda away, *_: f"only one purchase so far, {days(away)} ago",
)

LATE = Sentence(
    named("usual_gap_days", "days_since_last", "frequency"),
    lambda gap, away, frequency: (frequency > 1) & _longer(away, gap),
    lambda gap, away, *_: f"usually buys {every(gap)}; now {days(away)} without",
)

LATE_ON_ONE_GAP = Sentence(
    named("usual_gap_days", "days_since_last", "frequency"),
    lambda gap, away, frequency: (frequency == 1) & _longer(away, gap),
    lambda gap, away, *_: f"came back after {days(gap)} last time; now {days(away)} without",
)

RARE = Sentence(
    named("usual_gap_days", "days_since_last", "frequency"),
    lambda gap, away, frequency: (frequency > 1) & (gap >= RARE_DAYS) & (gap >= away),
    lambda gap, away, *_: f"buys only every {days(gap)}; last purchase {days(away)} ago",
)

RARE_ON_ONE_GAP = Sentence(
    named("usual_gap_days", "days_since_last", "frequency"),
    lambda gap, away, frequency: (frequency == 1) & (gap >= RARE_DAYS) & (gap >= away),
    lambda gap, away, *_: (
        f"came back only after {days(gap)} last time; last purchase {days(away)} ago"
    ),
)

LAST_PURCHASE = Sentence(
    named("days_since_last"),
    lambda away: np.isfinite(away),
    lambda away, *_: f"last purchase {days(away)} ago",
)
"""True of everybody: said only where nothing else can be."""

WORTH = Sentence(
    lambda values: (values.numbers("frequency") + 1, values.numbers("total_spend")),
    lambda bought, total: (bought > 1) & (total > 0),
    lambda bought, total, currency: (
        f"at stake: {purchases(bought)} so far, {money(total / bought, currency)} each on average"
    ),
)
"""What there is to lose, no cause, and said to be none: last, where there is room."""

ABSENCE = Topic(
    (
        *("days_since_last", "overdue_ratio", "away_to_max_gap", "expected_gap_days"),
        *("usual_gap_days", "gap_mean", "gap_sd", "gap_cv", "gap_max", "active_share", "recency"),
        *("purchase_days_7", "purchase_days_30", "recency_z", "clumpiness", "pauses"),
        *("p_no_purchase", "p_alive", "horizon_purchases"),
    ),
    (ONE_PURCHASE, LATE, LATE_ON_ONE_GAP, RARE, RARE_ON_ONE_GAP),
)

FEW = Topic(
    (
        "frequency",
        "purchase_rate",
        "purchase_days_365",
        "days_to_second",
        "total_spend",
        "spend_per_day",
    ),
    (
        ONE_PURCHASE,
        Sentence(
            lambda values: (values.numbers("frequency") + 1, values.numbers("T")),
            lambda bought, age: (bought > 1) & (bought <= FEW_PURCHASES) & (age > NEW_FOR_DAYS),
            lambda bought, age, _: f"only {purchases(bought)} in {days(age)} as a customer",
        ),
    ),
)

LESS_ACTIVE = Topic(
    (
        *("purchase_days_60", "purchase_days_90", "purchase_days_180", "units_90", "units_365"),
        *("purchase_trend_30", "purchase_trend_90", "purchase_trend_180"),
        *("spend_7", "spend_30", "spend_60", "spend_90", "spend_180", "spend_365"),
        *("spend_trend_30", "spend_trend_90", "purchase_acceleration", "late_half_share"),
        *("begin_share", "middle_share", "end_share", "end_to_begin"),
        *("begin_spend_share", "end_spend_share"),
    ),
    (
        _spend_fell(90, 180),
        _purchases_fell(90, 180),
        _spend_fell(30, 60),
        _purchases_fell(30, 60),
        _spend_fell(180, 365),
        _purchases_fell(180, 365),
    ),
)

SLOWER = Topic(
    ("gap_last", "last_gap_ratio", "gap_trend", "slow_gaps"),
    (
        Sentence(
            named("gap_last", "usual_gap_days", "frequency"),
            lambda last, gap, frequency: (frequency > 1) & _longer(last, gap),
            lambda last, gap, *_: f"last two purchases {days(last)} apart; usually {days(gap)}",
        ),
        Sentence(
            named("slow_gaps", "frequency"),
            lambda slow, frequency: (slow == 2) & (frequency > 2),
            lambda *_: "two of the last three pauses between purchases were longer than usual",
        ),
    ),
)

BASKET = Topic(
    (
        *("basket_mean", "basket_max", "basket_sd", "basket_last_ratio", "monetary_value"),
        *("orders_per_day", "products_per_day", "categories_per_day", "new_product_rate"),
        *("unit_price", "expected_spend"),
    ),
    (
        Sentence(
            lambda values: (
                values.amount("basket_last"),
                values.amount("basket_mean"),
                values.numbers("frequency"),
            ),
            lambda last, mean, frequency: (
                (frequency > 0) & (last >= 0) & (last <= SMALL_BASKET * mean) & (mean > 0)
            ),
            lambda last, mean, _, currency: (
                f"last basket {money(last, currency)}; {money(mean, currency)} on average"
            ),
        ),
    ),
)

RETURNS = Topic(
    (
        *("return_share", "return_share_90", "return_change", "return_lines", "return_lines_90"),
        *("days_since_return", "returned_after_last"),
    ),
    (
        Sentence(
            named("days_since_return", "returned_after_last"),
            lambda away, after: after == 1,
            lambda away, _, __: f"sent something back {days(away)} ago, after the last purchase",
        ),
        Sentence(
            named("return_share"),
            lambda share: (share >= SHARE_STEP) & (share <= 1),
            lambda share, _: f"sent back {chance(share)} of what was bought, by value",
        ),
    ),
)

SEASON = Topic(
    (
        *("season_purchase_days_30", "season_purchase_days_90"),
        *("season_spend_30", "season_spend_90"),
    ),
    tuple(
        Sentence(
            named(f"season_purchase_days_{span}", "T", "usual_gap_days", "frequency"),
            lambda bought, age, gap, frequency, span=span: (
                (bought == 0) & (age >= YEAR) & (gap <= span) & (frequency > 1)
            ),
            lambda *_, span=span: f"bought nothing in the same {span} days last year",
        )
        for span in (90, 30)
    ),
)

PRICE = Topic(
    (
        *("discount_share", "discount_share_90", "discount_change", "discount_days_share"),
        *("discount_depth", "full_price_share_90", "full_price_change"),
        *("margin_share", "margin_share_90", "margin_change"),
    ),
    (
        Sentence(
            named("discount_share_90", "discount_share"),
            lambda now, ever: (ever - now >= SHARE_STEP) & (now >= 0) & (ever <= 1),
            lambda now, ever, _: (
                f"average discount {chance(now)} in the last 90 days; {chance(ever)} so far"
            ),
        ),
        Sentence(
            named("discount_share"),
            lambda share: (share >= SHARE_STEP) & (share <= 1),
            lambda share, _: f"buys at an average discount of {chance(share)}",
        ),
    ),
)

NEW = Topic(
    ("T", "tenure_bucket"),
    (
        Sentence(
            named("T", "frequency"),
            lambda age, frequency: (frequency > 0) & (age <= NEW_FOR_DAYS),
            lambda age, *_: f"customer for only {days(age)} so far",
        ),
    ),
)

UNSAYABLE = Topic(
    (
        *("weekend_share", "weekday_entropy", "weekday_top_share", "month_concentration"),
        *("history_days", "as_of_sin", "as_of_cos"),
        *("first_category", "top_category", "first_channel", "top_channel"),
        *("channels", "channels_90", "channel_entropy", "top_channel_share", "channel_switched"),
        "days_since_new_channel",
    )
)
"""They help to predict, but are nothing to tell anyone."""

TOPICS = (
    *(ABSENCE, FEW, LESS_ACTIVE, SLOWER, BASKET, RETURNS, SEASON, PRICE, NEW),
    *TABLE_TOPICS,
    UNSAYABLE,
)
