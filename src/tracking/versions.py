"""What MLflow knows of the registered versions, without loading a model."""

from dataclasses import dataclass
from datetime import date

from patronage.tracking.gate import CHAMPION
from patronage.tracking.store import MODEL, Store, quiet_mlflow


@dataclass(frozen=True)
class TrainedVersion:
    """A registered version: the MLflow run that made it, and the day that it was trained for."""

    run_id: str
    as_of: date | None


def trained_version(store: Store, version: str) -> TrainedVersion | None:
    """What MLflow knows of a version; None if it was deleted."""
    with quiet_mlflow():
        from mlflow import MlflowException

        try:
            run_id = str(store.client.get_model_version(MODEL, version).run_id)
            tag = store.client.get_run(run_id).data.tags.get("as_of", "")
        except MlflowException:
            return None
    return TrainedVersion(run_id, date.fromisoformat(tag) if tag else None)


def champion_version(store: Store) -> str | None:
    """The number of the champion's version, None while there is none."""
    with quiet_mlflow():
        from mlflow import MlflowException

        try:
            return str(store.client.get_model_version_by_alias(MODEL, CHAMPION).version)
        except MlflowException:
            return None
