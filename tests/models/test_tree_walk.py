import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.models.tree_walk import TreeWalk

ODD = np.array([0.0, -0.0, 1e-40, -1e30, 1e30, np.inf, -np.inf, np.nan, 3.4e38, 1.0])


def make_booster(seed, *, missing, leaves=15, trees=20, **params):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(2000, 5)) * [1, 10, 1e6, 1e-6, 1], 8)
    x[:, 4] = rng.integers(0, 3, 2000)
    y = (x[:, 0] + x[:, 1] / 10 + (x[:, 4] == 1) + rng.normal(size=2000) > 0).astype(float)
    if missing:
        x[rng.random(x.shape) < 0.2] = np.nan
    fixed = {"objective": "binary", "verbosity": -1, "num_leaves": leaves, "num_threads": 1}
    return lgb.train({**fixed, **params}, lgb.Dataset(x, y), trees), x


BOOSTERS = {
    "missing": make_booster(0, missing=True),
    "never missing": make_booster(1, missing=False),
    "deep": make_booster(2, missing=True, leaves=100),
    "stumps": make_booster(3, missing=True, leaves=2),
    "no split at all": make_booster(4, missing=False, min_data_in_leaf=5000),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BOOSTERS)
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**20), rows=st.integers(0, 70))
def test_it_is_lightgbm_to_the_last_bit(name, dtype, seed, rows):
    booster, seen = BOOSTERS[name]
    rng = np.random.default_rng(seed)
    x = seen[rng.integers(0, len(seen), rows)].copy()
    odd = rng.random(x.shape) < 0.2
    x[odd] = rng.choice(ODD, odd.sum())
    with np.errstate(over="ignore"):
        x = x.astype(dtype)
    assert TreeWalk.can(booster)
    expected = booster.predict(x, raw_score=True) if rows else np.zeros(0)
    assert np.array_equal(TreeWalk(booster).raw_score(x), expected)


def test_a_float32_on_a_threshold_stays_on_its_side():
    booster, seen = BOOSTERS["never missing"]
    x = seen.astype(np.float32)
    for place in range(5):
        splits = booster.get_split_value_histogram(place)[1]
        x[: len(splits), place] = splits
    assert np.array_equal(TreeWalk(booster).raw_score(x), booster.predict(x, raw_score=True))


def test_categories_and_missing_zeros_are_left_to_lightgbm():
    _, x = make_booster(0, missing=False)
    y = x[:, 4] == 1
    params = {"objective": "binary", "verbosity": -1, "min_data_per_group": 1}
    texts = lgb.train(params, lgb.Dataset(x, y, categorical_feature=[4]), 3)
    zeros = lgb.train({**params, "zero_as_missing": True}, lgb.Dataset(x, y), 3)
    assert not TreeWalk.can(texts)
    assert not TreeWalk.can(zeros)
