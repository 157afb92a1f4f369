"""Two years of a real retailer, with returns, cancellations and fees."""

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from patronage.features import build_panel, churn_labels, customer_days, day_table, mature_cutoffs

ROOT = Path(__file__).parents[2]
LEDGER = ROOT.parent / "shared" / "data" / "online_retail_ii" / "transactions.parquet"
QUERY = """
    select "Customer ID"::bigint as customer_id, InvoiceDate as timestamp,
           Quantity * Price as amount, Invoice as order_id, StockCode as product_id,
           Quantity as quantity
    from read_parquet(?) where "Customer ID" is not null
"""
pytestmark = pytest.mark.skipif(not LEDGER.exists(), reason="Online Retail II is not here")


@pytest.fixture(scope="module")
def lines():
    return duckdb.sql(QUERY, params=[str(LEDGER)]).to_arrow_table()


@pytest.fixture(scope="module")
def table(lines):
    return day_table(customer_days(lines))


def test_engines_agree_on_customer_days(lines, table):
    other = day_table(customer_days(pl.from_arrow(lines).lazy()))
    assert np.array_equal(table.day, other.day)
    assert table.measures.keys() == other.measures.keys()
    for name, values in table.measures.items():
        np.testing.assert_allclose(values, other.measures[name], rtol=1e-9, atol=1e-9)


def test_days_before_the_first_purchase_are_few(table):
    assert (len(table), table.n_customers_dropped) == (5_881, 61)


def test_panel_and_labels_cover_the_same_rows(table):
    rule = {"horizon_days": 90, "data_end": date(2011, 12, 10)}
    cutoffs = mature_cutoffs(first_day=date(2009, 12, 1), count=24, **rule)
    panel = build_panel(table, cutoffs=cutoffs, active_days=180, eligible_only=True)
    labels = churn_labels(table, cutoffs=cutoffs, active_days=180, **rule)
    assert labels[["customer_id", "as_of"]].equals(panel[["customer_id", "as_of"]])
    assert len(cutoffs) == 19
    assert not np.isinf(panel.select_dtypes("float64")).any(axis=None)
