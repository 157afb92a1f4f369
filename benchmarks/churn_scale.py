"""The churn model at scale: memory of a training on a million rows, and the rate of scoring.

Training: a panel of 1,000,000 rows x 66 features over 24 monthly cutoffs, 50 trials, in a process
of its own, whose peak of resident memory counts the panel as well.

Scoring: `score_parquet` from a Parquet file of single-precision features to a Parquet file of
chances, with the model just trained, beside LightGBM's bare `Booster.predict` of the same rows as a
matrix that is in memory already; the same trees, the same number of threads. The bare rate is
taken on the first tenth of the rows, before and after. Seconds of all processors are given as well:
where others use the machine, they are the fairer figure.

    python benchmarks/churn_scale.py [ROWS_TO_TRAIN ROWS_TO_SCORE] [FOLDER]

FOLDER, by default a temporary one, takes 270 bytes per row to score. It writes
benchmarks/results/churn_scale.json.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from machine import machine
from numpy.typing import NDArray
from scipy.special import expit

from patronage.models.churn import ChurnModel
from patronage.models.parquet_scoring import score_parquet

RESULT = Path(__file__).parent / "results" / "churn_scale.json"
N_FEATURES = 66
FEATURES = [f"feature_{place}" for place in range(N_FEATURES)]
CUTOFFS = pd.date_range("2022-01-01", periods=24, freq="MS").as_unit("s")
LABEL_DAYS = 90
TRIALS = 50
GROUP = 250_000
"""Rows made at a time."""
THREADS = os.cpu_count() or 1


def main(train_rows: int = 1_000_000, score_rows: int = 10_000_000, folder: str = "") -> None:
    """Train, score, and write the result."""
    with TemporaryDirectory(dir=folder or None) as scratch:
        trained = measured("train", train_rows, scratch)
        print(json.dumps(trained), flush=True)
        scored = measured("score", score_rows, scratch)
    result = {"training": trained, "scoring": scored, "machine": machine()}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def measured(what: str, rows: int, scratch: str) -> dict[str, Any]:
    """Run a part of this file in a process of its own."""
    command = [sys.executable, __file__, what, str(rows), scratch]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return answer


def made(rows: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Features, a tenth of them missing, and log-odds of churn that a few of them decide."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, N_FEATURES), dtype=np.float32)
    odds = x[:, :8].sum(axis=1) / 3 + np.where(x[:, 8] > 1, 1.0, 0.0) * x[:, 9] - 0.3
    x[rng.random(x.shape, dtype=np.float32) < 0.1] = np.nan
    return x, odds.astype(float)


def train(rows: int, scratch: str) -> dict[str, Any]:
    """Train and keep the model."""
    x, odds = made(rows, 0)
    rng = np.random.default_rng(1)
    panel = pd.DataFrame(x, columns=FEATURES, copy=False).astype("float64")
    del x
    panel["as_of"] = np.sort(rng.choice(CUTOFFS, rows))
    panel["p_no_purchase"] = expit(odds / 2)
    churned = pd.Series((rng.random(rows) < expit(odds)).astype(int))
    start, busy = time.perf_counter(), time.process_time()
    model = ChurnModel(FEATURES, label_days=LABEL_DAYS, trials=TRIALS, seconds=float("inf"))
    model.fit(panel, churned)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    numbers = {"numbers": model.to_dict(), "booster": model.booster_.model_to_string()}
    Path(scratch, "model.json").write_text(json.dumps(numbers))
    return {
        "rows": rows,
        "features": N_FEATURES,
        "trials": TRIALS,
        "seconds": round(seconds, 1),
        "processor_seconds": round(busy, 1),
        "peak_memory_gb": round(getrusage(RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2),
        "trees": model.tuned_.n_trees,
        "leaves": model.tuned_.params["num_leaves"],
    }


def score(rows: int, scratch: str) -> dict[str, Any]:
    """Score from file to file, and bare before and after."""
    kept = json.loads(Path(scratch, "model.json").read_text())
    model = ChurnModel.from_dict(kept["numbers"], kept["booster"])
    source, to = Path(scratch, "features.parquet"), Path(scratch, "scores.parquet")
    write_features(source, rows)
    x = made(min(max(rows // 10, 1), GROUP * 4), 0)[0]
    score_parquet(model, first_rows(source, Path(scratch, "few.parquet")), to)  # compiles
    before = rate(lambda: bare(model.booster_, x), len(x))
    ours = rate(lambda: score_parquet(model, source, to, threads=THREADS), rows)
    after = rate(lambda: bare(model.booster_, x), len(x))
    of = {key: 2 * ours[key] / (before[key] + after[key]) for key in ours}
    return {
        "rows": rows,
        "threads": THREADS,
        "source_gb": round(source.stat().st_size / 1e9, 2),
        "from_parquet_to_parquet": ours,
        "bare_before": before,
        "bare_after": after,
        "share_of_bare": of,
        "peak_memory_gb": round(getrusage(RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2),
        "largest_difference": difference(model, source, to),
    }


def bare(booster: lgb.Booster, x: NDArray[np.float32]) -> Any:
    """What LightGBM alone does."""
    return booster.predict(x, raw_score=True, num_threads=THREADS)


def rate(work: Callable[[], object], rows: int) -> dict[str, float]:
    """Rows per second of the clock, and per second of all processors."""
    start, busy = time.perf_counter(), time.process_time()
    work()
    clock, busy = time.perf_counter() - start, time.process_time() - busy
    return {"rows_per_second": rows / clock, "rows_per_processor_second": rows / busy}


def write_features(path: Path, rows: int) -> None:
    """A file as a pipeline would leave it, in row groups."""
    writer = None
    for first in range(0, rows, GROUP):
        x, odds = made(min(GROUP, rows - first), first)
        columns = {name: x[:, place] for place, name in enumerate(FEATURES)}
        keys = {"customer_id": np.arange(first, first + len(x))}
        table = pa.table({**keys, **columns, "p_no_purchase": expit(odds / 2).astype(np.float32)})
        writer = writer or pq.ParquetWriter(path, table.schema, use_dictionary=False)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def first_rows(source: Path, to: Path) -> Path:
    """A small file of the same kind."""
    with pq.ParquetFile(source) as file:
        pq.write_table(pa.Table.from_batches([next(file.iter_batches(1000))]), to)
    return to


def difference(model: ChurnModel, source: Path, to: Path) -> float:
    """Between the file's first chances and those of the model by way of pandas."""
    with pq.ParquetFile(source) as features, pq.ParquetFile(to) as scores:
        panel = next(features.iter_batches(10_000)).to_pandas()
        ours = next(scores.iter_batches(10_000)).to_pandas()
    return float(np.abs(ours["p_churn"] - model.predict_proba(panel)).max())


if __name__ == "__main__":
    if sys.argv[1:2] in (["train"], ["score"]):
        part = {"train": train, "score": score}[sys.argv[1]]
        print(json.dumps(part(int(sys.argv[2]), sys.argv[3])))
    else:
        main(*map(int, sys.argv[1:3]), *sys.argv[3:4])
