import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patronage.errors import DataError
from patronage.retention.at_risk import REASONS
from patronage.retention.column_reasons import column_reasons


def level(left, n=100, **values):
    return {"n": n, "left": left, "text": None, "above": None, "up_to": None, **values}


PLAN = {
    "family": "plan",
    "plain": "Plan",
    "unit": "text",
    "usual": "monthly",
    "left": 0.27,
    "levels": [level(0.46, text="monthly"), level(0.03, text="yearly"), level(0.27, text="free")],
}
MONTHS = {
    "family": "months",
    "plain": "Months",
    "unit": "number",
    "usual": 29.0,
    "left": 0.27,
    "levels": [
        level(0.54, up_to=6.0, whole=True),
        level(0.28, above=6.0, up_to=29.0, whole=True),
        level(0.1, above=29.0, whole=True),
    ],
}
PAID = MONTHS | {
    "plain": "Paid so far",
    "usual": 1500.0,
    "levels": [level(0.5, up_to=400.0), level(0.1, above=400.0)],
}
SUPPORT = {
    "family": "support",
    "plain": "Support",
    "unit": "flag",
    "usual": 0.0,
    "left": 0.27,
    "levels": [level(0.35, above=0.0, up_to=0.0), level(0.12, above=1.0, up_to=1.0)],
}
INPUTS = {"plan": PLAN, "months": MONTHS, "paid": PAID, "support": SUPPORT}
NAMES = list(INPUTS)


def reasons(p_churn, values, pushes):
    features = pd.DataFrame([[*values, p_churn, "c1"]], columns=[*NAMES, "p_churn", "customer_id"])
    contributions = pd.DataFrame([pushes], columns=NAMES)
    found = column_reasons(features, contributions, INPUTS)
    return [text for text in found.loc[0, list(REASONS)] if text]


def test_a_reason_has_the_value_what_is_usual_and_who_left():
    assert reasons(0.8, ["monthly", 2, 1000, 0], [0.9, 0.5, 0.1, 0.2]) == [
        "Plan: monthly; 46% of such customers left, 27% of all",
        "Months: 2, usual is 29; 54% of those with up to 6 left, 27% of all",
        "Support: no; 35% of such customers left, 27% of all",
    ]


def test_who_is_likely_to_stay_is_told_so_first_and_the_risk_after_a_but():
    assert reasons(0.1, ["yearly", 2, 1000, 0], [-1.5, 0.5, 0.1, 0.2]) == [
        "likely to stay: Plan: yearly; 3% of such customers left, 27% of all",
        "but Months: 2, usual is 29; 54% of those with up to 6 left, 27% of all",
        "but Support: no; 35% of such customers left, 27% of all",
    ]


def test_columns_that_say_the_same_are_one_reason_told_by_the_one_that_adds_most():
    told = reasons(0.8, ["free", 2, 300.25, 1], [0.0, 0.2, 0.4, -0.1])
    assert told == [
        "Paid so far: 300, usual is 1,500; 50% of those with up to 400 left, 27% of all"
    ]


def test_a_family_that_lowers_the_risk_all_in_all_is_no_reason():
    assert reasons(0.6, ["monthly", 2, 300, 1], [0.3, 0.2, -0.4, -0.1]) == [
        "Plan: monthly; 46% of such customers left, 27% of all"
    ]


def test_a_value_whose_customers_leave_no_more_than_others_is_no_reason():
    """The trees may push by a value in company with others; said alone it would mislead."""
    assert reasons(0.6, ["free", 20, 2000, 1], [0.9, 0.5, 0.1, 0.4]) == [
        "no single thing stands out: many small ones add up"
    ]


def test_a_text_unheard_of_and_a_gap_are_passed_over():
    assert reasons(0.6, ["new", np.nan, 2000, 0], [0.9, 0.5, -0.6, 0.2]) == [
        "Support: no; 35% of such customers left, 27% of all"
    ]


def test_a_gap_of_which_a_share_is_known_is_told():
    known = INPUTS | {"plan": PLAN | {"levels": [level(0.6)]}}
    features = pd.DataFrame({"customer_id": ["a"], "plan": [None], "p_churn": [0.7]})
    found = column_reasons(features, pd.DataFrame({"plan": [0.4]}), known)
    assert found["reason_1"].tolist() == ["Plan: not given; 60% of such customers left, 27% of all"]


def test_a_customer_without_contributions_is_named():
    features = pd.DataFrame({"customer_id": ["a", "b"], "plan": ["x", "y"], "p_churn": [0.1, 0.2]})
    few = pd.DataFrame({"customer_id": ["a"], "plan": [0.4]})
    with pytest.raises(DataError, match="lacks 1 of 2 customers, first 'b'"):
        column_reasons(features, few, INPUTS)


chances = st.floats(0.01, 0.99)
pushes = st.lists(st.floats(-2, 2), min_size=4, max_size=4)
values = st.tuples(
    st.sampled_from(["monthly", "yearly", "free", None]),
    st.integers(0, 80),
    st.floats(0, 4000),
    st.sampled_from([0, 1]),
)


@given(p_churn=chances, values=values, pushes=pushes)
def test_no_reason_contradicts_the_chance_beside_it(p_churn, values, pushes):
    told = reasons(p_churn, values, pushes)
    stays = p_churn < 0.27
    assert told[0].startswith("likely to stay") == stays
    assert all(text.startswith("but ") == stays for text in told[1:])
    for place, text in enumerate(told):
        if "% of all" in text:
            shares = [
                int(part.split("%")[0].split()[-1]) for part in text.split(";")[-1].split(",")[-2:]
            ]
            keeps = stays and place == 0
            assert (shares[0] < shares[1]) == keeps
