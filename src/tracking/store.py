"""MLflow's store: an SQLite database and a folder of artifacts, beside the settings file."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL = "patronage"
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",  # would ask the package index
    "MLFLOW_UV_AUTO_DETECT": "false",  # would copy a lock file into the model
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}


@dataclass(frozen=True)
class Store:
    """An open store: MLflow's client, its address, and the experiment's id."""

    client: "MlflowClient"
    uri: str
    experiment_id: str


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """MLflow without its notes on deprecated parts of other libraries and on its own success."""
    with warnings.catch_warnings(), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        yield


def open_store(folder: Path, *, experiment: str) -> Store:
    """Open the store in `folder`; the database and the experiment are made at first use.

    The address is always explicit: MLflow's default depends on the working folder.
    """
    os.environ.update(QUIET)
    folder.mkdir(parents=True, exist_ok=True)
    uri = f"sqlite:///{folder.absolute() / 'mlflow.db'}"
    with quiet_mlflow():
        import mlflow

        for name in ("alembic", "mlflow", "sqlalchemy"):  # mlflow sets its own level on import
            logging.getLogger(name).setLevel(logging.ERROR)
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        return Store(client, uri, _experiment_id(client, experiment, folder))


def _experiment_id(client: "MlflowClient", name: str, folder: Path) -> str:
    known = client.get_experiment_by_name(name)
    if known is not None:
        return str(known.experiment_id)
    artifacts = (folder / "artifacts" / name).absolute().as_uri()
    return str(client.create_experiment(name, artifact_location=artifacts))
