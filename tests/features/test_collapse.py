"""Lines collapsed here are the customer days that the engines make of them."""

from datetime import date

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.errors import DataError
from patronage.features import (
    collapse,
    collapse_parts,
    customer_days,
    customer_table_parts,
    customer_tables,
    day_table,
)
from patronage.features.purchased_categories import purchased_categories
from patronage.features.records import read_records

ENGINES = {
    "duckdb": duckdb.from_arrow,
    "polars": pl.from_arrow,
    "polars, lazy": lambda table: pl.from_arrow(table).lazy(),
    "pandas": lambda table: table.to_pandas(),
    "arrow": lambda table: table,
}
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["a", "b", "c"]),
            "day": st.integers(0, 6),
            "cents": st.integers(-300, 900),
            "order_id": st.sampled_from(["o1", "o2", None]),
            "product_id": st.sampled_from([11, 2, 7, None]),
            "category": st.sampled_from(["c1", "c2", None]),
            "quantity": st.sampled_from([1, 2, None]),
            "margin": st.sampled_from([-0.5, 2.25, None]),
        }
    ),
    min_size=1,
    max_size=50,
)


def table_of(lines):
    frame = pa.Table.from_pylist([{"discount": 0.5, **line} for line in lines]).to_pandas()
    days = pd.to_timedelta(frame.pop("day") * 24 + 7, unit="h")
    frame["timestamp"] = pd.Timestamp("2026-01-01") + days
    frame["amount"] = frame.pop("cents") / 100 + 5.0
    kept = {"product_id": pa.int64(), "quantity": pa.int32(), "margin": pa.float64()}
    table = pa.Table.from_pandas(frame)
    for name, kind in kept.items():
        values = pa.array([line[name] for line in lines], kind)
        table = table.set_column(table.column_names.index(name), name, values)
    for name in ("order_id", "category"):
        values = pa.array([line[name] for line in lines], pa.string())
        table = table.set_column(table.column_names.index(name), name, values)
    return table


def assert_same(found, expected):
    assert found.customer_ids.tolist() == expected.customer_ids.tolist()
    for name in ("offsets", "day"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert set(found.measures) == set(expected.measures)
    for name, values in expected.measures.items():
        np.testing.assert_allclose(found.measures[name], values, rtol=1e-12, atol=1e-12)
    for name in ("first_day", "last_day", "n_customers_dropped", "n_days_dropped"):
        assert getattr(found, name) == getattr(expected, name)


def days_by_engine(table):
    return day_table(customer_days(table))


@given(lines=LINES)
@settings(max_examples=60, deadline=None)
def test_it_equals_the_collapse_by_the_engine(lines):
    table = table_of([*lines, {**lines[0], "cents": 1}])
    assert_same(collapse(table), days_by_engine(table))


@given(lines=LINES)
@settings(max_examples=40, deadline=None)
def test_categories_equal_those_of_the_engine(lines):
    table = table_of([*lines, {**lines[0], "cents": 1}])
    found = customer_tables(table)
    bought, ids = purchased_categories(table), found.days.customer_ids
    expected = read_records(bought, ids, time="day", table="transactions")
    assert rows_of(found.categories) == rows_of(expected)


def rows_of(records):
    """Customer, day, category, lines and rounded value of each row, in an order of their own."""
    customer = np.repeat(np.arange(len(records.offsets) - 1), np.diff(records.offsets))
    names = [records.texts["category"].values[code] for code in records.texts["category"].codes]
    value = records.numbers["value"].round(9)
    return sorted(zip(customer, records.day, names, records.numbers["lines"], value, strict=True))


@given(lines=LINES, max_lines=st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_parts_are_the_whole_to_the_last_bit(lines, max_lines):
    table = table_of([*lines, {**lines[0], "cents": 1}])
    whole, parts = collapse(table), list(collapse_parts(table, max_lines=max_lines))
    ids = [customer for part in parts for customer in part.customer_ids]
    assert ids == whole.customer_ids.tolist()
    for name, values in whole.measures.items():
        found = np.concatenate([part.measures[name] for part in parts])
        np.testing.assert_array_equal(found, values)
    assert {(p.first_day, p.last_day) for p in parts} == {(whole.first_day, whole.last_day)}
    assert sum(part.n_days_dropped for part in parts) == whole.n_days_dropped


@given(lines=LINES, max_lines=st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_parts_of_all_tables_hold_the_rows_of_their_customers(lines, max_lines):
    table = table_of([*lines, {**lines[0], "cents": 1}])
    events = table.select(["customer_id", "timestamp"]).append_column(
        "kind", pa.array(["visit"] * table.num_rows)
    )
    whole = customer_tables(table, events=events)
    parts = list(customer_table_parts(table, events=events, surveys=None, max_lines=max_lines))
    assert sum((part.days.customer_ids.tolist() for part in parts), []) == (
        whole.days.customer_ids.tolist()
    )
    for name in ("events", "categories"):
        days = np.concatenate([part.table(name).day for part in parts])
        np.testing.assert_array_equal(days, whole.table(name).day)
        counts = np.concatenate([np.diff(part.table(name).offsets) for part in parts])
        np.testing.assert_array_equal(counts, np.diff(whole.table(name).offsets))


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
def test_any_frame_will_do(ledger, engine):
    lines = ledger(("b", 3, 1), ("a", 2, 5), ("a", 0, -1), ("a", 2, -2), ("a", 1, 4))
    table = collapse(engine(pa.Table.from_pandas(lines)))
    assert table.customer_ids.tolist() == ["a", "b"]
    assert table.measures["spend"].tolist() == [4, 3, 1]
    assert table.measures["returned"].tolist() == [0, 2, 0]


def test_many_ids_on_one_day_are_counted_once_each(ledger):
    lines = ledger(*(("a", 0, 1) for _ in range(60)))
    lines = lines.assign(order_id=[n % 37 for n in range(60)], category=list("xyz" * 20))
    measures = collapse(lines).measures
    assert (measures["orders"].tolist(), measures["categories"].tolist()) == ([37], [3])


def test_text_ids_count_the_same_alone_on_their_day_and_beside_others(ledger):
    lines = ledger(("a", 0, 1), ("b", 0, 1), ("b", 0, 2), ("b", 1, 1), ("c", 0, -1), ("c", 0, 1))
    lines = lines.assign(order_id=["x", "x", "x", "y", "z", "x"], category=list("pqrqpp"))
    measures = collapse(lines).measures
    assert measures["orders"].tolist() == [1, 1, 1, 1]
    assert measures["categories"].tolist() == [1, 2, 1, 1]


@pytest.mark.parametrize(("max_lines", "questions"), [(3, 2), (2, 5)], ids=["one", "several"])
def test_lines_of_one_range_are_asked_for_once(ledger, monkeypatch, max_lines, questions):
    lines = nw.from_native(duckdb.from_df(ledger(("a", 0, 1), ("b", 2, 1), ("c", 4, 1))))
    asked, collect = [], nw.LazyFrame.collect

    def counted(frame, *arguments):
        asked.append(frame)
        return collect(frame, *arguments)

    monkeypatch.setattr(nw.LazyFrame, "collect", counted)
    parts = list(collapse_parts(lines, max_lines=max_lines))
    assert len(asked) == questions
    assert {part.last_day - part.first_day for part in parts} == {4}


def test_only_the_wanted_columns_are_read(ledger):
    lines = ledger(("a", 0, 1), ("a", 1, 2)).assign(margin=1.0, product_id="p")
    assert set(collapse(lines, columns=["margin"]).measures) - {"margin"} == set(
        collapse(lines, columns=()).measures
    )


def test_numbers_stay_numbers_and_text_stays_text(ledger):
    assert collapse(ledger((12, 0, 1), (7, 0, 1))).customer_ids.tolist() == [7, 12]
    assert collapse(ledger(("7", 0, 1), ("012", 0, 1))).customer_ids.tolist() == ["012", "7"]


def test_a_part_of_returns_only_holds_nobody(ledger):
    lines = ledger(("a", 0, -1), ("b", 4, 1))
    first, second = collapse_parts(lines, max_lines=1)
    assert (len(first), first.n_customers_dropped, first.day.size) == (0, 1, 0)
    assert second.customer_ids.tolist() == ["b"]
    assert second.last_day - second.first_day == 4


WRONG = {
    "a missing column": (lambda frame: frame.drop(columns="amount"), "no column amount; they have"),
    "a missing id": (
        lambda frame: frame.assign(customer_id=["a", None]),
        'customer_id is missing in 1 of 2 transactions.*where = "customer_id IS NOT NULL"',
    ),
    "a missing time": (
        lambda frame: frame.assign(timestamp=[pd.NaT, frame["timestamp"][0]]),
        "timestamp is missing in 1 of 2 transactions",
    ),
    "an infinite amount": (
        lambda frame: frame.assign(amount=[1.0, np.inf]),
        f"spend is not finite on 1 of 2 customer days, first for customer b on {date(2026, 1, 4)}",
    ),
    "returns only": (lambda frame: frame.assign(amount=-1.0), "2 transactions hold no purchase"),
}


@pytest.mark.parametrize(("spoil", "message"), WRONG.values(), ids=WRONG.keys())
def test_lines_that_cannot_be_used_are_refused_by_name(ledger, spoil, message):
    with pytest.raises(DataError, match=message):
        collapse(spoil(ledger(("a", 0, 1), ("b", 3, 1))))


def test_parts_refuse_a_missing_id_before_any_part(ledger):
    lines = ledger(("a", 0, 1), ("b", 3, 1)).assign(customer_id=["a", None])
    with pytest.raises(DataError, match="customer_id is missing in 1 of 2 transactions"):
        list(collapse_parts(lines, max_lines=1))
