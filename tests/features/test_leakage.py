"""For all ledgers, no feature of any table looks ahead; chunks and row order change nothing."""

from datetime import date, datetime, timedelta

import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from patronage.features import build_panel, customer_tables
from patronage.features.catalogue import FAMILIES, FEATURES, features_of
from patronage.features.event_kinds import FIRM_TRIGGERED

START = datetime(2026, 1, 1)
SPAN = 300
KINDS = [
    *("visit", "search", "usage", "complaint", "complaint_resolved", "payment_failed"),
    *("email_sent", "email_open", "email_click", "unsubscribe", "subscribe", "other"),
]
TIME = {"transactions": "timestamp", "events": "timestamp", "surveys": "timestamp"}
TIME |= {"subscriptions": "start", "customers": "valid_from"}
TEXT, NUMBER, MOMENT = pl.String, pl.Float64, pl.Datetime("us")
SCHEMAS = {
    "transactions": {
        **{"customer_id": TEXT, "timestamp": MOMENT, "amount": NUMBER, "product_id": TEXT},
        **{"category": TEXT, "channel": TEXT, "quantity": NUMBER},
        **{"margin": NUMBER, "discount": NUMBER},
    },
    "events": {"customer_id": TEXT, "timestamp": MOMENT, "kind": TEXT, "value": NUMBER},
    "surveys": {"customer_id": TEXT, "timestamp": MOMENT, "question": TEXT, "score": NUMBER},
    "subscriptions": {
        **{"customer_id": TEXT, "start": MOMENT, "end": MOMENT, "plan": TEXT},
        **{"price": NUMBER, "auto_renew": NUMBER},
    },
    "customers": {
        **{"customer_id": TEXT, "valid_from": MOMENT, "region": TEXT, "points": NUMBER},
        **{"signed_up": MOMENT},
    },
}

WHO = st.sampled_from("abcd")
DAY = st.integers(0, SPAN // 5 - 1).map(lambda fifth: 5 * fifth)
# Few days and hours, so that rows of one moment, and rows on the day of a cutoff, are common.
WHEN = st.builds(
    lambda day, hour: START + timedelta(days=day, hours=hour), DAY, st.sampled_from([0, 12, 23])
)


def maybe(values):
    return st.one_of(st.none(), values)


def rows(**columns):
    return st.fixed_dictionaries({"customer_id": WHO, **columns})


LINES = rows(
    timestamp=WHEN,
    amount=st.integers(-50, 200).map(float),
    product_id=maybe(st.sampled_from(["p1", "p2"])),
    category=maybe(st.sampled_from(["c1", "c2", "c3"])),
    channel=maybe(st.sampled_from(["shop", "web"])),
    quantity=st.integers(1, 9).map(float),
    margin=st.integers(-5, 50).map(float),
    discount=st.sampled_from([0.0, 0.0, 5.0]),
)
EVENTS = rows(timestamp=WHEN, kind=st.sampled_from(KINDS), value=maybe(st.just(2.5)))
SURVEYS = rows(
    timestamp=WHEN,
    question=st.sampled_from(["nps", "service"]),
    score=maybe(st.integers(0, 10).map(float)),
)
TERMS = st.builds(
    lambda row, days: row | {"end": None if days is None else row["start"] + timedelta(days=days)},
    rows(
        start=WHEN,
        plan=maybe(st.sampled_from(["basic", "gold"])),
        price=maybe(st.sampled_from([10.0, 12.0])),
        auto_renew=maybe(st.sampled_from([0.0, 1.0])),
    ),
    maybe(st.integers(1, 18).map(lambda fifth: 5 * fifth)),
)
ATTRIBUTES = rows(
    valid_from=WHEN,
    region=maybe(st.sampled_from(["north", "south"])),
    points=maybe(st.integers(0, 9).map(float)),
    signed_up=maybe(WHEN),
)
LEDGERS = st.fixed_dictionaries(
    {
        "transactions": st.lists(LINES, min_size=5, max_size=40),
        "events": st.lists(EVENTS, max_size=40),
        "surveys": st.lists(SURVEYS, max_size=20),
        "subscriptions": st.lists(TERMS, max_size=15),
        "customers": st.lists(ATTRIBUTES, max_size=10),
    }
)
CUTOFFS = st.lists(
    DAY.map(lambda day: START.date() + timedelta(days=day + 30)),
    min_size=1,
    max_size=3,
    unique=True,
)
END_KNOWN = st.sampled_from(["at_end", "at_start"])


def frames(ledger):
    return {name: pl.DataFrame(ledger[name], schema=SCHEMAS[name]) for name in SCHEMAS}


def cut(tables, as_of, end_known):
    """What was known at the start of the day."""
    midnight = datetime(as_of.year, as_of.month, as_of.day)
    known = {name: table.filter(pl.col(TIME[name]) < midnight) for name, table in tables.items()}
    if end_known == "at_end":
        passed = pl.when(pl.col("end") < midnight).then(pl.col("end")).alias("end")
        known["subscriptions"] = known["subscriptions"].with_columns(passed)
    return known


def panel_of(tables, cutoffs, end_known="at_end", **arguments):
    """The panel, its texts as plain text: the categories themselves may be of any day."""
    found = customer_tables(tables["transactions"], **optional(tables), end_known=end_known)
    panel = build_panel(found, cutoffs=cutoffs, active_days=60, **arguments)
    texts = panel.select_dtypes("category").columns
    return panel.astype(dict.fromkeys(texts, object))


def optional(tables):
    return {name: table for name, table in tables.items() if name != "transactions"}


def bought_before(tables, as_of):
    return (
        not cut(tables, as_of, "at_start")["transactions"].filter(pl.col("amount") >= 0).is_empty()
    )


@given(ledger=LEDGERS, cutoffs=CUTOFFS, end_known=END_KNOWN)
@settings(max_examples=40, deadline=None)
def test_what_comes_later_changes_no_feature(ledger, cutoffs, end_known):
    tables = frames(ledger)
    assume(bought_before(tables, min(cutoffs)))
    panel = panel_of(tables, cutoffs, end_known)
    for as_of in cutoffs:
        then = panel[panel["as_of"] == pd.Timestamp(as_of)].reset_index(drop=True)
        known = panel_of(cut(tables, as_of, end_known), [as_of], end_known)
        assert_frame_equal(then, known, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("end_known", ["at_end", "at_start"])
@pytest.mark.parametrize("seed", range(3))
def test_nor_in_a_ledger_with_many_rows(ledger_of_all_tables, seed, end_known):
    tables = ledger_of_all_tables(seed)
    turns = [
        *tables["subscriptions"]["end"].drop_nulls()[:6],
        *tables["customers"]["valid_from"][:2],
    ]
    cutoffs = sorted({turn.date() for turn in turns})
    panel = panel_of(tables, cutoffs, end_known)
    for as_of in cutoffs:
        then = panel[panel["as_of"] == pd.Timestamp(as_of)].reset_index(drop=True)
        known = panel_of(cut(tables, as_of, end_known), [as_of], end_known)
        assert_frame_equal(then, known, rtol=1e-9, atol=1e-9)


@given(ledger=LEDGERS, cutoffs=CUTOFFS, chunk=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_chunks_change_no_feature(ledger, cutoffs, chunk):
    tables = frames(ledger)
    assume(bought_before(tables, max(cutoffs)))
    whole, parts = panel_of(tables, cutoffs), panel_of(tables, cutoffs, chunk_customers=chunk)
    assert_frame_equal(whole, parts, check_exact=True)


@given(ledger=LEDGERS, cutoffs=CUTOFFS, seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_changes_no_feature(ledger, cutoffs, seed):
    tables = frames(ledger)
    assume(bought_before(tables, max(cutoffs)))
    shuffled = {name: t.sample(fraction=1, shuffle=True, seed=seed) for name, t in tables.items()}
    assert_frame_equal(panel_of(tables, cutoffs), panel_of(shuffled, cutoffs), rtol=1e-9, atol=1e-9)


def test_rows_of_one_moment_may_come_in_any_order(ledger_of_all_tables):
    tables = {
        name: table.with_columns(pl.col(TIME[name]).dt.truncate("20d"))
        for name, table in ledger_of_all_tables(0).items()
    }
    turned = {name: table.reverse() for name, table in tables.items()}
    cutoffs = [date(2026, 6, 1), date(2027, 1, 1)]
    assert_frame_equal(panel_of(tables, cutoffs), panel_of(turned, cutoffs), rtol=1e-9, atol=1e-9)


@given(ledger=LEDGERS, cutoffs=CUTOFFS, end_known=END_KNOWN)
@settings(max_examples=40, deadline=None)
def test_only_what_says_when_it_is_null_is(ledger, cutoffs, end_known):
    tables = frames(ledger)
    assume(bought_before(tables, max(cutoffs)))
    panel = panel_of(tables, cutoffs, end_known)
    always = [feature.name for feature in FEATURES if not feature.null]
    assert panel[always].columns[panel[always].isna().any()].tolist() == []
    numbers = panel.select_dtypes("number")
    assert numbers.columns[numbers.isin([float("inf"), float("-inf")]).any()].tolist() == []


@given(ledger=LEDGERS, cutoffs=CUTOFFS)
@settings(max_examples=40, deadline=None)
def test_values_keep_to_the_range_of_their_unit(ledger, cutoffs):
    tables = frames(ledger)
    assume(bought_before(tables, max(cutoffs)))
    panel = panel_of(tables, cutoffs, "at_start")
    unbounded = {"discount_share", "margin_share", "margin_share_90", "return_share"}
    unbounded |= {"return_share_90", "end_spend_share", "begin_spend_share"}
    for feature in FEATURES:
        values = panel[feature.name].dropna()
        if feature.unit == "flag":
            assert set(values) <= {0, 1}, feature.name
        elif feature.unit == "share" and feature.name not in unbounded:
            assert values.between(-1e-12, 1 + 1e-12).all(), feature.name
        elif feature.unit == "count":
            assert (values >= 0).all(), feature.name


@given(ledger=LEDGERS, cutoffs=CUTOFFS, times=st.integers(2, 4))
@settings(max_examples=20, deadline=None)
def test_how_much_the_firm_sends_changes_rates_alone(ledger, cutoffs, times):
    tables = frames(ledger)
    assume(bought_before(tables, max(cutoffs)))
    firm = tables["events"].filter(pl.col("kind").is_in(list(FIRM_TRIGGERED)))
    more = pl.concat([tables["events"], *[firm] * (times - 1)])
    panel, busy = panel_of(tables, cutoffs), panel_of(tables | {"events": more}, cutoffs)
    rates = [f"{what}_rate{span}" for what in ("open", "click") for span in ("", "_30", "_90")]
    rest = panel.columns.drop([*rates, "open_rate_change"])
    assert_frame_equal(panel[rest], busy[rest], check_exact=True)
    assert_frame_equal(panel[rates], busy[rates] * times, rtol=1e-12)


def test_every_family_is_tested_on_a_table_of_its_own():
    tables = frames(dict.fromkeys(SCHEMAS, []))
    bought = pl.DataFrame(
        {"customer_id": ["a"], "timestamp": [START], "amount": [1.0], "category": ["c"]},
    ).with_columns(channel=pl.lit("web"))
    found = customer_tables(bought, **optional(tables))
    assert {feature.family for feature in features_of(found)} == {one.name for one in FAMILIES}


def test_an_attribute_without_a_date_holds_for_all_time():
    tables = frames(dict.fromkeys(SCHEMAS, []))
    tables["transactions"] = pl.DataFrame(
        {"customer_id": ["a", "b"], "timestamp": [START] * 2, "amount": [1.0] * 2}
    )
    tables["customers"] = pl.DataFrame(
        {"customer_id": ["b"], "region": ["south"], "left": [START + timedelta(days=40)]}
    )
    panel = panel_of(tables, [date(2026, 1, 31), date(2026, 3, 1)])
    assert panel["attribute_region"].isna().tolist() == [True, True, False, False]
    assert panel["attribute_left"].isna().tolist() == [True, True, True, False]
    assert panel["attribute_left"].iloc[3] == 19
