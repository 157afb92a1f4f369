"""The panel of Spark's partitions is the panel of one process."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from patronage.data.spark_session import spark_session
from patronage.errors import DataError
from patronage.features import build_panel, customer_days, day_table
from patronage.features.spark_panel import spark_panel

CUTOFFS = [date(2026, 2, 1), date(2026, 9, 1), date(2027, 1, 15)]
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


def test_no_customer_day_at_all_is_said(spark):
    with pytest.raises(DataError, match="there is no customer day: no transaction was kept"):
        spark_panel(customer_days(spark.createDataFrame([], SCHEMA)), cutoffs=CUTOFFS)
