"""Expressions of one's own have the same values wherever the transactions are read."""

from datetime import UTC, date, datetime

import narwhals as nw
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from patronage.config import load_settings
from patronage.data import read_ledger
from patronage.errors import DataError
from patronage.features import build_panel, customer_tables, feature
from patronage.pipelines.prepare import sources_of

CUTOFFS = [date(1997, 6, 1), date(1998, 2, 1)]
MONEY = {"table": "transactions", "unit": "money", "meaning": "X."}


@feature(**MONEY, window=60, empty=0)
def big_spend():
    return nw.when(nw.col("amount") > 20).then(nw.col("amount")).sum()


@feature(**MONEY, null="never")
def spread():
    return nw.col("amount").max() - nw.col("amount").min()


@feature(**MONEY, window=365, empty=0)
def early_in_the_month():
    return nw.when(nw.col("timestamp").dt.day() <= 10).then(nw.col("amount")).sum()


@feature(table="transactions", unit="ratio", null="never", meaning="X.")
def mean_by_length():
    return nw.col("amount").sum() / nw.len()


NAMES = ["customer_id", "big_spend", "spread", "early_in_the_month"]


OWN = (big_spend, spread, early_in_the_month)


def values(config, own=OWN):
    with read_ledger(load_settings(config), read_at=datetime(2026, 1, 1, tzinfo=UTC)) as ledger:
        tables = customer_tables(**sources_of(ledger))
        return build_panel(tables, cutoffs=CUTOFFS, features=list(own))[NAMES].astype(
            {"customer_id": object}
        )


@pytest.fixture(scope="module")
def by_duckdb(finished):
    return values(finished)


def changed(project, old, new):
    project.write_text(project.read_text().replace(old, new))
    return project


def test_in_postgresql(project, by_duckdb, every_tenth, sql, postgres_address):
    columns = ", ".join(f"{name} text" for name in every_tenth.columns)
    sql("DROP TABLE IF EXISTS own_cdnow", f"CREATE TABLE own_cdnow ({columns})")
    texts = {name: every_tenth[name].astype(str).tolist() for name in every_tenth}
    sql(table=pa.table(texts), name="own_cdnow")
    source = f'source = "{postgres_address}"\nrelation = "public.own_cdnow"'
    found = values(changed(project, 'source = "data/cdnow.csv"', source))
    assert_frame_equal(found, by_duckdb, rtol=1e-9)
    with pytest.raises(DataError, match=r"mean_by_length.*gives .* for customer .*, DuckDB"):
        values(project, own=[mean_by_length])


def test_on_spark(project, by_duckdb, spark_engine):
    options = "\n".join(f'"{name}" = "{v}"' for name, v in spark_engine.spark_options.items())
    engine = (
        f'[engine]\nname = "spark"\nspark_master = "local[2]"\n[engine.spark_options]\n{options}'
    )
    found = values(changed(project, "[features]", f"{engine}\n\n[features]"))
    assert_frame_equal(found, by_duckdb, rtol=1e-9)
