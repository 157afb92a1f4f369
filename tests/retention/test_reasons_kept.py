import numpy as np
import pandas as pd
import pytest
from said_reasons import REASONS, REPEAT, SMALL, SPEND, explain

from patronage.retention.reasons import plain_reasons


def test_what_lowers_the_risk_is_no_reason():
    pushes = {"overdue_ratio": 0.5, "basket_last_ratio": -1.0}
    assert explain(REPEAT | SMALL, pushes)[1:] == ["", ""]


def test_a_change_by_the_customers_own_measure_is_said_after_what_raises_the_risk():
    pushes = {"overdue_ratio": -0.5, "spend_90": -1.0, "basket_last_ratio": 0.1}
    assert explain(REPEAT | SPEND | SMALL, pushes) == [
        "last basket 10.00 EUR; 20.00 EUR on average",
        "unusual for them: usually buys every 21 days; now 58 days without",
        "unusual for them: spent 12.00 EUR in the last 90 days; 85.40 EUR in the 90 days before",
    ]


def test_one_who_is_likely_to_stay_is_said_to_be():
    in_time = REPEAT | SMALL | {"days_since_last": 5, "p_churn": 0.2}
    pushes = {"overdue_ratio": -1.0, "p_no_purchase": -0.5, "basket_last_ratio": 0.3}
    assert explain(in_time, pushes) == [
        "likely to stay: usually buys every 21 days; last purchase 5 days ago",
        "but last basket 10.00 EUR; 20.00 EUR on average",
        "",
    ]


def test_likely_to_stay_without_a_word_for_it():
    recent = REPEAT | SMALL | {"p_churn": 0.4}
    pushes = {"weekend_share": -1.0, "basket_last_ratio": 0.3}
    assert explain(recent, pushes)[0] == "likely to stay, all in all"


@pytest.mark.parametrize(
    ("p_churn", "push"), [(0.5, -1.0), (0.2, 0.1), (np.nan, -1.0)], ids=["even", "usual", "unknown"]
)
def test_nobody_else_is_said_to_stay(p_churn, push):
    in_time = REPEAT | {"days_since_last": 5, "p_churn": p_churn}
    assert explain(in_time, {"overdue_ratio": push})[0] == "last purchase 5 days ago"


KEPT = {
    "many purchases": (
        {"frequency": 11, "T": 300, "days_since_last": 40},
        "frequency",
        "12 purchases in 300 days as a customer",
    ),
    "more spent": (
        REPEAT | {"spend_90": 80, "spend_180": 100},
        "spend_90",
        "spent 80.00 EUR in the last 90 days; 20.00 EUR in the 90 days before",
    ),
    "a short pause": (
        {"frequency": 0, "days_since_last": 9},
        "recency",
        "last purchase 9 days ago",
    ),
    "a long time": (REPEAT | {"T": 800}, "tenure_bucket", "customer for 800 days"),
    "the season": (
        REPEAT | {"season_purchase_days_90": 3},
        "season_spend_90",
        "bought 3 times in the same 90 days last year",
    ),
}


@pytest.mark.parametrize(("values", "pushing", "text"), KEPT.values(), ids=KEPT.keys())
def test_what_keeps_a_customer(values, pushing, text):
    assert explain(values | {"p_churn": 0.1}, {pushing: -1.0})[0] == f"likely to stay: {text}"


INPUTS = {
    "points": {"family": "own", "plain": "points on the card", "unit": "count", "usual": 40.0},
    "overdraft": {"family": "own", "plain": "overdraft", "unit": "money", "usual": 0.0},
    "attribute_plan": {
        "family": "attributes",
        "plain": "plan",
        "unit": "text",
        "usual": "yearly",
    },
}
OF_THEIR_OWN = REPEAT | {
    "days_since_last": 3,
    "points": 2.0,
    "overdraft": 0.0,
    "attribute_plan": "monthly",
}


def explain_own(pushes, **values):
    features = pd.DataFrame([{"customer_id": "c", **OF_THEIR_OWN, **values}])
    contributions = pd.DataFrame([dict.fromkeys(INPUTS, 0.0) | pushes])
    reasons = plain_reasons(features, contributions, currency="EUR", inputs=INPUTS)
    return [text for text in reasons[REASONS].iloc[0] if text]


def test_own_features_and_columns_are_told_with_what_is_usual():
    assert explain_own({"points": 0.5, "attribute_plan": 1.0}) == [
        "plan: monthly; the most common is yearly",
        "points on the card: 2; usual is 40",
    ]


def test_a_family_that_lowers_the_risk_is_no_reason():
    assert explain_own({"points": 0.5, "overdraft": -0.7}) == ["last purchase 3 days ago"]


def test_a_family_tells_what_adds_most_and_is_unusual():
    pushes = {"points": 0.5, "overdraft": 0.7}
    assert explain_own(pushes) == ["points on the card: 2; usual is 40"]
    assert explain_own(pushes, overdraft=12.5) == ["overdraft: 12.50 EUR; usual is 0.00 EUR"]
    assert explain_own(pushes, points=41.0) == ["last purchase 3 days ago"]
    assert explain_own({"attribute_plan": 1.0}, attribute_plan="yearly") == (
        ["last purchase 3 days ago"]
    )
