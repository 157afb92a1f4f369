import pandas as pd

from patronage.report.customers_table import customers_table


def test_the_library_is_inside(at_risk):
    html = customers_table(at_risk, currency="USD")
    assert "injectModule(" in html
    assert "unpkg" not in html
    assert "jsdelivr" not in html


def test_texts_are_escaped_and_cut(hostile_list):
    html = customers_table(hostile_list, currency="USD")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "x" * 81 not in html


def test_the_digits_are_those_of_the_currency(at_risk):
    assert "minimumFractionDigits: 3" in customers_table(at_risk, currency="KWD")
    assert "minimumFractionDigits: 3" not in customers_table(at_risk, currency="EUR")


def test_missing_numbers_do_no_harm(at_risk):
    table = at_risk.assign(usual_gap_days=float("nan"), days_since_last=pd.NA)
    assert "at-risk" in customers_table(table, currency="EUR")


def test_an_empty_list_is_a_table(at_risk):
    assert "at-risk" in customers_table(at_risk.head(0), currency="EUR")
