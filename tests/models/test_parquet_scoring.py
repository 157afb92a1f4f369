import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import expit

from patronage.errors import DataError
from patronage.models import parquet_scoring
from patronage.models.churn import ChurnModel
from patronage.models.parquet_scoring import score_parquet

CUTOFFS = pd.date_range("2020-01-31", periods=5, freq="MS").as_unit("s")


def make_panel(rows=300):
    rng = np.random.default_rng(0)
    n = rows * len(CUTOFFS)
    away = rng.exponential(60, n)
    panel = pd.DataFrame(
        {
            "customer_id": [f"c{row}" for row in range(n)],
            "as_of": np.repeat(CUTOFFS, rows),
            "away": pd.Series(away).mask(rng.random(n) < 0.1),
            "orders": rng.integers(1, 9, n),
            "member": rng.random(n) < 0.5,
            "p_no_purchase": expit(-1 + away / 60),
            "region": pd.Series(rng.choice(["north", "south"], n)).mask(rng.random(n) < 0.1),
        }
    )
    west = (panel["region"] == "south") & (rng.random(n) < 0.5)
    return panel, ((rng.random(n) < expit(-1.5 + 3.0 * (away > 60))) | west).astype(int)


@pytest.fixture(scope="module", params=[("away", "orders", "member"), ("away", "region")])
def fitted(request):
    panel, churned = make_panel()
    return panel, ChurnModel(list(request.param), label_days=60, trials=1).fit(panel, churned)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_numbers_and_their_order_are_the_models(fitted, tmp_path, monkeypatch, threads):
    monkeypatch.setattr(parquet_scoring, "BATCH", 100)
    panel, model = fitted
    panel.assign(as_of=panel["as_of"].dt.date).to_parquet(tmp_path / "in.parquet", index=False)
    rows = score_parquet(model, tmp_path / "in.parquet", tmp_path / "out.parquet", threads=threads)
    scored = pd.read_parquet(tmp_path / "out.parquet")
    assert rows == len(panel)
    assert list(scored["customer_id"]) == list(panel["customer_id"])
    expected = model.predict_interval(panel)
    pd.testing.assert_frame_equal(scored[list(expected)], expected, check_exact=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]


def test_single_precision_stays_single(tmp_path):
    panel, churned = make_panel()
    single = panel.astype({"away": "float32"})
    model = ChurnModel(["away"], label_days=60, trials=1).fit(single, churned)
    table = pa.Table.from_pandas(single, preserve_index=False)
    assert parquet_scoring.batch_matrix(table.to_batches()[0], model).dtype == np.float32
    pq.write_table(table, tmp_path / "in.parquet")
    score_parquet(model, tmp_path / "in.parquet", tmp_path / "out.parquet", keys=())
    scored = pd.read_parquet(tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(scored, model.predict_interval(single), check_exact=True)


def test_a_missing_column_is_named_and_nothing_is_written(fitted, tmp_path):
    panel, model = fitted
    panel.drop(columns=["away", "p_no_purchase"]).to_parquet(tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"in\.parquet lacks 2 columns .*: away, p_no_purchase"):
        score_parquet(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_a_model_without_a_value_model_asks_for_its_features_alone(fitted, tmp_path):
    panel, _ = fitted
    churned = (panel["away"] > 60).astype(int).where(panel.index % 5 > 0, 1)
    table = panel.drop(columns=["as_of", "p_no_purchase"])
    model = ChurnModel(["away"], label_days=0, trials=1).fit(table, churned)
    table.to_parquet(tmp_path / "in.parquet")
    score_parquet(model, tmp_path / "in.parquet", tmp_path / "out.parquet", keys=())
    scored = pd.read_parquet(tmp_path / "out.parquet")
    expected = model.predict_interval(table).reset_index(drop=True)
    pd.testing.assert_frame_equal(scored, expected, check_exact=True)
