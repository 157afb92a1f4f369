import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mean_poisson_deviance

from patronage.models.backtest_metrics import (
    decile_table,
    forecast_metrics,
    normalised_gini,
    poisson_deviance,
)

ACTUAL = [0.0, 0.0, 1.0, 2.0, 7.0]
counts = arrays(np.float64, 30, elements=st.integers(0, 20).map(float))


def test_errors_by_hand():
    found = forecast_metrics([0, 2, 4], [1, 2, 1])
    assert (found["actual"], found["predicted"]) == (6, 4)
    assert found["bias"] == pytest.approx(-2 / 3)
    assert found["mae"] == pytest.approx(4 / 3)
    assert found["rmse"] == pytest.approx(np.sqrt(10 / 3))


def test_deviance_is_scikit_learns(rng):
    mean = rng.gamma(1, 2, 500)
    actual = rng.poisson(mean)
    expected = mean_poisson_deviance(actual, mean)
    assert poisson_deviance(actual, mean) == pytest.approx(expected, rel=1e-12)


def test_deviance_has_no_value_where_there_is_none():
    assert poisson_deviance([1.0], [0.0]) == np.inf
    assert np.isnan(poisson_deviance([-1.0], [2.0]))


GINI = {
    "the order of the truth": (ACTUAL, 1),
    "the reverse": ([-value for value in ACTUAL], -1),
    "one score for all": ([3] * 5, 0),
    # Places 1, 2 and 3, 4, 5 tied: 2 customers share 0, 3 share 10, so (2*8 + 2*(-3)*0) by hand.
    "ties share what came": ([0, 0, 1, 1, 1], 20 / 32),
}


@pytest.mark.parametrize(("score", "expected"), GINI.values(), ids=GINI.keys())
def test_gini_of(score, expected):
    assert normalised_gini(ACTUAL, score) == pytest.approx(expected, abs=1e-12)


def test_gini_is_that_of_the_gains_curve(rng):
    actual, score = rng.gamma(0.3, 1, 400), rng.normal(size=400)

    def gini(order):
        gains = np.cumsum(actual[order]) / actual.sum()
        return 0.5 + 0.5 / len(order) - gains.mean()

    expected = gini(np.argsort(score)) / gini(np.argsort(actual))
    assert normalised_gini(actual, score) == pytest.approx(expected, rel=1e-9)


def test_gini_of_customers_who_do_not_differ_is_undefined():
    assert np.isnan(normalised_gini([2, 2], [1, 3]))


@given(actual=counts, score=counts, seed=st.integers(0, 99))
def test_the_order_of_rows_changes_nothing(actual, score, seed):
    order = np.random.default_rng(seed).permutation(30)
    pd.testing.assert_frame_equal(
        decile_table(actual, score), decile_table(actual[order], score[order])
    )
    again = forecast_metrics(actual[order], score[order])
    assert forecast_metrics(actual, score) == pytest.approx(again, nan_ok=True)


def test_deciles_hold_a_tenth_each():
    table = decile_table(np.arange(25), np.arange(25) / 2)
    assert table["n"].sum() == 25
    assert set(table["n"]) == {2, 3}
    assert (table["predicted"] * table["n"]).sum() == pytest.approx(150)
    assert table["predicted"].is_monotonic_increasing


def test_mape_leaves_out_tenths_where_nothing_came():
    actual = np.repeat([0.0, 1.0], 10)
    assert forecast_metrics(actual, actual * 1.25 + 0.1)["decile_mape"] == pytest.approx(0.35)


@pytest.fixture
def rng():
    return np.random.default_rng(20)
