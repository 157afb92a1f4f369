"""The main job's scores are the same wherever the transactions are read."""

import json

import pandas as pd
import pyarrow as pa
import pytest


@pytest.fixture
def scored(project, patronage):
    """Score the project anew after a change of its settings; the scores and the manifest."""

    def score(old, new):
        project.write_text(project.read_text().replace(old, new))
        assert patronage("score", "--config", project) == 0
        latest = project.parent / "outputs" / "latest"
        return pd.read_parquet(latest / "customers.parquet"), json.loads(
            (latest / "manifest.json").read_text()
        )

    return score


@pytest.fixture(scope="session")
def expected(finished):
    return pd.read_parquet(finished.parent / "outputs" / "latest" / "customers.parquet")


def assert_same_scores(found, expected):
    numbers = expected.select_dtypes("number").columns
    pd.testing.assert_frame_equal(found[numbers], expected[numbers], rtol=1e-9, atol=1e-9)
    assert found["customer_id"].tolist() == expected["customer_id"].tolist()


def test_scores_of_transactions_in_postgresql(scored, expected, every_tenth, sql, postgres_address):
    columns = ", ".join(f"{name} text" for name in every_tenth.columns)
    sql("DROP TABLE IF EXISTS cdnow", f"CREATE TABLE cdnow ({columns})")
    sql(table=pa.table({k: every_tenth[k].astype(str).tolist() for k in every_tenth}), name="cdnow")
    source = f'source = "{postgres_address}"\nrelation = "public.cdnow"'
    found, manifest = scored('source = "data/cdnow.csv"', source)
    assert_same_scores(found, expected)
    assert manifest["counts"]["transactions"]["rows_kept"] == len(every_tenth)


def test_scores_of_transactions_on_spark(scored, expected, spark_engine):
    options = "\n".join(f'"{name}" = "{v}"' for name, v in spark_engine.spark_options.items())
    engine = (
        f'[engine]\nname = "spark"\nspark_master = "local[2]"\n[engine.spark_options]\n{options}'
    )
    found, _ = scored("[features]", f"{engine}\n\n[features]")
    assert_same_scores(found, expected)
