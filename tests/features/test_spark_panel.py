"""The panel of Spark's partitions is the panel of one process."""

from datetime import date, datetime, timedelta

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from patronage.data.spark_session import spark_session
from patronage.data.spark_table import arrow_of
from patronage.errors import DataError, SettingsError
from patronage.features import (
    ChurnLabels,
    build_panel,
    customer_days,
    customer_tables,
    day_table,
    feature,
    read_panel,
    write_panel,
)
from patronage.features.own_modules import own_features
from patronage.features.own_tables import with_features
from patronage.features.spark_panel import spark_panel
from patronage.models import BetaGeoModel
from patronage.models.value_features import value_features

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


OWN = """
import narwhals as nw
import numpy as np

from patronage.features import feature

MANY = 3


def several(purchases):
    return (purchases >= MANY).astype(float)


@feature(meaning="Bought several times.", unit="flag")
def loyal(grid):
    return several(grid.purchases)


@feature(meaning="Last kind of event.", unit="text", needs="events", null="without an event")
def last_kind(grid):
    known = grid.over("events")
    return known.latest_text(known.records.text("kind"))


@feature(meaning="Score.", unit="number", needs="surveys", null="without a survey")
def last_score(grid):
    known = grid.over("surveys")
    return known.latest(known.records.number("score"))


@feature(table="transactions", window=60, unit="money", meaning="Largest amount.", empty=0)
def largest_amount():
    return nw.col("amount").max()


@feature(table="transactions", unit="number", meaning="Spread.", null="never")
def spread():
    return nw.col("amount").max() - nw.col("amount").min()


@feature(table="events", window=90, unit="count", meaning="Complaints.", empty=0)
def complaints_seen():
    return nw.when(nw.col("kind") == "complaint").then(1).otherwise(0).sum()
"""


@pytest.fixture
def events():
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in rng.integers(0, 60, 300)],
            "timestamp": [START + timedelta(hours=int(h)) for h in rng.integers(0, 9_600, 300)],
            "kind": rng.choice(["visit", "complaint", "email_sent"], 300).tolist(),
        }
    )


def in_order(panel, columns):
    """As `read_panel` gives it."""
    found = panel.assign(as_of=pd.to_datetime(panel["as_of"]).astype("datetime64[s]"))
    return found[columns].sort_values(["customer_id", "as_of"], ignore_index=True)


def plain(panel):
    texts = panel.select_dtypes("category").columns
    return panel.astype(dict.fromkeys(texts, object))


def test_own_features_labels_and_samples_are_those_of_one_process(spark, lines, events, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    own = own_features(["own.py"], folder=tmp_path)
    lines = lines.assign(category=["a", "b", "c", None] * 225 + ["a", "a"])
    transactions = spark_frame(spark, lines, f"{SCHEMA}, category string")
    end = date(2027, 2, 6)
    options = {
        "cutoffs": CUTOFFS,
        "active_days": 100,
        "labels": ChurnLabels(horizons_days=(20, 60), lead_days=2, data_end=end),
        "sample": 0.6,
        "seed": 5,
    }
    tables = customer_tables(lines, events=events)
    value = value_features(
        tables.days, cutoffs=CUTOFFS, horizons_days=[20, 60], lead_days=2, purchases=BetaGeoModel()
    )
    options["families"] = [value.family]
    write_panel(with_features(tables, own), tmp_path / "here", **options)
    here = plain(read_panel(tmp_path / "here"))
    here = here.astype({"churned_20": float, "churned_60": float})
    panel = spark_panel(
        customer_days(transactions),
        tables={
            "transactions": transactions,
            "events": spark_frame(
                spark, events, "customer_id string, timestamp timestamp_ntz, kind string"
            ),
        },
        features=own,
        partitions=3,
        **options,
    )
    panel.write.partitionBy("as_of").parquet(str(tmp_path / "there"))
    there = in_order(pd.read_parquet(tmp_path / "there").astype({"as_of": str}), list(here.columns))
    assert {"loyal", "last_kind", "largest_amount", "spread", "complaints_seen"} <= set(here)
    assert "last_score" not in panel.columns
    assert {"categories_per_day", "p_no_purchase_60"} <= set(here)
    assert len(panel.columns) == len(here.columns)
    assert here["churned_60"].isna().any()
    assert set(here["churned_60"].dropna()) == {0, 1}
    assert 20 < here["customer_id"].nunique() < 50
    pd.testing.assert_frame_equal(
        plain(there), here, rtol=1e-9, atol=1e-9, check_dtype=False, check_column_type=False
    )


def test_what_spark_cannot_draw_or_see_is_said(spark, lines):
    days = on_spark(spark, lines)
    with pytest.raises(SettingsError, match="sample=5 customers cannot be drawn on Spark"):
        spark_panel(days, cutoffs=CUTOFFS, sample=5)
    with pytest.raises(SettingsError, match="sample=1.5 is neither a share"):
        spark_panel(days, cutoffs=CUTOFFS, sample=1.5)
    with pytest.raises(SettingsError, match="tables has outcomes, which is none of transactions,"):
        spark_panel(days, cutoffs=CUTOFFS, tables={"outcomes": None})
    labels = ChurnLabels(horizons_days=(30,), data_end=date(2027, 1, 20))
    with pytest.raises(DataError, match=r"2027-01-15 \(known from 2027-02-14\)"):
        spark_panel(days, cutoffs=CUTOFFS, labels=labels)


@feature(table="transactions", unit="number", meaning="X.", null="never")
def mean_by_length():
    return nw.col("amount").sum() / nw.len()


@feature(unit="number", meaning="X.")
def failing(grid):
    return grid.total("spend") / [][0]


def test_an_own_feature_that_fails_is_named(spark, lines):
    days = on_spark(spark, lines)
    with pytest.raises(DataError, match="mean_by_length .* only customer days. Give them as well"):
        spark_panel(days, cutoffs=CUTOFFS, features=[mean_by_length])
    with pytest.raises(DataError, match="feature failing .* failed in line .*IndexError"):
        arrow_of(spark_panel(days, cutoffs=CUTOFFS, features=[failing]))
