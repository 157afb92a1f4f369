"""One training run on a snapshot in MLflow, and the version that it registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from patronage.models.scorer import CHANCES
from patronage.models.snapshot_scorer import KIND, SnapshotScorer
from patronage.tracking.project_kind import LABEL
from patronage.tracking.reference import REFERENCE_FILE, Reference
from patronage.tracking.store import Store, lock_on, quiet_mlflow
from patronage.tracking.training_run import (
    Judged,
    Registered,
    log_inputs,
    log_judged,
    log_test_metrics,
    register,
    started,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.models import ModelSignature

CODE = Path(__file__).parent / "snapshot_pyfunc.py"


@dataclass(frozen=True, kw_only=True)
class SnapshotRecord:
    """Everything a training on a snapshot leaves behind; `learn` and `test` are labelled rows."""

    scorer: SnapshotScorer
    learn: pd.DataFrame
    test: pd.DataFrame
    judged: Judged
    settings: Mapping[str, Any]
    tags: Mapping[str, str]
    versions: Mapping[str, str]
    figures: Mapping[str, "Figure"]


def log_snapshot_training(store: Store, record: SnapshotRecord, *, name: str) -> Registered:
    """Log the run and register its model as a new version without an alias."""
    scorer = record.scorer
    with quiet_mlflow(), started(store, name) as run_id:
        import mlflow

        mlflow.set_tags({LABEL: KIND, **record.tags})
        log_inputs(record.settings, record.versions, scorer.churn, record.figures)
        reference = Reference.of(scorer.churn, record.learn, record.test)
        mlflow.log_dict(reference.to_dict(), REFERENCE_FILE)
        with lock_on(store.folder, "registry"):
            registered = register(scorer, CODE, _signature(scorer), run_id)
        log_test_metrics(record.judged.metrics["test"], registered.model_id)
        log_judged(record.judged)
    return registered


def _signature(scorer: SnapshotScorer) -> "ModelSignature":
    """Every column may be missing (NaN); MLflow calls such columns optional."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    texts = scorer.churn.categories_
    features = [
        ColSpec("string" if name in texts else "double", name, required=False)
        for name in scorer.columns
    ]
    outputs = [ColSpec("double", name, required=False) for name in CHANCES]
    return ModelSignature(inputs=Schema([*features]), outputs=Schema([*outputs]))
