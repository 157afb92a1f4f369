import numpy as np
import pytest

from patronage.report.alive_chart import alive_chart, alive_matrix
from patronage.report.chart_style import svg


def alive(rfm):
    """Falls with silence, faster the more often a customer has bought."""
    return np.exp(-rfm["frequency"] * (rfm["T"] - rfm["recency"]) / 1000)


def test_rows_are_purchases_and_columns_silence():
    matrix = alive_matrix(alive, age=300, max_frequency=4)
    assert matrix.index.tolist() == [1, 2, 3, 4]
    assert matrix.loc[3, 150.0] == pytest.approx(np.exp(-3 * 150 / 1000))


def test_the_model_is_asked_about_customers_that_can_exist():
    asked = []

    def spy(rfm):
        asked.append(rfm)
        return alive(rfm)

    alive_matrix(spy, age=52, max_frequency=3)
    (rfm,) = asked
    assert rfm["customer_id"].is_unique
    assert (rfm["recency"] > 0).all()
    assert (rfm["recency"] <= rfm["T"]).all()
    assert (rfm["frequency"] >= 1).all()


def test_the_heat_map_is_small():
    figure = alive_chart(alive, age=364, max_frequency=12, unit="days")
    assert figure.axes[0].get_xlabel() == "days since the last purchase"
    assert len(svg(figure)) < 150_000
