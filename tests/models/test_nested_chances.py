import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import isotonic_regression

from patronage.models.nested_chances import falling_fit, nested_chances

CHANCE = st.floats(0, 1)
TABLES = arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=CHANCE)
HORIZONS = (7, 30, 60, 120, 180)
MAIN_DAYS = 90


def as_mapping(table):
    return dict(zip(HORIZONS, table.T, strict=False))


@given(TABLES)
def test_it_is_the_isotonic_regression_of_each_row(table):
    expected = [isotonic_regression(row, increasing=False) for row in table]
    assert falling_fit(table) == pytest.approx(np.array(expected), abs=1e-12)


@given(TABLES, CHANCE)
def test_no_chance_is_above_that_of_a_shorter_horizon(table, main):
    mains = np.full(len(table), main)
    found = nested_chances(as_mapping(table), mains, main_days=MAIN_DAYS) | {MAIN_DAYS: mains}
    in_order = np.column_stack([found[days] for days in sorted(found)])
    assert (np.diff(in_order, axis=1) <= 0).all()
    assert ((in_order >= 0) & (in_order <= 1)).all()


@given(TABLES, CHANCE)
def test_it_is_the_nearest_of_all_that_agree_with_the_main_one(table, main):
    """scikit-learn's regression with bounds is the exact one."""
    found = nested_chances(as_mapping(table), np.full(len(table), main), main_days=MAIN_DAYS)
    shorter, longer = (table[:, :3], {"y_min": main}), (table[:, 3:], {"y_max": main})
    for days, (part, bound) in zip((HORIZONS[:3], HORIZONS[3:]), (shorter, longer), strict=True):
        for row in range(len(table) if part.size else 0):
            expected = isotonic_regression(part[row], increasing=False, **bound)
            fitted = [found[horizon][row] for horizon in days[: part.shape[1]]]
            assert fitted == pytest.approx(expected.tolist(), abs=1e-12)


@given(TABLES, CHANCE)
def test_chances_that_agree_are_given_back_to_the_bit(table, main):
    falling = -np.sort(-table, axis=1)
    shorter = np.maximum(falling[:, :3], main)
    longer = np.minimum(falling[:, 3:], main)
    given_back = as_mapping(np.hstack([shorter, longer]))
    found = nested_chances(given_back, np.full(len(table), main), main_days=MAIN_DAYS)
    assert all((found[days] == column).all() for days, column in given_back.items())


@given(TABLES, st.data())
def test_ends_of_intervals_stay_around_their_chance(table, data):
    lower = table * data.draw(arrays(float, table.shape, elements=CHANCE))
    assert (falling_fit(lower) <= falling_fit(table) + 1e-12).all()


def test_two_that_disagree_meet_in_the_middle_and_not_beyond_the_main_one():
    table = {30: np.array([0.6, 0.6, 0.2]), 60: np.array([0.8, 0.6, 0.4])}
    found = nested_chances(table, np.array([0.5, 0.65, 0.35]), main_days=90)
    assert found[30] == pytest.approx([0.7, 0.65, 0.35])
    assert found[60] == pytest.approx([0.7, 0.65, 0.35])


def test_input_is_left_alone():
    table = np.array([[0.1, 0.9]])
    falling_fit(table)
    assert table.tolist() == [[0.1, 0.9]]
