import pandas as pd
import pytest

from patronage.report.chart_style import svg
from patronage.report.value_chart import value_at_risk_chart, value_by_decile


def test_the_last_tenth_is_the_one_most_likely_to_leave(customers):
    table = value_by_decile(customers)
    top = customers.nlargest(20, "p_churn")
    assert table.loc[10, "value_at_risk"] == pytest.approx(top["value_at_risk"].sum())
    assert table["n"].tolist() == [20] * 10
    assert table["p_churn"].is_monotonic_increasing


def test_who_has_long_left_does_not_count(customers):
    half = customers.assign(eligible=[n % 2 == 0 for n in range(len(customers))])
    assert value_by_decile(half)["n"].sum() == 100


def test_few_customers_leave_tenths_empty(customers):
    assert value_by_decile(customers.head(3))["n"].sum() == 3
    assert len(value_by_decile(customers.head(0))) == 10


def test_the_bars_hold_the_values(customers):
    figure = value_at_risk_chart(customers, currency="EUR")
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert pd.Series(heights).sum() == pytest.approx(customers["value_at_risk"].sum())
    assert figure.axes[0].get_ylabel().endswith("EUR")
    assert len(svg(figure)) < 150_000
