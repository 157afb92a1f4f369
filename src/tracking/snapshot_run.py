"""One training run on a snapshot in MLflow, and the version that it registered."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from patronage.models.scorer import CHANCES
from patronage.models.snapshot_scorer import SnapshotScorer
from patronage.tracking.store import MODEL, Store, lock_on, quiet_mlflow
from patronage.tracking.training_run import (
    REQUIREMENTS,
    Judged,
    Registered,
    flat,
    log_judged,
    started,
)

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

CODE = Path(__file__).parent / "snapshot_pyfunc.py"


def log_snapshot_training(
    store: Store,
    scorer: SnapshotScorer,
    judged: Judged,
    *,
    settings: Mapping[str, Any],
    name: str,
) -> Registered:
    """Log the run and register its model as a new version without an alias."""
    with quiet_mlflow(), started(store, name) as run_id:
        import mlflow

        mlflow.set_tags({"label": "snapshot"})
        mlflow.log_params(flat(settings))
        mlflow.log_dict(dict(settings), "settings.json")
        mlflow.log_dict({"trials": scorer.churn.tuned_.trials}, "trials.json")
        with lock_on(store.folder, "registry"):
            registered = _register(scorer, run_id)
        for model, metrics in judged.metrics["test"]["models"].items():
            known = {f"{model}.{key}": value for key, value in metrics.items() if value is not None}
            mlflow.log_metrics(known, model_id=registered.model_id)
        log_judged(judged)
    return registered


def _register(scorer: SnapshotScorer, run_id: str) -> Registered:
    import mlflow

    with TemporaryDirectory() as folder:
        logged = mlflow.pyfunc.log_model(
            name=MODEL,
            python_model=str(CODE),
            artifacts=scorer.save(Path(folder)),
            signature=_signature(scorer),
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
            registered_model_name=MODEL,
        )
    return Registered(str(logged.registered_model_version), run_id, str(logged.model_id))


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
