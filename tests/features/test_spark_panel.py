"""The panel of Spark's partitions is the panel of one process."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from patronage.data.spark_session import spark_session
from patronage.data.spark_table import arrow_of
from patronage.errors import DataError
from patronage.features import build_panel, customer_days, customer_tables, day_table
from patronage.features.spark_panel import spark_panel

CUTOFFS = [date(2026, 2, 1), date(2026, 9, 1), date(2027, 1, 15)]
START = datetime(2026, 1, 1)
SCHEMA = "customer_id string, timestamp timestamp_ntz, amount double"


@pytest.fixture(scope="session")
def spark(spark_engine):
    return spark_session(spark_engine)


@pytest.fixture(scope="session")
def lines(ledger):
    rng = np.random.default_rng(1)
    bought = zip(
        [f"c{number}" for number in rng.integers(0, 60, 900)],
        rng.integers(0, 400, 900).tolist(),
        rng.normal(20, 25, 900).round(2),
        strict=True,
    )
    return ledger(*bought, ("returns-only", 3, -5), ("late", 390, 8))


def on_spark(spark, lines):
    rows = [
        (row.customer_id, row.timestamp.to_pydatetime(), row.amount) for row in lines.itertuples()
    ]
    return customer_days(spark.createDataFrame(rows, SCHEMA))


def spark_frame(spark, table, schema):
    columns = [
        [value.to_pydatetime() if isinstance(value, pd.Timestamp) else value for value in column]
        for column in (
            table[name].astype(object).where(table[name].notna(), None) for name in table
        )
    ]
    return spark.createDataFrame(list(zip(*columns, strict=True)), schema)


@pytest.mark.parametrize("eligible_only", [False, True])
def test_the_panel_is_that_of_one_process(spark, lines, tmp_path, eligible_only):
    options = {"cutoffs": CUTOFFS, "active_days": 30, "eligible_only": eligible_only}
    panel = spark_panel(on_spark(spark, lines), partitions=3, **options)
    panel.write.partitionBy("as_of").parquet(str(tmp_path / "panel"))
    there = pd.read_parquet(tmp_path / "panel")
    there["as_of"] = pd.to_datetime(there["as_of"].astype(str)).astype("datetime64[s]")
    here = build_panel(day_table(customer_days(lines)), **options)
    there = there[here.columns].sort_values(["customer_id", "as_of"], ignore_index=True)
    pd.testing.assert_frame_equal(there, here, rtol=1e-9, atol=1e-9, check_dtype=False)
    assert {path.name for path in (tmp_path / "panel").glob("as_of=*")} == {
        f"as_of={cutoff}" for cutoff in CUTOFFS
    }


def test_rows_of_optional_tables_go_where_their_customers_are(spark, lines):
    rng = np.random.default_rng(2)
    ids = [f"c{number}" for number in rng.integers(0, 60, 300)]
    moments = [START + timedelta(hours=int(hour)) for hour in rng.integers(0, 9_600, 300)]
    kinds = rng.choice(["visit", "complaint", "email_sent", "email_open"], 300).tolist()
    who = {"customer_id": [f"c{n}" for n in range(60)], "city": ["Ulm", None, "Bonn"] * 20}
    tables = {
        "events": pd.DataFrame({"customer_id": ids, "timestamp": moments, "kind": kinds}),
        "customers": pd.DataFrame(who | {"age": [float(20 + n) for n in range(60)]}),
    }
    schemas = {
        "events": "customer_id string, timestamp timestamp_ntz, kind string",
        "customers": "customer_id string, city string, age double",
    }
    frames = {name: spark_frame(spark, table, schemas[name]) for name, table in tables.items()}
    panel = spark_panel(on_spark(spark, lines), cutoffs=CUTOFFS, tables=frames, partitions=2)
    there = arrow_of(panel).to_pandas()
    here = build_panel(customer_tables(lines, **tables), cutoffs=CUTOFFS)
    there["as_of"] = pd.to_datetime(there["as_of"]).astype("datetime64[s]")
    there = there[here.columns].sort_values(["customer_id", "as_of"], ignore_index=True)
    texts = here.select_dtypes("category").columns
    assert len(texts) == 1
    here[texts] = here[texts].astype("str")
    there[texts] = there[texts].astype("str")
    pd.testing.assert_frame_equal(there, here, rtol=1e-9, atol=1e-9, check_dtype=False)


def test_no_customer_day_at_all_is_said(spark):
    with pytest.raises(DataError, match="there is no customer day: no transaction was kept"):
        spark_panel(customer_days(spark.createDataFrame([], SCHEMA)), cutoffs=CUTOFFS)
