from datetime import date

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from patronage.errors import DataError
from patronage.features import customer_days

ENGINES = {
    "duckdb": lambda table: duckdb.from_arrow(table),
    "polars": lambda table: pl.from_arrow(table),
    "polars, lazy": lambda table: pl.from_arrow(table).lazy(),
    "pandas": lambda table: table.to_pandas(),
    "arrow": lambda table: table,
}

LEDGER = pd.DataFrame(
    {
        "customer_id": ["a", "a", "a", "a", "a", "b", "a"],
        "timestamp": pd.to_datetime(
            ["2026-01-01 09:00", "2026-01-01 17:30", "2026-01-01 17:30", "2026-01-02 00:00"]
            + ["2026-01-03 12:00", "2026-01-01 12:00", "2026-01-04 23:59"]
        ),
        "amount": [10.0, 5.0, -4.0, -5.0, 0.0, 7.0, 2.0],
        "order_id": ["o1", "o2", "o3", "o4", "o5", "o6", None],
        "product_id": ["p1", "p2", "p1", "p2", "p1", "p1", "p3"],
        "category": ["c1", "c1", "c1", "c1", None, "c1", "c1"],
        "quantity": [2, 1, -1, -1, 1, 3, 1],
        "margin": [3.0, 1.0, -1.0, -2.0, 0.0, 2.0, 1.0],
        "discount": [1.0, 0.0, 0.0, 0.0, 5.0, 0.0, None],
    }
)
EXPECTED = pd.DataFrame(
    {
        "customer_id": ["a", "a", "a", "a", "b"],
        "day": [date(2026, 1, number) for number in (1, 2, 3, 4, 1)],
        "spend": [11.0, -5.0, 0.0, 2.0, 7.0],
        "returned": [4.0, 5.0, 0.0, 0.0, 0.0],
        "purchases": [2, 0, 1, 1, 1],
        "return_lines": [1, 1, 0, 0, 0],
        "orders": [2, 0, 1, 1, 1],
        "units": [3.0, 0.0, 1.0, 1.0, 3.0],
        "discount": [1.0, 0.0, 5.0, 0.0, 0.0],
        "margin": [3.0, -2.0, 0.0, 1.0, 2.0],
        "products": [2, 0, 1, 1, 1],
        "categories": [1, 0, 0, 1, 1],
        "new_products": [2, 0, 0, 1, 1],
    }
)


def collected(days):
    frame = days.sort("customer_id", "day").collect("pyarrow").to_native().to_pandas()
    return frame.fillna({"units": 0.0, "discount": 0.0}) if "units" in frame else frame


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
def test_every_engine_gives_the_same_days(engine):
    days = customer_days(engine(pa.Table.from_pandas(LEDGER)))
    assert isinstance(days, nw.LazyFrame)
    assert_frame_equal(collected(days)[list(EXPECTED)], EXPECTED, check_dtype=False)


def test_optional_measures_exist_where_their_column_does():
    days = customer_days(LEDGER[["customer_id", "timestamp", "amount", "margin"]])
    assert days.collect_schema().names() == [
        "customer_id",
        "day",
        "spend",
        "returned",
        "purchases",
        "return_lines",
        "orders",
        "margin",
    ]


def test_without_order_ids_a_purchase_day_is_one_order():
    days = collected(customer_days(LEDGER[["customer_id", "timestamp", "amount"]]))
    assert days["orders"].tolist() == [1, 0, 1, 1, 1]


def test_a_day_ends_at_midnight():
    moments = pd.to_datetime(["2026-01-01 23:59:59.999999", "2026-01-02 00:00:00.000000"])
    frame = pd.DataFrame({"customer_id": "a", "timestamp": moments, "amount": 1.0})
    days = collected(customer_days(frame))["day"].tolist()
    assert days == [date(2026, 1, 1), date(2026, 1, 2)]


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="no column amount, timestamp; they have customer_id, paid"):
        customer_days(pd.DataFrame({"customer_id": [1], "paid": [2.0]}))


def test_the_ledger_is_left_as_it_was():
    before = LEDGER.copy()
    collected(customer_days(LEDGER))
    assert_frame_equal(LEDGER, before)
