"""Lookups against plain loops over the rows, for generated tables."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.features import build_panel
from patronage.features.customer_tables import customer_tables
from patronage.features.grid import Grid

START = datetime(2026, 1, 1)
CUTOFFS = [date(2026, 1, 20), date(2026, 3, 1)]
ROWS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 80 * 24),
        st.sampled_from(["visit", "complaint"]),
        st.integers(0, 9),
    ),
    max_size=30,
)


def tables_of(rows):
    names, hours, kinds, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    events = pl.DataFrame(
        {
            "customer_id": pl.Series(names, dtype=pl.String),
            "timestamp": pl.Series(
                [START + timedelta(hours=hour) for hour in hours], dtype=pl.Datetime
            ),
            "kind": pl.Series(kinds, dtype=pl.String),
            "value": pl.Series(values, dtype=pl.Float64),
        }
    )
    bought = pl.DataFrame({"customer_id": list("abc"), "timestamp": [START] * 3, "amount": 1.0})
    return customer_tables(bought, events=events)


def expected(rows, customer, as_of, kind, span):
    """Values of the rows seen, in the order of time; rows of one hour by value."""
    end = datetime(as_of.year, as_of.month, as_of.day)
    begin = end - timedelta(days=span) if span else datetime.min
    found = [
        (START + timedelta(hours=hour), value)
        for name, hour, its, value in rows
        if name == customer and its == kind and begin <= START + timedelta(hours=hour) < end
    ]
    return [value for _, value in sorted(found)]


@given(rows=ROWS, span=st.sampled_from([None, 7, 30]))
@settings(max_examples=60, deadline=None)
def test_lookups_equal_plain_loops(rows, span):
    tables = tables_of(rows)
    grid = Grid.of(tables, CUTOFFS)
    events = grid.over("events")
    complaints = events.where(events.records.texts["kind"].among({"complaint"}))
    value = complaints.records.numbers["value"]
    answers = complaints.count(span), complaints.total(value, span), complaints.latest(value)
    for row, (customer, cutoff) in enumerate((c, day) for c in "abc" for day in CUTOFFS):
        seen = expected(rows, customer, cutoff, "complaint", span)
        ever = expected(rows, customer, cutoff, "complaint", None)
        last = ever[-1] if ever else np.nan
        assert (answers[0][row], answers[1][row]) == (len(seen), sum(seen))
        np.testing.assert_equal(answers[2][row], last)


def test_the_day_of_as_of_is_not_seen():
    tables = tables_of([("a", 19 * 24 - 1, "visit", 1), ("a", 19 * 24, "visit", 2)])
    events = Grid.of(tables, CUTOFFS[:1]).over("events")
    assert events.seen.tolist() == [1, 0, 0]
    assert events.days_since[0] == 1


def test_chunks_and_samples_see_the_same_records():
    tables = tables_of([("c", 5, "visit", 7), ("a", 5, "visit", 3)])
    parts = [Grid.of(part, CUTOFFS[1:]).over("events") for part in tables.chunks(2)]
    found = [value for part in parts for value in part.latest(part.records.numbers["value"])]
    np.testing.assert_equal(found, [3, np.nan, 7])
    one = tables.sample(1, seed=1)
    whole = build_panel(tables, cutoffs=CUTOFFS)
    some = build_panel(one, cutoffs=CUTOFFS)
    kept = whole[whole["customer_id"] == one.days.customer_ids[0]].reset_index(drop=True)
    assert some.equals(kept)
