import numpy as np
import pandas as pd
import pytest

from patronage.models.like_columns import association, like_columns


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    tenure, charge = rng.integers(1, 72, 600), rng.normal(70, 20, 600)
    city = rng.choice(["Lima", "Oslo", "Rome"], 600)
    return pd.DataFrame(
        {
            "tenure": tenure.astype(float),
            "paid so far": np.where(rng.random(600) < 0.02, np.nan, tenure * 50.0 + charge),
            "charge": charge,
            "city": city,
            "zip": pd.Series(city).map({"Lima": "L1", "Oslo": "O1", "Rome": "R1"}),
            "latitude": pd.Series(city).map({"Lima": -12.0, "Oslo": 59.9, "Rome": 41.9}),
            "coin": rng.integers(0, 2, 600),
            "same": 1.0,
        }
    )


def test_columns_that_say_the_same_are_a_family_named_by_the_first(rows):
    assert like_columns(rows, list(rows)) == {
        "tenure": "tenure",
        "paid so far": "tenure",
        "charge": "charge",
        "city": "city",
        "zip": "city",
        "latitude": "city",
        "coin": "coin",
        "same": "same",
    }


def test_association_is_symmetric_and_nothing_by_chance(rows):
    found = association(rows)
    assert np.array_equal(found, found.T)
    assert ((found >= 0) & (found <= 1)).all()
    names = list(rows)
    assert found[names.index("coin"), names.index("city")] < 0.15


def test_one_column_is_its_own_family():
    assert like_columns(pd.DataFrame({"a": [1.0, 2.0]}), ["a"]) == {"a": "a"}
