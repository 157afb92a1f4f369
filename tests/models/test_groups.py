import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from patronage.models.groups import distinct_rows, rows_digest, timing_groups
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
