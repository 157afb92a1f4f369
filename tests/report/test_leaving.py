import pandas as pd

from patronage.report.leaving import leaving_meaning, leaving_name, leaving_share


def test_what_is_counted_names_its_days():
    assert leaving_name(1) == "Expected not to buy in 1 day"
    assert leaving_name(None) == "Expected not to buy"


def test_the_share_stands_beside_that_of_the_test_day():
    test = {"as_of": "1998-04-02", "churn_rate": 0.404}
    assert leaving_share(pd.Series([0.9, 0.5]), test) == "70%; after 1998-04-02 it was 40%"
    assert leaving_share(pd.Series([], dtype=float), test) == ""


def test_both_chances_are_told_apart():
    text = leaving_meaning(90, 0)
    assert "the customer buys nothing in 90 days. Chance still a customer: " in text
    assert "not gone for good already" in text
    assert "in 30 days, from 7 days after the day of the list on." in leaving_meaning(30, 7)
    assert "nothing within the horizon." in leaving_meaning(None, None)
