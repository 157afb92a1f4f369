"""Reasons out of the optional tables: service, payments, visits, usage, surveys, subscriptions."""

import numpy as np

from patronage.retention.sentences import Sentence, days, named
from patronage.retention.topic import NOTABLE, Topic, fell
from patronage.retention.wording import chance, counted, money

AWAY_DAYS = 14
"""A service not used for two weeks is a reason."""
NO_VISIT_DAYS = 30
SOON_DAYS = 60
NPS_DETRACTOR = 6

SERVICE = Topic(
    (
        *("complaints_30", "complaints_90", "complaints_365", "complaints"),
        *("complaints_per_purchase", "days_since_complaint", "complained_after_last"),
        *("open_complaints", "oldest_open_days", "resolution_days", "resolution_days_last"),
    ),
    (
        Sentence(
            named("oldest_open_days", "open_complaints"),
            lambda age, number: number > 0,
            lambda age, *_: f"a complaint has been open for {days(age)}",
        ),
        Sentence(
            named("days_since_complaint", "complained_after_last"),
            lambda away, after: after == 1,
            lambda away, *_: f"complained {days(away)} ago, after the last purchase",
        ),
        Sentence(
            named("complaints_365"),
            lambda number: number > 0,
            lambda number, _: f"{counted(int(number), 'complaint')} in the last 365 days",
        ),
    ),
)

PAYMENTS = Topic(
    (
        *("failed_payments_30", "failed_payments_90", "failed_payments_365"),
        "days_since_failed_payment",
    ),
    (
        Sentence(
            named("failed_payments_90"),
            lambda number: number > 0,
            lambda number, _: f"{counted(int(number), 'failed payment')} in the last 90 days",
        ),
    ),
)

CONTACT = Topic(
    (
        *("open_rate_30", "open_rate_90", "open_rate", "open_rate_change", "unsubscribed"),
        *("click_rate_30", "click_rate_90", "click_rate", "click_to_open_90"),
    ),
    (
        Sentence(
            named("unsubscribed"),
            lambda left: left == 1,
            lambda *_: "unsubscribed from e-mails",
        ),
        Sentence(
            named("open_rate_90", "open_rate"),
            lambda now, ever: (now <= NOTABLE * ever) & (now >= 0) & (ever <= 1),
            lambda now, ever, _: (
                f"opened {chance(now)} of e-mails in the last 90 days; {chance(ever)} so far"
            ),
        ),
    ),
)

VISITS = Topic(
    (
        *("visits_30", "visits_90", "searches_30", "searches_90", "visit_trend_30"),
        *("carts_abandoned_30", "carts_abandoned_90", "days_since_visit", "visits_since_last"),
        "purchases_per_visit_90",
    ),
    (
        Sentence(
            lambda values: (
                values.numbers("visits_30"),
                values.numbers("visits_90") - values.numbers("visits_30"),
            ),
            lambda now, before: fell(now, 30, before, 60),
            lambda now, before, _: (
                f"{counted(int(now), 'visit')} in the last 30 days; "
                f"{before:,.0f} in the 60 days before"
            ),
        ),
        Sentence(
            named("days_since_visit"),
            lambda away: away >= NO_VISIT_DAYS,
            lambda away, _: f"last visit {days(away)} ago",
        ),
    ),
)

USAGE = Topic(
    (
        *("usage_7", "usage_30", "usage_90", "usage_events_30", "days_since_usage"),
        *("usage_trend_14", "usage_trend_30"),
    ),
    (
        Sentence(
            named("days_since_usage"),
            lambda away: away >= AWAY_DAYS,
            lambda away, _: f"last used {days(away)} ago",
        ),
        Sentence(
            named("usage_trend_30"),
            lambda trend: (trend >= 0) & (trend <= NOTABLE),
            lambda trend, _: f"usage in the last 30 days {chance(trend)} of the 30 days before",
        ),
    ),
)

SURVEY = Topic(
    (
        *("survey_score_last", "survey_score_mean", "survey_score_change", "survey_score_slope"),
        *("nps_last", "nps_change", "detractor", "days_since_answer"),
        *("response_rate", "response_rate_365", "unanswered_recently", "silent_respondent"),
    ),
    (
        Sentence(
            named("nps_last"),
            lambda score: (score >= 0) & (score <= NPS_DETRACTOR),
            lambda score, _: f"gave {score:g} of 10 for recommending, when last answered",
        ),
        Sentence(
            lambda values: (
                np.round(values.numbers("survey_score_last"), 1),
                np.round(
                    values.numbers("survey_score_last") - values.numbers("survey_score_change"), 1
                ),
            ),
            lambda last, before: last < before,
            lambda last, before, _: f"last survey score {last:.1f}; {before:.1f} on average before",
        ),
        Sentence(
            named("days_since_answer", "silent_respondent"),
            lambda away, silent: silent == 1,
            lambda away, *_: f"no longer answers surveys; last answer {days(away)} ago",
        ),
    ),
)

SUBSCRIPTION = Topic(
    (
        *("subscription_days", "term_days", "terms", "auto_renew", "auto_renew_share"),
        *("plan_changed", "plan_changes", "price_last", "price_per_day", "price_change"),
        *("price_to_mean", "lapses", "lapse_share", "early_renewals", "renewal_gap_mean"),
        *("renewal_gap_last", "subscription_ended", "days_since_end", "days_to_renewal"),
    ),
    (
        Sentence(
            named("days_since_end", "subscription_ended"),
            lambda away, ended: ended == 1,
            lambda away, *_: f"subscription ended {days(away)} ago",
        ),
        Sentence(
            named("days_to_renewal"),
            lambda left: (left > 0) & (left <= SOON_DAYS),
            lambda left, _: f"subscription ends in {days(left)}",
        ),
        Sentence(
            lambda values: (
                values.amount("price_last"),
                values.numbers("price_last") / values.numbers("price_change"),
            ),
            lambda now, before: (before >= 0.01) & (NOTABLE * now >= before),
            lambda now, before, currency: (
                f"price rose from {money(before, currency)} to {money(now, currency)}"
            ),
        ),
        Sentence(
            named("lapses"),
            lambda number: number > 0,
            lambda number, _: f"subscription lapsed {counted(int(number), 'time')} before",
        ),
    ),
)

BREADTH = Topic(
    (
        *("categories", "categories_90", "categories_90_share", "category_entropy"),
        *("categories_effective", "top_category_share", "days_since_top_category"),
        *("new_category_rate", "new_categories_90", "days_since_new_category"),
    ),
    (
        Sentence(
            named("categories_90", "categories", "frequency"),
            # A span of 90 days nearly always has fewer than all; none bought is another topic.
            lambda now, ever, frequency: (frequency > 0) & (now > 0) & (now <= ever / 2),
            lambda now, ever, *_: (
                f"bought from {now:,.0f} of {ever:,.0f} categories in the last 90 days"
            ),
        ),
    ),
)

TABLE_TOPICS = (SERVICE, PAYMENTS, CONTACT, VISITS, USAGE, SURVEY, SUBSCRIPTION, BREADTH)
