import re

import pandas as pd
import pytest

from patronage.report.customers_table import customers_table


def shown(at_risk, currency="USD", of=None):
    return customers_table(at_risk, currency=currency, of=of or len(at_risk))


def cells(html, header):
    return re.findall(rf'data-label="{header}"(?: data-order="[^"]*")?>(.*?)</td>', html)


def test_the_library_is_inside(at_risk):
    html = shown(at_risk)
    assert len(html) > 500_000
    assert "unpkg" not in html
    assert "jsdelivr" not in html


def test_the_rows_are_there_without_a_script(at_risk):
    html = shown(at_risk)
    assert "Loading" not in html
    ids = [f"<div>{one}</div>" for one in at_risk["customer_id"]]
    assert cells(html, "Customer") == ids


def test_texts_are_escaped_and_cut(hostile_list):
    html = shown(hostile_list)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "x" * 81 not in html


def test_reasons_stand_on_lines_of_their_own(at_risk):
    html = shown(at_risk.head(1).assign(reason_1="late", reason_2="", reason_3="spent less"))
    assert cells(html, "Why") == ["<div>late</div><div>spent less</div>"]


def test_numbers_are_shown_for_people_and_sorted_by_value(at_risk):
    row = at_risk.head(1).assign(p_churn=0.9996, p_alive=0.0004, value_if_kept=-1234.5)
    html = shown(row)
    assert 'data-label="Chance to leave" data-order="0.9996"><div>&gt;99%</div>' in html
    assert 'data-label="Chance still a customer" data-order="0.0004"><div>&lt;1%</div>' in html
    assert 'data-label="Value if kept" data-order="-1234.5"><div>-1,234.50</div>' in html


@pytest.mark.parametrize(("currency", "text"), [("KWD", "12.346"), ("EUR", "12.35"), ("JPY", "12")])
def test_the_digits_are_those_of_the_currency(at_risk, currency, text):
    html = shown(at_risk.head(1).assign(action_cost=12.3456), currency=currency)
    assert cells(html, "Expected cost") == [f"<div>{text}</div>"]


def test_missing_numbers_do_no_harm(at_risk):
    html = shown(at_risk.head(1).assign(p_alive=pd.NA))
    assert cells(html, "Chance still a customer") == [""]


def test_a_search_of_the_first_rows_says_so(at_risk):
    assert '"Search:"' in shown(at_risk)
    assert '"Search these 200 of 8,332:"' in shown(at_risk, of=8332)


def test_an_empty_list_is_a_table(at_risk):
    assert "at-risk" in shown(at_risk.head(0))
