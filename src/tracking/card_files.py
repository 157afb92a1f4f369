"""A version's model card in MLflow: artifacts of its run, and the version's description."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from patronage.tracking.store import MODEL, Store, lock_on, quiet_mlflow

CARD_FILES = ("model_card.html", "model_card.md")


def log_card(
    store: Store, *, version: str, run_id: str, files: Mapping[str, str], description: str
) -> None:
    """Keep the files, by their names, with the run, and describe the version."""
    with quiet_mlflow(), lock_on(store.folder, "registry"):
        for name, text in files.items():
            store.client.log_text(run_id, text, name)
        store.client.update_model_version(MODEL, version, description=description)


def card_of(store: Store, run_id: str) -> dict[str, str]:
    """The card's files that a training run kept, by name; empty where it kept none."""
    with quiet_mlflow(), TemporaryDirectory() as folder:
        kept = {one.path for one in store.client.list_artifacts(run_id)}
        return {
            name: Path(store.client.download_artifacts(run_id, name, folder)).read_text("utf-8")
            for name in CARD_FILES
            if name in kept
        }
