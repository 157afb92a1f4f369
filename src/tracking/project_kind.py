"""One tracking folder, one kind of project: a snapshot's models and a log's do not mix."""

from typing import Any

from patronage.errors import SettingsError
from patronage.models.snapshot_scorer import KIND as SNAPSHOT
from patronage.tracking.champion import version_of
from patronage.tracking.gate import CHAMPION
from patronage.tracking.store import MODEL, Store, quiet_mlflow

LABEL = "label"
"""The tag of a training run on a snapshot; one on transactions has none."""


def refuse_other_kind(store: Store, *, snapshot: bool) -> None:
    """Stop where the folder's models were trained on the other kind of project.

    Parameters
    ----------
    snapshot
        Whether the project is a snapshot.

    Raises
    ------
    SettingsError
        If the champion, or where there is none the newest version, is of the other kind.
    """
    with quiet_mlflow():
        version = version_of(store, CHAMPION) or _newest(store)
        if version is None or _is_of_snapshot(store, version) == snapshot:
            return
    theirs, ours = "a snapshot", "transactions"
    if snapshot:
        theirs, ours = ours, theirs
    raise SettingsError(
        f"the models in {store.folder} were trained on {theirs} (version {version.version}), and "
        f'this project is of {ours}. Give it a folder of its own: [tracking] folder = "..."'
    )


def _newest(store: Store) -> Any | None:
    found = store.client.search_model_versions(f"name = '{MODEL}'")
    return max(found, key=lambda one: int(one.version), default=None)


def _is_of_snapshot(store: Store, version: Any) -> bool:
    from mlflow import MlflowException

    try:
        tags = store.client.get_run(version.run_id).data.tags
    except MlflowException:  # the run was deleted: loading the version will say so
        return False
    return bool(tags.get(LABEL) == SNAPSHOT)
