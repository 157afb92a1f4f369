from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patronage.errors import DataError, SettingsError
from patronage.features import build_panel, customer_tables
from patronage.features.contract_labels import contract_labels, subscription_ends
from patronage.features.records import Records

START = date(2026, 1, 1)
AS_OF = START + timedelta(days=100)
RULE = {"horizon_days": 30, "lead_days": 10, "grace_days": 15}
LATE = START + timedelta(days=400)


def day(number):
    return pd.Timestamp(START + timedelta(days=number))


def tables_of(terms, end_known="at_end"):
    """Customer tables of terms (customer, start, end or None), each with a purchase on day 1."""
    who = sorted({customer for customer, _, _ in terms})
    log = {"customer_id": who, "timestamp": day(1), "amount": 1.0}
    rows = {
        "customer_id": [customer for customer, _, _ in terms],
        "start": [day(start) for _, start, _ in terms],
        "end": pd.Series([pd.NaT if end is None else day(end) for _, _, end in terms]),
    }
    return customer_tables(pd.DataFrame(log), subscriptions=pd.DataFrame(rows), end_known=end_known)


def labels(terms, **rule):
    asked = {"cutoffs": [AS_OF], "data_end": LATE, **RULE, **rule}
    found = contract_labels(tables_of(terms), **asked)
    return dict(zip(found["customer_id"], found["churned"], strict=True))


# As of day 100; an end on days 110 to 139 is churn unless it is renewed within 15 days.
CASES = {
    "no end": ([(0, None)], 0),
    "ends in the lead": ([(0, 109)], 0),
    "ends on the first day of the window": ([(0, 110)], 1),
    "ends on the last day of the window": ([(0, 139)], 1),
    "ends after it": ([(0, 140)], 0),
    "renewed on the last day of grace": ([(0, 120), (135, None)], 0),
    "renewed a day too late": ([(0, 120), (136, None)], 1),
    "renewed, and the renewal ends in the window": ([(0, 105), (106, 130)], 1),
    "renewed after it ended in the lead, too late": ([(0, 105), (125, 130)], 0),
    "ended before": ([(0, 99)], None),
    "ends on the day itself": ([(0, 100)], 0),
    "not begun": ([(100, None)], None),
    "in grace": ([(0, 95), (105, None)], None),
    "a longer term that began earlier": ([(0, 200), (50, 120)], 0),
}


@pytest.mark.parametrize(("terms", "churned"), CASES.values(), ids=CASES.keys())
def test_churn_is_an_end_in_the_window_that_is_not_renewed_in_time(terms, churned):
    found = labels([("a", *term) for term in terms])
    assert found == ({} if churned is None else {"a": churned})


def brute_force(terms, lead, horizon, grace):
    """The label by its definition, one customer at a time; None where not eligible."""
    begun = sorted([term for term in terms if term[0] < 100], key=lambda term: term[0])
    if not begun:
        return None
    never = 10**9
    if (never if begun[-1][1] is None else begun[-1][1]) < 100:
        return None
    end = max(never if one is None else one for _, one in begun)
    while True:
        later = [never if e is None else e for s, e in terms if s <= end + grace]
        if max(later) == end:
            break
        end = max(later)
    return int(100 + lead <= end < 100 + lead + horizon)


lives = st.lists(
    st.integers(2, 220).flatmap(
        lambda start: st.tuples(
            st.just(start), st.one_of(st.none(), st.integers(start + 1, start + 90))
        )
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda term: term[0],
)


@given(customers=st.lists(lives, min_size=1, max_size=4), grace=st.integers(0, 40))
def test_the_label_is_the_brute_force_one(customers, grace):
    rule = {"lead_days": 5, "horizon_days": 40, "grace_days": grace}
    terms = [(f"c{place}", *term) for place, life in enumerate(customers) for term in life]
    expected = {
        f"c{place}": brute_force(life, 5, 40, grace) for place, life in enumerate(customers)
    }
    known = {who: label for who, label in expected.items() if label is not None}
    assert labels(terms, **rule) == known


@given(customers=st.lists(lives, min_size=1, max_size=4))
def test_the_features_never_see_an_end_that_was_not_known(customers):
    terms = [(f"c{place}", *term) for place, life in enumerate(customers) for term in life]
    past = [
        (who, start, None if end is None or end >= 100 else end)
        for who, start, end in terms
        if start < 100
    ]
    asked = [who for who, _, _ in past]
    if not asked:
        return
    whole, known = (
        build_panel(tables_of(rows), cutoffs=[AS_OF]).set_index("customer_id")
        for rows in (terms, past)
    )
    pd.testing.assert_frame_equal(whole.loc[sorted(set(asked))], known)
    eligible = known.index[known["subscription_ended"] == 0]
    assert sorted(labels(terms)) == sorted(eligible)


def test_a_label_is_immature_until_the_grace_is_over():
    ripe = AS_OF + timedelta(days=10 + 30 + 15)
    assert labels([("a", 0, 120)], data_end=ripe) == {"a": 1}
    with pytest.raises(DataError, match=r"2026-04-11 \(known from 2026-06-05\)"):
        labels([("a", 0, 120)], data_end=ripe - timedelta(days=1))


def test_without_the_table_it_is_told():
    log = pd.DataFrame({"customer_id": ["a"], "timestamp": [day(1)], "amount": [1.0]})
    tables = customer_tables(log)
    with pytest.raises(SettingsError, match="needs the table of the subscriptions"):
        contract_labels(tables, cutoffs=[AS_OF], data_end=LATE, **RULE)


def plain_ends(customers, grace):
    """The rule as it is said: a term that starts too late begins another subscription."""
    found = []
    for terms in customers:
        chains = []
        for start, end in terms:
            reach = float("inf") if end is None else float(end)
            if chains and start <= max(chains[-1]) + grace:
                chains[-1].append(reach)
            else:
                chains.append([reach])
        found += [max(chain) for chain in chains for _ in chain]
    return found


some_terms = st.lists(
    st.tuples(st.integers(0, 60), st.one_of(st.none(), st.integers(0, 80))), max_size=6
)


@given(
    customers=st.lists(some_terms.map(lambda terms: sorted(terms, key=lambda one: one[0]))),
    grace=st.integers(0, 9),
)
def test_ends_of_subscriptions_are_those_of_the_plain_loop(customers, grace):
    offsets = np.cumsum([0, *(len(terms) for terms in customers)]).astype(np.int64)
    flat = [term for terms in customers for term in terms]
    terms = Records(
        offsets=offsets,
        day=np.array([start for start, _ in flat], dtype=np.int32),
        numbers={"end": np.array([end for _, end in flat], dtype=float)},
        texts={},
    )
    assert subscription_ends(terms, grace).tolist() == plain_ends(customers, grace)
