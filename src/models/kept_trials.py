"""Finished trials of Optuna's, kept in an SQLite file, so that a killed search can go on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from patronage.errors import DataError

if TYPE_CHECKING:
    import optuna

Key = tuple[tuple[str, Any], ...]
PATIENCE = 60.0
"""Seconds to wait while another process writes to the file."""


class KeptTrials:
    """What one search has found so far, by the parameters that were tried.

    A search asks here before it computes, and tells what it has computed. Only finished trials are
    written, so a kill leaves nothing half done; searches that run at once all read and write.
    """

    def __init__(self, study: "optuna.Study", lock: FileLock) -> None:
        self._study = study
        self._lock = lock
        self._known = {_key(one.params): one for one in study.get_trials(deepcopy=False)}

    def find(self, params: Mapping[str, Any]) -> "optuna.trial.FrozenTrial | None":
        """The trial of these very parameters, if there was one."""
        return self._known.get(_key(params))

    def keep(self, trial: "optuna.trial.FrozenTrial") -> None:
        """Write a finished trial, unless it is there."""
        key = _key(trial.params)
        if key not in self._known:
            self._known[key] = trial
            with self._lock:
                self._study.add_trial(trial)


@contextmanager
def kept_trials(path: Path, name: str) -> Iterator[KeptTrials]:
    """Open the trials kept under a name; file and study are made at first use.

    Raises
    ------
    DataError
        If what is there is no database of Optuna's.
    """
    from optuna.storages import RDBStorage

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock", timeout=PATIENCE)
    storage: RDBStorage | None = None
    try:
        with lock, _told_plainly(path):
            storage = _storage(path)
            kept = KeptTrials(_study(storage, name), lock)
        yield kept
    finally:
        if storage is not None:
            storage.remove_session()
            storage.engine.dispose()


def _storage(path: Path) -> Any:
    from optuna.storages import RDBStorage

    options = {"connect_args": {"timeout": PATIENCE}}
    return RDBStorage(f"sqlite:///{path.absolute()}", engine_kwargs=options)


def _study(storage: Any, name: str) -> "optuna.Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(study_name=name, storage=storage, load_if_exists=True)


@contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, OptunaError, RuntimeError) as error:
        raise DataError(
            f"the trials in {path} cannot be used: {str(error).splitlines()[0]} It holds nothing "
            "that cannot be computed again: move it away and train anew."
        ) from error


def _key(params: Mapping[str, Any]) -> Key:
    return tuple(sorted(params.items()))
