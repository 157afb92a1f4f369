"""The champion changed by hand: promote a version, or go back to the previous one."""

from patronage.config import Settings
from patronage.pipelines.judging import gate_terms
from patronage.pipelines.project_store import project_store
from patronage.snapshot_settings import SnapshotSettings
from patronage.tracking.registry import promote, roll_back


def promote_version(
    settings: Settings | SnapshotSettings, *, version: str | None, force: bool
) -> str:
    """Make a version champion, the challenger by default; tells what moved.

    Raises
    ------
    PatronageError
        If there is none, or it did not pass the gate against the champion of today.
    """
    moved = promote(project_store(settings), gate_terms(settings), version=version, force=force)
    return "it is champion already; nothing moved" if moved is None else str(moved)


def roll_back_champion(settings: Settings | SnapshotSettings) -> str:
    """Make the previous champion champion again; tells what moved.

    Raises
    ------
    DataError
        If there is none.
    """
    return str(roll_back(project_store(settings)))
