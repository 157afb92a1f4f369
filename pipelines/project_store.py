"""The tracking folder of a project."""

from patronage.config import Settings
from patronage.snapshot_settings import SnapshotSettings
from patronage.tracking.project_kind import refuse_other_kind
from patronage.tracking.store import Store, open_store


def project_store(settings: Settings | SnapshotSettings) -> Store:
    """Open the folder that the settings name.

    Raises
    ------
    SettingsError
        If its models were trained on another kind of project.
    """
    tracking = settings.tracking
    store = open_store(settings.path(tracking.folder), experiment=tracking.experiment)
    refuse_other_kind(store, snapshot=isinstance(settings, SnapshotSettings))
    return store
