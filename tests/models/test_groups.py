import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from patronage.models.groups import distinct_rows, distinct_timing, rows_digest, timing_groups
from patronage.models.rfm_input import Rfm

small = st.sampled_from([0.0, 0.1, 1.0, 2.5])


@given(st.lists(st.tuples(small, small, small), min_size=1, max_size=40))
def test_distinct_rows_rebuild_the_table(rows):
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    distinct = distinct_rows(*columns)
    assert len(distinct.first) == len(set(rows))
    assert [rows[i] for i in distinct.first[distinct.codes]] == rows
    assert [rows[i] for i in distinct.first] == list(dict.fromkeys(rows))


def rfm(x, t_x, T):
    return Rfm(customer_id=None, frequency=x, recency=t_x, T=T, monetary_value=np.empty(0))


def test_groups_count_weights_in_units_of_the_longest_T():
    x, t_x, T = np.array([1.0, 0, 1, 9]), np.array([2.0, 0, 2, 8]), np.array([5.0, 4, 5, 10])
    groups = timing_groups(rfm(x, t_x, T), np.array([1.0, 1, 2.5, 0]))
    assert groups.scale == 5
    assert groups.frequency.tolist() == [1, 0]
    assert groups.recency.tolist() == [0.4, 0]
    assert groups.T.tolist() == [1, 0.8]
    assert groups.weight.tolist() == [3.5, 1]
    assert groups.customers == 4.5


def test_the_digest_knows_the_rows_but_not_their_order():
    a, b = np.array([1.0, 2, 3]), np.array([4.0, 5, 6])
    assert rows_digest(a, b) == rows_digest(a[::-1], b[::-1])
    assert len({rows_digest(a, b), rows_digest(b, a), rows_digest(a, b[::-1])}) == 3


def test_the_digest_of_saved_models_stays():
    a, b = np.array([1.0, -0.0, 3]), np.array([4.0, 5, 6])
    mixed = pd.util.hash_array(a) * np.uint64(0x9E3779B97F4A7C15) + pd.util.hash_array(b)
    assert rows_digest(a, b) == f"{int(np.sum(pd.util.hash_array(mixed))):016x}"


def test_groups_off_the_grid_are_those_on_it():
    rng = np.random.default_rng(0)
    x, T, weight = rng.integers(0, 3, 500), rng.integers(1, 9, 500), rng.integers(0, 3, 500)
    t_x = np.where(x > 0, T // 2, 0)
    on, off = (
        timing_groups(rfm(x.astype(float), t_x * unit, T * unit), weight.astype(float))
        for unit in (1.0, 0.37)
    )
    assert on.frequency.tolist() == off.frequency.tolist()
    assert on.weight.tolist() == off.weight.tolist()
    np.testing.assert_allclose(on.recency, off.recency, rtol=1e-15)
    np.testing.assert_allclose(on.T, off.T, rtol=1e-15)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=1, max_size=60),
    st.sampled_from([1.0, 7.0, 24.0, 168.0, 0.37]),
)
def test_histories_on_a_grid_and_off_it_are_the_same(rows, per_unit):
    x = np.array([row[0] for row in rows], dtype=float)
    T = np.array([row[1] + 1 for row in rows]) / per_unit
    t_x = np.where(x > 0, np.floor(T * per_unit / 2) / per_unit, 0)
    fast, plain = distinct_timing(x, t_x, T), distinct_rows(x, t_x, T)
    assert fast.first.tolist() == plain.first.tolist()
    assert fast.codes.tolist() == plain.codes.tolist()


def test_a_late_row_off_the_grid_is_found():
    T = np.append(np.full(5000, 7.0), 7.5)
    x, t_x = np.zeros(5001), np.zeros(5001)
    assert distinct_timing(x, t_x, T).first.tolist() == [0, 5000]


def test_the_hash_table_grows_with_what_is_found():
    T = np.random.default_rng(0).permutation(200_000) + 1.0
    zero = np.zeros(200_000)
    found = distinct_timing(zero, zero, T)
    assert found.first.tolist() == found.codes.tolist() == list(range(200_000))
    again = distinct_timing(zero, zero, np.repeat(T[:1000], 200))
    assert again.codes.tolist() == np.repeat(np.arange(1000), 200).tolist()


def test_times_too_long_for_a_key_are_worked_all_the_same():
    T = np.array([3e6, 3e6 + 1, 3e6])
    assert distinct_timing(np.zeros(3), np.zeros(3), T).codes.tolist() == [0, 1, 0]
