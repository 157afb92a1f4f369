import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patronage.errors import DataError
from patronage.models.equal_rows import kept_to_judge, row_groups, stratified_row_folds


def table(n=600, seed=0):
    """Two columns with many equal rows; churn depends on the first."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"plan": rng.choice(["a", "b", None], n), "age": rng.integers(0, 60, n)})
    return rows, pd.Series((rng.random(n) < np.where(rows["plan"] == "a", 0.4, 0.1)).astype(int))


def test_rows_are_equal_whatever_holds_them():
    rows = pd.DataFrame({"plan": ["a", "b", "a", None, None], "age": [1, 1, 1, np.nan, np.nan]})
    assert row_groups(rows).tolist() == row_groups(rows.astype({"plan": "category"})).tolist()
    groups = row_groups(rows)
    assert groups[0] == groups[2]
    assert groups[3] == groups[4]
    assert len(set(groups)) == 3


@given(seed=st.integers(0, 1000), count=st.integers(2, 7))
def test_no_row_of_a_fold_equals_one_of_another(seed, count):
    rows, churned = table(120, seed)
    folds = stratified_row_folds(rows, churned, count=count, seed=seed)
    groups = row_groups(rows)
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.judge])
        assert len(fold.train) + len(fold.judge) == len(rows)
    assert sorted(np.concatenate([fold.judge for fold in folds])) == list(range(len(rows)))


def test_each_fold_has_its_share_of_rows_and_of_churners():
    rows, churned = table(5000)
    rows = rows.assign(spend=np.arange(5000.0))  # no two alike
    for fold in stratified_row_folds(rows, churned, count=5, seed=1):
        assert len(fold.judge) == 1000
        assert churned[fold.judge].mean() == pytest.approx(churned.mean(), abs=0.002)


def test_another_seed_gives_other_folds_and_the_same_seed_the_same():
    rows, churned = table()
    first, again, other = (
        stratified_row_folds(rows, churned, count=5, seed=seed)[0].judge.tolist()
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_fewer_churners_than_folds_give_fewer_folds():
    rows = pd.DataFrame({"age": np.arange(50.0)})
    churned = pd.Series([1, 1, 1] + [0] * 47)
    assert len(stratified_row_folds(rows, churned, count=5, seed=0)) == 3


def test_one_churner_is_refused_with_the_numbers():
    rows = pd.DataFrame({"age": np.arange(50.0)})
    with pytest.raises(DataError, match="of 50 rows, 1 churned and 49 stayed, and 2 distinct"):
        stratified_row_folds(rows, pd.Series([1] + [0] * 49), count=5, seed=0)


def test_a_row_that_is_kept_to_judge_is_kept_whatever_comes_with_it():
    rows, _ = table(4000)
    kept = kept_to_judge(rows, share=0.2, seed=3)
    more = kept_to_judge(pd.concat([rows, table(500, 7)[0]]), share=0.2, seed=3)
    assert more[:4000].tolist() == kept.tolist()
    assert kept_to_judge(rows[rows.columns[::-1]], share=0.2, seed=3).tolist() == kept.tolist()
    assert not (kept == kept_to_judge(rows, share=0.2, seed=4)).all()
    plain = kept_to_judge(pd.DataFrame({"x": np.arange(20_000.0)}), share=0.2, seed=0)
    assert plain.mean() == pytest.approx(0.2, abs=0.01)
