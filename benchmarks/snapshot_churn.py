"""Churn where who churned is a column: our model on tables of customers, out of fold.

Twice five folds with about equal shares of churners. Whatever is learnt, the leaking columns among
it, is learnt on four folds and judged on the fifth.

    python benchmarks/snapshot_churn.py [SETTINGS ...]

SETTINGS name the data; any table will do that `patronage train` takes. By default these are the
two examples, which are split in several ways:

- equal rows together: no row of a fold equals one of another;
- rows at random: copies of a row may stand on both sides;
- without repeats: each distinct row once.

It writes benchmarks/results/snapshot_churn.json, unless settings are given.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from machine import machine

from patronage.data.snapshot import Snapshot, read_snapshot
from patronage.errors import PatronageError
from patronage.models.churn import ChurnModel
from patronage.models.churn_evaluation import OURS
from patronage.models.equal_rows import RowFold, stratified_row_folds
from patronage.models.evaluation import probability_metrics
from patronage.models.snapshot_evaluation import BASE_RATE, PLAIN, REGRESSION, evaluate_snapshot
from patronage.models.snapshot_probes import snapshot_suspicions
from patronage.snapshot_settings import SnapshotSettings, load_snapshot_settings

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
RESULT = HERE / "results" / "snapshot_churn.json"
FOLDS, REPEATS, TRIALS = 5, 2, 12
TOGETHER, AT_RANDOM, DISTINCT = "equal rows together", "rows at random", "without repeats"
CLASSIC = [
    *("Gender", "Senior Citizen", "Married", "Dependents", "Tenure in Months", "Phone Service"),
    *("Multiple Lines", "Internet Service", "Internet Type", "Online Security", "Online Backup"),
    *("Device Protection Plan", "Premium Tech Support", "Streaming TV", "Streaming Movies"),
    *("Contract", "Paperless Billing", "Payment Method", "Monthly Charge", "Total Charges"),
]
"""What the widely used file of the same customers has; of the others, some know more than they
should for a real firm, such as the number of referrals."""


def main(paths: Sequence[Path]) -> None:
    """Judge each table and write the result."""
    if paths:
        for path in paths:
            told(path.stem, judged(load_snapshot_settings(path), TOGETHER))
        return
    telco = load_snapshot_settings(EXAMPLES / "telco_ibm_v11.toml")
    iranian = load_snapshot_settings(EXAMPLES / "telecom_churn_iranian.toml")
    classic = telco.snapshot.model_copy(update={"features": CLASSIC})
    result = {
        "telco_ibm_v11": {TOGETHER: judged(telco, TOGETHER)},
        "telco_ibm_v11, classic columns": {
            TOGETHER: judged(telco.model_copy(update={"snapshot": classic}), TOGETHER)
        },
        "telecom_churn_iranian": {
            how: judged(iranian, how) for how in (TOGETHER, AT_RANDOM, DISTINCT)
        },
    }
    for name, ways in result.items():
        for how, found in ways.items():
            told(f"{name}, {how}", found)
    result["machine"] = machine()
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


def judged(settings: SnapshotSettings, how: str) -> dict[str, Any]:
    """Mean metrics of every model over the repeats, and the columns found to leak."""
    try:
        snapshot = read_snapshot(settings.snapshot, folder=settings.folder)
    except PatronageError as error:
        sys.exit(f"{error}\nGet the data, and name them in a copy of the settings.")
    rows = snapshot.labelled
    if how == DISTINCT:
        rows = rows.drop_duplicates(list(snapshot.features)).reset_index(drop=True)
    leaks: set[str] = set()
    repeats = [_repeat(snapshot, rows, how, seed, leaks) for seed in range(REPEATS)]
    return {
        "rows": len(rows),
        "rows_like_another": int(rows.duplicated(list(snapshot.features)).sum()),
        "churned": float(rows["churned"].mean()),
        "features": len(snapshot.features) - len(leaks),
        "left_out_as_leaks": sorted(leaks),
        "models": {
            name: {key: float(np.mean([one[name][key] for one in repeats])) for key in SHOWN}
            for name in repeats[0]
        },
    }


SHOWN = ("auc", "log_loss", "brier", "average_precision", "top_decile_lift", "mean_predicted")


def _repeat(
    snapshot: Snapshot, rows: pd.DataFrame, how: str, seed: int, leaks: set[str]
) -> dict[str, Any]:
    """Metrics of each model's probabilities of all rows, every one given by the other folds."""
    scores = pd.concat(
        [_fold(snapshot, rows, fold, seed, leaks) for fold in _folds(snapshot, rows, how, seed)]
    )
    churned = rows["churned"].loc[scores.index]
    names = (OURS, PLAIN, REGRESSION, BASE_RATE)
    return {name: probability_metrics(churned, scores[name]) for name in names}


def _folds(snapshot: Snapshot, rows: pd.DataFrame, how: str, seed: int) -> list[RowFold]:
    by = ["customer_id"] if how == AT_RANDOM else list(snapshot.features)
    return stratified_row_folds(rows[by], rows["churned"], count=FOLDS, seed=seed)


def _fold(
    snapshot: Snapshot, rows: pd.DataFrame, fold: RowFold, seed: int, leaks: set[str]
) -> pd.DataFrame:
    """What each model says of the rows that judge, on their index."""
    learn, test = (rows.iloc[places].reset_index(drop=True) for places in (fold.train, fold.judge))
    found = {one.feature for one in snapshot_suspicions(learn, snapshot.features)}
    leaks |= found
    features = [name for name in snapshot.features if name not in found]
    model = ChurnModel(features, label_days=0, trials=TRIALS, seconds=float("inf"), seed=seed)
    model.fit(learn, learn["churned"])
    return evaluate_snapshot(model, train=learn, test=test).scores.set_index(fold.judge)


def told(title: str, found: dict[str, Any]) -> None:
    """Print what came of it."""
    print(f"{title}: {found['rows']:,} rows, left out {', '.join(found['left_out_as_leaks'])}")
    for name, metrics in found["models"].items():
        print(f"  {name:22s} AUC {metrics['auc']:.4f}  log loss {metrics['log_loss']:.4f}")


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
