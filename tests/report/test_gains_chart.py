import numpy as np
import pandas as pd
import pytest

from patronage.report.chart_style import svg
from patronage.report.gains_chart import gains_chart, gains_curve, share_reached

CHURNED = pd.Series([1, 1, 0, 0, 0])


def test_the_curve_by_hand():
    contacted, reached = gains_curve(pd.Series([0.9, 0.2, 0.8, 0.1, 0.0]), CHURNED)
    assert contacted == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert reached == pytest.approx([0, 0.5, 0.5, 1, 1, 1])


def test_a_score_that_says_nothing_reaches_as_many_as_it_contacts():
    assert share_reached(pd.Series([3] * 5), CHURNED, 0.4) == pytest.approx(0.4)


def test_the_order_of_ties_does_not_matter():
    score = pd.Series([2, 1, 2, 1, 1])
    back = slice(None, None, -1)
    curves = gains_curve(score, CHURNED), gains_curve(score[back], CHURNED[back])
    np.testing.assert_allclose(curves[0], curves[1])


def test_the_chart_draws_what_it_is_asked_for():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.random(3000), "b": rng.random(3000), "churned": 0})
    table.loc[:900, "churned"] = 1
    figure = gains_chart(table, {"a": "Model", "b": "Recency"})
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["Model", "Recency", "in any order"]
    assert figure.axes[0].get_lines()[0].get_ydata()[-1] == pytest.approx(1)
    assert len(svg(figure)) < 150_000
