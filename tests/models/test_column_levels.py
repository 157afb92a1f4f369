import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from patronage.models.column_levels import column_levels, level_places

PLANS = pd.Series(["monthly"] * 60 + ["yearly"] * 40 + ["odd"] * 5 + [None] * 35)
LEFT = pd.Series([1] * 30 + [0] * 30 + [1] * 4 + [0] * 36 + [1] * 5 + [1] * 7 + [0] * 28)


def as_dicts(levels):
    return [level.to_dict() for level in levels]


def test_each_frequent_text_has_its_share_and_so_has_no_value():
    told = {level.text: (level.n, level.left) for level in column_levels(PLANS, LEFT)}
    assert told == {"monthly": (60, 0.5), "yearly": (40, 0.1), None: (35, 0.2)}


def test_few_numbers_are_told_one_by_one():
    calls = pd.Series([0.0, 1.0] * 40)
    levels = column_levels(calls, pd.Series([0, 1] * 40))
    assert [(one.above, one.up_to, one.left) for one in levels] == [(0, 0, 0.0), (1, 1, 1.0)]


def test_many_numbers_are_told_by_fifths_and_one_that_fills_a_fifth_by_itself():
    months = pd.Series([0.0] * 60 + list(range(1, 241)))
    levels = column_levels(months, pd.Series(np.arange(300) % 2))
    assert [(one.above, one.up_to) for one in levels] == [
        (0, 0),
        (0, 60),
        (60, 120),
        (120, 180),
        (180, None),
    ]
    assert all(one.whole for one in levels)


def test_a_value_that_no_level_holds_has_none():
    levels = as_dicts(column_levels(PLANS, LEFT))
    asked = pd.Series(["yearly", "odd", "never heard of", None])
    assert level_places(asked, levels).tolist() == [1, -1, -1, 2]
    assert level_places(asked, []).tolist() == [-1] * 4


numbers = st.lists(
    st.one_of(st.none(), st.integers(-3, 40).map(float), st.floats(-5, 5)),
    min_size=40,
    max_size=200,
)


@given(values=numbers, seed=st.integers(0, 99))
def test_the_share_of_a_level_is_that_of_the_rows_it_holds(values, seed):
    column = pd.Series(values, dtype=float)
    left = pd.Series(np.random.default_rng(seed).integers(0, 2, len(column)))
    levels = column_levels(column, left)
    places = level_places(column, as_dicts(levels))
    for place, level in enumerate(levels):
        held = places == place
        assert held.sum() == level.n
        assert left[held].mean() == level.left
