"""Numbers pass, texts become the places of values learned before."""

import numpy as np
import pandas as pd
import pytest

from patronage.models.panel_matrix import (
    MOST_VALUES,
    changed_kinds,
    learn_categories,
    panel_matrix,
    places_of_texts,
)

PANEL = pd.DataFrame(
    {"away": [1.0, np.nan, 3.0, 4.0], "plan": pd.Categorical(["b", "a", None, "b"])}
)


def test_texts_are_sorted_and_numbers_are_none():
    assert learn_categories(PANEL, ["away", "plan"]) == {"plan": ["a", "b"]}


def test_codes_are_places_and_what_is_unknown_is_missing():
    found = panel_matrix(PANEL, ["plan", "away"], {"plan": ["b", "c"]})
    np.testing.assert_array_equal(found, [[0, 1], [np.nan, np.nan], [np.nan, 3], [0, 4]])
    assert places_of_texts(["plan", "away"], {"plan": ["b"]}) == [0]


def test_unused_categories_are_not_learnt():
    plans = PANEL.assign(plan=PANEL["plan"].cat.add_categories(["z"]))
    assert learn_categories(plans, ["plan"]) == {"plan": ["a", "b"]}


def test_the_most_frequent_of_too_many_are_kept():
    names = [f"v{n:03d}" for n in range(MOST_VALUES + 50)]
    texts = pd.DataFrame({"code": [*names, *names[60:]]})
    kept = learn_categories(texts, ["code"])["code"]
    assert len(kept) == MOST_VALUES
    assert set(names[60:]) <= set(kept)


def test_a_column_that_changed_its_kind_is_refused_by_name():
    texts = PANEL.assign(away=["1", "n/a", "3", None], plan=[1, 2, 3, 4])
    with pytest.raises(ValueError, match="2 of the model's columns are of another kind") as raised:
        panel_matrix(texts, ["plan", "away"], {"plan": ["a"]})
    assert "away (numbers then, texts now, such as 'n/a')" in str(raised.value)
    assert "plan (texts then, numbers now, such as 1)" in str(raised.value)


def test_a_column_without_values_is_of_either_kind():
    empty = PANEL.assign(away=pd.Series([None] * 4, dtype=object), plan=np.nan)
    assert changed_kinds(empty, ["plan", "away"], {"plan": ["a"]}) == []
    assert np.isnan(panel_matrix(empty, ["plan", "away"], {"plan": ["a"]})).all()
