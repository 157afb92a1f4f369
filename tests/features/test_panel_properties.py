"""What must hold for every ledger: no look ahead, no matter of chunks or of row order."""

from datetime import date, timedelta

import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from patronage.features import build_panel, customer_days, day_table

START = date(2026, 1, 1)
SPAN = 900
KEYS = ["customer_id", "as_of", "eligible"]

LINES = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from("abcd"),
            "minute": st.integers(0, SPAN * 1440 - 1),
            "cents": st.integers(-5_000, 20_000),
            "order_id": st.sampled_from(["o1", "o2", None]),
            "product_id": st.sampled_from(["p1", "p2", "p3", None]),
            "category": st.sampled_from(["c1", "c2", None]),
            "quantity": st.integers(1, 9),
            "margin": st.integers(-5, 50),
            "discount": st.integers(0, 5),
        }
    ),
    min_size=5,
    max_size=60,
)
CUTOFFS = st.lists(
    st.integers(1, SPAN + 30).map(lambda days: START + timedelta(days=days)),
    min_size=1,
    max_size=4,
    unique=True,
)


def table_of(lines):
    frame = pd.DataFrame(lines)
    frame["timestamp"] = pd.Timestamp(START) + pd.to_timedelta(frame.pop("minute"), unit="min")
    frame["amount"] = frame.pop("cents") / 100
    return frame.astype({"order_id": "str", "product_id": "str", "category": "str"})


def days_of(transactions):
    return day_table(customer_days(transactions))


def panel_of(transactions, cutoffs, **arguments):
    return build_panel(days_of(transactions), cutoffs=cutoffs, active_days=120, **arguments)


def has_a_purchase_before(transactions, as_of):
    return (transactions["amount"] >= 0)[transactions["timestamp"] < pd.Timestamp(as_of)].any()


@given(lines=LINES, cutoffs=CUTOFFS)
@settings(max_examples=40, deadline=None)
def test_later_transactions_change_nothing(lines, cutoffs):
    transactions = table_of(lines)
    assume(has_a_purchase_before(transactions, min(cutoffs)))
    panel = panel_of(transactions, cutoffs)
    for as_of in cutoffs:
        seen = transactions[transactions["timestamp"] < pd.Timestamp(as_of)]
        then = panel[panel["as_of"] == pd.Timestamp(as_of)].reset_index(drop=True)
        assert_frame_equal(then, panel_of(seen, [as_of]), rtol=1e-9, atol=1e-9)


@given(lines=LINES, cutoffs=CUTOFFS)
@settings(max_examples=15, deadline=None)
def test_later_days_change_nothing_to_the_last_bit(lines, cutoffs):
    transactions = table_of(lines)
    as_of = min(cutoffs)
    assume(has_a_purchase_before(transactions, as_of))
    days = customer_days(transactions).collect("pandas").to_native()
    seen = days[pd.to_datetime(days["day"]) < pd.Timestamp(as_of)]
    full = build_panel(days, cutoffs=[as_of])
    assert_frame_equal(full, build_panel(seen, cutoffs=[as_of]), check_exact=True)


@given(lines=LINES, cutoffs=CUTOFFS, chunk=st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_chunks_change_nothing(lines, cutoffs, chunk):
    transactions = table_of(lines)
    assume(has_a_purchase_before(transactions, max(cutoffs)))
    table = days_of(transactions)
    whole = build_panel(table, cutoffs=cutoffs)
    parts = build_panel(table, cutoffs=cutoffs, chunk_customers=chunk)
    assert_frame_equal(whole, parts, check_exact=True)


@given(lines=LINES, cutoffs=CUTOFFS, seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_the_order_of_rows_changes_nothing(lines, cutoffs, seed):
    transactions = table_of(lines)
    assume(has_a_purchase_before(transactions, max(cutoffs)))
    shuffled = transactions.sample(frac=1, random_state=seed)
    panel = panel_of(transactions, cutoffs)
    assert_frame_equal(panel, panel_of(shuffled, cutoffs), rtol=1e-9, atol=1e-9)


@given(lines=LINES, cutoffs=CUTOFFS)
@settings(max_examples=15, deadline=None)
def test_values_keep_to_their_range(lines, cutoffs):
    transactions = table_of(lines)
    assume(has_a_purchase_before(transactions, max(cutoffs)))
    panel = panel_of(transactions, cutoffs)
    bounded = {"new_product_rate", "weekend_share", "weekday_entropy", "weekday_top_share"}
    bounded |= {"month_concentration", "active_share", "late_half_share", "discount_share"}
    assert (panel[sorted(bounded)].fillna(0) >= 0).all(axis=None)
    assert (panel[sorted(bounded)].fillna(0) <= 1 + 1e-12).all(axis=None)
    assert (panel[["T", "days_since_last", "expected_gap_days"]] > 0).all(axis=None)
    assert not panel.drop(columns=KEYS).isin([float("inf"), float("-inf")]).any(axis=None)
