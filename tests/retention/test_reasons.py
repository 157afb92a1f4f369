import pandas as pd
import pytest
from said_reasons import NAMES, REPEAT, SMALL, SPEND, explain

from patronage.errors import DataError
from patronage.retention.reasons import plain_reasons
from patronage.retention.topics import TOPICS

CASES = {
    "late": (REPEAT, "overdue_ratio", "usually buys every 21 days; now 58 days without"),
    "a median between two gaps": (
        REPEAT | {"usual_gap_days": 21.5},
        "overdue_ratio",
        "usually buys every 21 to 22 days; now 58 days without",
    ),
    "every day": (
        REPEAT | {"usual_gap_days": 1, "days_since_last": 5},
        "overdue_ratio",
        "usually buys every day; now 5 days without",
    ),
    "one gap": (
        REPEAT | {"frequency": 1},
        "days_since_last",
        "came back after 21 days last time; now 58 days without",
    ),
    "one purchase": (
        {"frequency": 0, "days_since_last": 140, "T": 140},
        "days_since_last",
        "only one purchase so far, 140 days ago",
    ),
    "few purchases": (
        {"frequency": 2, "T": 340, "days_since_last": 3, "usual_gap_days": 168},
        "frequency",
        "only 3 purchases in 340 days as a customer",
    ),
    "less spent": (
        REPEAT | SPEND,
        "spend_90",
        "spent 12.00 EUR in the last 90 days; 85.40 EUR in the 90 days before",
    ),
    "nothing spent": (
        REPEAT | {"spend_90": 0, "spend_180": 85.4},
        "spend_trend_90",
        "spent nothing in the last 90 days; 85.40 EUR in the 90 days before",
    ),
    "fewer purchases at the same spend": (
        REPEAT | {"spend_90": 50, "spend_180": 100, "purchase_days_90": 1, "purchase_days_180": 5},
        "purchase_trend_90",
        "1 purchase in the last 90 days; 4 in the 90 days before",
    ),
    "a slow last gap": (
        REPEAT | {"gap_last": 40, "days_since_last": 9},
        "gap_last",
        "last two purchases 40 days apart; usually 21 days",
    ),
    "two slow gaps": (
        REPEAT | {"gap_last": 9, "slow_gaps": 2, "days_since_last": 9},
        "slow_gaps",
        "two of the last three pauses between purchases were longer than usual",
    ),
    "a small last basket": (
        REPEAT | {"basket_last_ratio": 2 / 7, "basket_mean": 35},
        "basket_last_ratio",
        "last basket 10.00 EUR; 35.00 EUR on average",
    ),
    "a late return": (
        REPEAT | {"days_since_return": 1, "returned_after_last": 1, "return_share": 0.4},
        "return_share",
        "sent something back 1 day ago, after the last purchase",
    ),
    "returns": (
        REPEAT | {"returned_after_last": 0, "return_share": 0.4},
        "return_share",
        "sent back 40% of what was bought, by value",
    ),
    "not in this season": (
        REPEAT | {"T": 400, "season_purchase_days_90": 0},
        "season_spend_90",
        "bought nothing in the same 90 days last year",
    ),
    "discounts": (
        REPEAT | {"discount_share_90": 0.05, "discount_share": 0.19},
        "discount_share_90",
        "average discount 5% in the last 90 days; 19% so far",
    ),
    "new": (REPEAT | {"T": 60}, "T", "customer for only 60 days so far"),
    "an open complaint": (
        REPEAT | {"oldest_open_days": 12, "open_complaints": 1, "complaints_365": 3},
        "complaints_90",
        "a complaint has been open for 12 days",
    ),
    "a complaint after the last purchase": (
        REPEAT | {"days_since_complaint": 8, "complained_after_last": 1, "open_complaints": 0},
        "complained_after_last",
        "complained 8 days ago, after the last purchase",
    ),
    "complaints": (
        REPEAT | {"complained_after_last": 0, "complaints_365": 1},
        "days_since_complaint",
        "1 complaint in the last 365 days",
    ),
    "failed payments": (
        REPEAT | {"failed_payments_90": 2},
        "failed_payments_365",
        "2 failed payments in the last 90 days",
    ),
    "unsubscribed": (REPEAT | {"unsubscribed": 1}, "open_rate_90", "unsubscribed from e-mails"),
    "fewer opens": (
        REPEAT | {"open_rate_90": 0.1, "open_rate": 0.4},
        "open_rate_change",
        "opened 10% of e-mails in the last 90 days; 40% so far",
    ),
    "fewer visits": (
        REPEAT | {"visits_30": 1, "visits_90": 10},
        "visits_30",
        "1 visit in the last 30 days; 9 in the 60 days before",
    ),
    "no visits": (
        REPEAT | {"days_since_visit": 45, "visits_since_last": 4},
        "visits_since_last",
        "last visit 45 days ago",
    ),
    "unused": (REPEAT | {"days_since_usage": 20}, "usage_30", "last used 20 days ago"),
    "less used": (
        REPEAT | {"days_since_usage": 2, "usage_trend_30": 0.6},
        "usage_trend_30",
        "usage in the last 30 days 60% of the 30 days before",
    ),
    "a detractor": (
        REPEAT | {"nps_last": 4, "survey_score_last": 4, "survey_score_change": -2},
        "detractor",
        "gave 4 of 10 for recommending, when last answered",
    ),
    "a lower score": (
        REPEAT | {"survey_score_last": 3, "survey_score_change": -1.5},
        "survey_score_mean",
        "last survey score 3.0; 4.5 on average before",
    ),
    "silence": (
        REPEAT | {"days_since_answer": 200, "silent_respondent": 1},
        "response_rate",
        "no longer answers surveys; last answer 200 days ago",
    ),
    "an ended subscription": (
        REPEAT | {"days_since_end": 5, "subscription_ended": 1},
        "lapses",
        "subscription ended 5 days ago",
    ),
    "a subscription about to end": (
        REPEAT | {"days_to_renewal": 12},
        "days_to_renewal",
        "subscription ends in 12 days",
    ),
    "a higher price": (
        REPEAT | {"price_last": 12, "price_change": 1.2},
        "price_change",
        "price rose from 10.00 EUR to 12.00 EUR",
    ),
    "lapses": (REPEAT | {"lapses": 2}, "lapses", "subscription lapsed 2 times before"),
    "fewer categories": (
        REPEAT | {"categories_90": 1, "categories": 5},
        "category_entropy",
        "bought from 1 of 5 categories in the last 90 days",
    ),
}


@pytest.mark.parametrize(("values", "pushing", "text"), CASES.values(), ids=CASES.keys())
def test_a_reason_names_the_value_and_the_usual_one(values, pushing, text):
    assert explain(values, {pushing: 1.0})[0] == text


def test_topics_are_ranked_not_features():
    values = REPEAT | SPEND | {"basket_last_ratio": 0.5, "basket_mean": 20}
    pushes = {"overdue_ratio": 0.9, "basket_last_ratio": 1.0, "days_since_last": 0.6}
    pushes |= {"spend_90": 0.4, "spend_30": 0.4, "spend_trend_90": 0.4}
    assert explain(values, pushes) == [
        "usually buys every 21 days; now 58 days without",
        "spent 12.00 EUR in the last 90 days; 85.40 EUR in the 90 days before",
        "last basket 10.00 EUR; 20.00 EUR on average",
    ]


def test_a_rare_buyer_is_told_as_one():
    rare = {"frequency": 3, "usual_gap_days": 200, "days_since_last": 50, "T": 900}
    assert explain(rare, {"p_no_purchase": 1.0})[0] == (
        "buys only every 200 days; last purchase 50 days ago"
    )
    assert explain(rare | {"frequency": 1}, {"p_no_purchase": 1.0})[0] == (
        "came back only after 200 days last time; last purchase 50 days ago"
    )


def test_a_feature_against_its_own_topic_counts():
    pushes = {"overdue_ratio": 0.5, "basket_last_ratio": 1.0, "basket_mean": -1.2}
    assert explain(REPEAT | SMALL, pushes)[1] == ""


def test_one_purchase_is_said_once():
    once = {"frequency": 0, "days_since_last": 140, "T": 140}
    pushes = {"frequency": 0.8, "days_since_last": 0.7}
    assert explain(once, pushes) == ["only one purchase so far, 140 days ago", "", ""]


def test_the_last_purchase_is_said_where_nothing_else_can_be():
    recent = REPEAT | {"days_since_last": 3}
    assert explain(recent, {"weekend_share": 2.0}) == ["last purchase 3 days ago", "", ""]


def test_nothing_is_said_of_a_customer_of_whom_nothing_is_known():
    assert explain({}, {"spend_90": 1.0}) == ["", "", ""]


def test_amounts_are_compared_as_they_are_shown():
    recent = REPEAT | {"days_since_last": 3}
    same_to_the_cent = recent | {"spend_90": 12.001, "spend_180": 24.004}
    assert explain(same_to_the_cent, {"spend_90": 1.0}) == ["last purchase 3 days ago", "", ""]


UNREMARKABLE = {
    "many purchases": (REPEAT | {"frequency": 11}, "frequency"),
    "few purchases of a new customer": (
        {"frequency": 1, "T": 20, "days_since_last": 3, "usual_gap_days": 17},
        "purchase_rate",
    ),
    "visits": (REPEAT | {"visits_since_last": 3, "days_since_visit": 2}, "visits_since_last"),
    "a basket like others": (
        REPEAT | {"basket_last_ratio": 0.85, "basket_mean": 142.5},
        "basket_last_ratio",
    ),
    "a season in which two gaps do not fit": (
        REPEAT | {"T": 400, "usual_gap_days": 120, "season_purchase_days_90": 0},
        "season_spend_90",
    ),
    "more discount than before": (
        REPEAT | {"discount_share_90": 0.3, "discount_share": 0.02},
        "discount_share_90",
    ),
    "nearly all categories": (REPEAT | {"categories_90": 4, "categories": 5}, "category_entropy"),
}


@pytest.mark.parametrize(("values", "pushing"), UNREMARKABLE.values(), ids=UNREMARKABLE.keys())
def test_what_is_true_but_nothing_unusual_is_no_reason(values, pushing):
    recent = values | {"days_since_last": 3}
    assert explain(recent, {pushing: 1.0}) == ["last purchase 3 days ago", "", ""]


def test_a_pause_is_said_once():
    slow = REPEAT | {"gap_last": 40, "slow_gaps": 2}
    pushes = {"gap_last": 1.0, "days_since_last": 0.2}
    assert explain(slow, pushes) == ["usually buys every 21 days; now 58 days without", "", ""]


def test_one_who_bought_nothing_for_long_is_late_and_that_is_all():
    gone = REPEAT | {"days_since_last": 188, "spend_180": 0, "spend_365": 638.58}
    pushes = {"spend_180": 1.0, "days_since_last": 0.2}
    late = "usually buys every 21 days; now 188 days without"
    assert explain(gone | {"spend_180": 0}, pushes) == [late, "", ""]


def test_what_there_is_to_lose_is_said_where_there_is_room():
    values = REPEAT | {"total_spend": 250}
    worth = "at stake: 5 purchases so far, 50.00 EUR each on average"
    late = "usually buys every 21 days; now 58 days without"
    assert explain(values, {"overdue_ratio": 1.0}) == [late, worth, ""]
    pushes = {"overdue_ratio": 1.0, "basket_last_ratio": 0.5}
    assert explain(values | SMALL, pushes)[2] == worth
    once = {"frequency": 0, "days_since_last": 9, "T": 9, "total_spend": 20}
    assert explain(once, {"days_since_last": 1.0})[1:] == ["", ""]


def test_every_feature_has_one_topic():
    names = [name for topic in TOPICS for name in topic.features]
    # The plan is told by its family, beside the most common one: plans have names, not directions.
    assert sorted(set(NAMES) - set(names)) == ["plan"]
    assert len(names) == len(set(names))


def test_customers_are_matched_by_id():
    features = pd.DataFrame({"customer_id": ["a", "b"], "frequency": 0, "days_since_last": [1, 2]})
    contributions = pd.DataFrame({"customer_id": ["b", "a"], "frequency": [1.0, 1.0]})
    reasons = plain_reasons(features, contributions, currency="EUR")
    assert reasons["customer_id"].tolist() == ["a", "b"]
    assert reasons["reason_1"].str.contains("1 day ago").tolist() == [True, False]


def test_contributions_without_ids_are_matched_by_the_index():
    ids = {"customer_id": ["a", "b"], "frequency": 1, "days_since_last": [1, 2]}
    features = pd.DataFrame({**ids, **SMALL}, index=[7, 9])
    contributions = pd.DataFrame({"basket_last_ratio": [1.0, -1.0]}, index=[9, 7])
    reasons = plain_reasons(features, contributions, currency="EUR")
    assert reasons["reason_1"].tolist() == [
        "last purchase 1 day ago",
        "last basket 10.00 EUR; 20.00 EUR on average",
    ]


def test_a_customer_without_contributions_is_refused():
    features = pd.DataFrame({"customer_id": ["a", "b"], "frequency": 0, "days_since_last": 3})
    with pytest.raises(DataError, match="contributions lacks 1 of 2 customers, first 'b'"):
        plain_reasons(
            features, pd.DataFrame({"customer_id": ["a"], "frequency": [1.0]}), currency="EUR"
        )
