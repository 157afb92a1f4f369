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

from filelock import FileLock, Timeout

from patronage.errors import DataError, LockError, SettingsError, refuse_without_space

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL = "patronage"
PATIENCE = 900.0  # seconds: a gate on a million customers takes less
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",  # would ask the package index
    "MLFLOW_UV_AUTO_DETECT": "false",  # would copy a lock file into the model
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}


@dataclass(frozen=True)
class Store:
    """An open store: MLflow's client, its address, the experiment's id, and where it lies."""

    client: "MlflowClient"
    uri: str
    experiment_id: str
    folder: Path


@contextmanager
def lock_on(folder: Path, what: str, *, seconds: float = PATIENCE) -> Iterator[None]:
    """Keep other processes from changing `what` in the folder meanwhile; wait for one that does.

    A process that is killed loses its lock.

    Raises
    ------
    LockError
        If another process holds it for longer than `seconds`.
    """
    lock = FileLock(folder / f".{what}.lock", timeout=seconds)
    try:
        lock.acquire()
    except Timeout as error:
        raise LockError(
            f"another process has been changing the {what} in {folder} for {seconds:g} seconds. "
            "Wait for it to end, and try again."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """MLflow without its notes on deprecated parts of other libraries and on its own success."""
    with warnings.catch_warnings(), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        yield


def open_store(folder: Path, *, experiment: str) -> Store:
    """Open the store in `folder`; the database and the experiment are made at first use.

    The address is always explicit: MLflow's default depends on the working folder.

    Raises
    ------
    SettingsError
        If the folder's name cannot stand in a database's address.
    DataError
        If what is there is no database of MLflow's.
    """
    _refuse_odd_names(folder)
    os.environ.update(QUIET)
    os.environ.pop("MLFLOW_RUN_ID", None)  # a run of the user's own is not ours to write to
    folder.mkdir(parents=True, exist_ok=True)
    uri = f"sqlite:///{folder.absolute() / 'mlflow.db'}"
    with quiet_mlflow():
        import mlflow
        from sqlalchemy.exc import SQLAlchemyError

        for name in ("alembic", "mlflow", "sqlalchemy"):  # mlflow sets its own level on import
            logging.getLogger(name).setLevel(logging.ERROR)
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        try:
            # Two that make the database at once would both try to create its tables.
            with lock_on(folder, "database"):
                client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
                return Store(client, uri, _experiment_id(client, experiment, folder), folder)
        except (mlflow.MlflowException, SQLAlchemyError) as error:
            refuse_without_space(error, folder)
            raise DataError(
                f"{folder / 'mlflow.db'} cannot be used: {str(error).splitlines()[0]}. Move it "
                "away and train anew: patronage run"
            ) from error


def _refuse_odd_names(folder: Path) -> None:
    odd = sorted(set("%?#") & set(str(folder.absolute())))
    if odd:
        raise SettingsError(
            f"[tracking] folder: {folder.absolute()} holds {' '.join(odd)}, which a database's "
            "address cannot. Name another folder."
        )


def _experiment_id(client: "MlflowClient", name: str, folder: Path) -> str:
    known = client.get_experiment_by_name(name)
    if known is not None:
        return str(known.experiment_id)
    artifacts = (folder / "artifacts" / name).absolute().as_uri()
    return str(client.create_experiment(name, artifact_location=artifacts))
