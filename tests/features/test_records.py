"""Optional tables in memory: whose rows they are, in which order, and what is refused."""

from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from patronage.errors import DataError
from patronage.features.records import read_records

CUSTOMERS = pd.Index(["a", "b", "c"], name="customer_id")


def events(**columns):
    table = {
        "customer_id": ["c", "a", "a", "zz", "a"],
        "timestamp": [
            datetime(2026, 1, 5, 9),
            datetime(2026, 1, 2, 18),
            datetime(2026, 1, 2, 7),
            datetime(2026, 1, 1),
            datetime(2025, 12, 31),
        ],
        "kind": ["visit", "complaint", "visit", "visit", None],
        "value": [1.0, 2.0, None, 4.0, 5.0],
    }
    return pl.DataFrame(table | columns)


def read(frame, time="timestamp"):
    return read_records(frame, CUSTOMERS, time=time, table="events")


@pytest.mark.parametrize("form", [pl.DataFrame.lazy, pl.DataFrame.to_pandas, pl.DataFrame.to_arrow])
def test_rows_are_ordered_by_customer_then_time(form):
    found = read(form(events()))
    assert found.offsets.tolist() == [0, 3, 3, 4]
    assert (found.day.astype("datetime64[D]").astype(str)).tolist() == [
        "2025-12-31",
        "2026-01-02",
        "2026-01-02",
        "2026-01-05",
    ]
    np.testing.assert_array_equal(found.numbers["value"], [5.0, np.nan, 2.0, 1.0])
    assert found.n_rows_dropped == 1


def test_texts_are_coded_and_null_is_no_value():
    kinds = read(events()).texts["kind"]
    assert kinds.values == ("complaint", "visit")
    assert kinds.codes.tolist() == [-1, 1, 0, 1]
    assert kinds.among({"complaint"}).tolist() == [False, False, True, False]


def test_a_mask_keeps_the_customers():
    found = read(events())
    visits = found.where(found.texts["kind"].among({"visit"}))
    assert visits.offsets.tolist() == [0, 1, 1, 2]
    np.testing.assert_array_equal(visits.numbers["value"], [np.nan, 1.0])


def test_spans_and_samples_are_of_the_same_rows():
    found = read(events())
    assert found.span(1, 3).offsets.tolist() == [0, 0, 1]
    assert found.span(1, 3).numbers["value"].tolist() == [1.0]
    some = found.customers(np.array([0, 2]))
    assert some.offsets.tolist() == [0, 3, 4]
    assert some.texts["kind"].codes.tolist() == [-1, 1, 0, 1]


def test_days_before_1970_are_not_rounded_towards_it():
    early = events(timestamp=[datetime(1969, 12, 31, 23)] * 5)
    assert set(read(early).day.tolist()) == {-1}


def test_other_times_become_days():
    ends = events(end=[datetime(1970, 1, 2, 23), None, None, None, None])
    found = read(ends).numbers["end"]
    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 1.0])


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match=r"events have no column timestamp; they have customer_id"):
        read(events().drop("timestamp"))


def test_a_missing_time_is_counted():
    with pytest.raises(DataError, match="timestamp is missing in 5 of 5 rows of events"):
        read(events(timestamp=pl.Series([None] * 5, dtype=pl.Datetime)))


@pytest.mark.parametrize("ends", [("06-08", "11-27"), ("11-27", "06-08"), (None, None)])
def test_an_end_that_lies_ahead_does_not_order_terms_of_one_start(ends):
    begun = datetime(2023, 2, 10)
    terms = pl.DataFrame(
        {
            "customer_id": ["a", "a"],
            "start": [begun, begun],
            "end": [end and datetime.fromisoformat(f"2023-{end}") for end in ends],
            "price": [11.0, 6.0],
        },
        schema_overrides={"end": pl.Datetime},
    )
    found = read_records(terms, CUSTOMERS, time="start", table="subscriptions")
    assert found.numbers["price"].tolist() == [6.0, 11.0]
