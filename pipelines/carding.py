"""The model card of the version that a run trained, and of the one that scored."""

from pathlib import Path

from patronage.pipelines.run_folder import RunFolder
from patronage.report.card import Card
from patronage.report.model_card import CardData, card_description, model_card
from patronage.tracking.card_files import CARD_FILES, card_of, log_card
from patronage.tracking.gate import Verdict
from patronage.tracking.store import Store
from patronage.tracking.training_run import Judged, Registered


def keep_card(
    store: Store, run: RunFolder, registered: Registered, judged: Judged, verdict: Verdict
) -> None:
    """Write the new version's card into MLflow and into the run's folder."""
    card = model_card(
        CardData(
            version=registered.version,
            mlflow_run_id=registered.run_id,
            metrics=judged.metrics,
            manifest={**run.manifest, "run_id": run.run_id},
            gate=verdict.to_dict(),
            scores=judged.scores,
        )
    )
    files = _files(card)
    log_card(
        store,
        version=registered.version,
        run_id=registered.run_id,
        files=files,
        description=card_description(card),
    )
    _write(run.path, files)


def copy_card(store: Store, run_id: str, folder: Path) -> bool:
    """Leave the card of the version that scored, and no other's, in the folder; whether it has one.

    A version that an earlier release trained has none.
    """
    files = card_of(store, run_id)
    for name in CARD_FILES:
        (folder / name).unlink(missing_ok=True)
    _write(folder, files)
    return bool(files)


def _files(card: Card) -> dict[str, str]:
    return dict(zip(CARD_FILES, (card.html(), card.markdown()), strict=True))


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
