import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patronage.models.metric_intervals import wilson_interval
from patronage.report.calibration_chart import calibration_bins, calibration_chart
from patronage.report.chart_style import svg


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_newcombe(hits, n, low, high):
    interval = wilson_interval(np.array([float(hits)]), np.array([n]))
    assert [ends[0] for ends in interval] == pytest.approx([low, high], abs=5e-5)


def test_bins_hold_equally_many_customers():
    p = pd.Series(np.linspace(0, 1, 200))
    table = calibration_bins(p, (p > 0.5).astype(int))
    assert table["n"].tolist() == [20] * 10
    assert table["observed"].tolist() == [0] * 5 + [1] * 5
    assert table["predicted"].iloc[0] == pytest.approx(p.iloc[:20].mean())


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80))
def test_every_customer_is_in_one_bin(rows):
    p, churned = (pd.Series(column, dtype=float) for column in zip(*rows, strict=True))
    table = calibration_bins(p, churned)
    assert table["n"].sum() == len(rows)
    assert len(table) <= 10
    assert ((table["low"] <= table["observed"]) & (table["observed"] <= table["high"])).all()


def test_the_chart_is_small_and_labelled():
    rng = np.random.default_rng(0)
    p = pd.Series(rng.beta(2, 2, 5000))
    figure = calibration_chart(p, pd.Series(rng.random(5000) < p))
    assert [axes.get_ylabel() for axes in figure.axes] == ["share who left", "customers"]
    assert figure.axes[1].get_xlabel() == "predicted chance to leave"
    assert len(svg(figure)) < 150_000
