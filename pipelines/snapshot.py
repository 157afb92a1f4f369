"""The commands on a snapshot: each is a table of contents of its steps."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from patronage.data.snapshot import (
    CUSTOMER,
    DAY,
    LABEL,
    VALUE,
    Snapshot,
    digest_of,
    read_snapshot,
    read_to_score,
)
from patronage.errors import DataError
from patronage.pipelines.project_store import project_store
from patronage.pipelines.run import Finished, latest_scores, refuse_without_champion, take_over
from patronage.pipelines.run_folder import RunFolder, run_folder
from patronage.pipelines.score import CUSTOMERS, FEATURES_SEEN
from patronage.pipelines.snapshot_lists import write_snapshot_lists
from patronage.pipelines.snapshot_train import train_snapshot
from patronage.snapshot_settings import SnapshotSettings
from patronage.tracking.champion import LoadedModel, load_champion, load_version
from patronage.tracking.store import Store

log = logging.getLogger(__name__)
MORE_ROWS = (
    "Bring more customers or columns. To use it all the same, at your own risk: "
    "patronage promote --force"
)


def run(settings: SnapshotSettings, *, run_at: datetime) -> Finished:
    """Read, train, gate, score, and with [retention] list."""
    with _job(settings, "run", run_at) as (job, store):
        snapshot = _read(settings, job)
        verdict = train_snapshot(settings, snapshot, job, store)
        refuse_without_champion(store, verdict, settings.tracking.promote, hint=MORE_ROWS)
        model = load_champion(store)
        _score(settings, snapshot, job, model, run_at.date())
        write_snapshot_lists(settings, job, store, model)
    return Finished(_told(job), verdict.passed)


def train(settings: SnapshotSettings, *, run_at: datetime) -> Finished:
    """Read, train, gate; nothing is scored."""
    with _job(settings, "train", run_at) as (job, store):
        verdict = train_snapshot(settings, _read(settings, job), job, store)
    return Finished(_told(job), verdict.passed)


def score(settings: SnapshotSettings, *, run_at: datetime) -> Finished:
    """Read, and score by the champion."""
    with _job(settings, "score", run_at) as (job, store):
        model = load_champion(store)
        _score(settings, _read(settings, job), job, model, run_at.date())
    return Finished(_told(job))


def report(settings: SnapshotSettings, *, run_at: datetime) -> Finished:
    """List and report anew from the latest scores, by the model that made them."""
    scored = latest_scores(settings)
    with _job(settings, "report", run_at) as (job, store):
        take_over(scored, job)
        write_snapshot_lists(
            settings, job, store, load_version(store, job.manifest["model_version"])
        )
    return Finished(_told(job))


@contextmanager
def _job(
    settings: SnapshotSettings, command: str, run_at: datetime
) -> Iterator[tuple[RunFolder, Store]]:
    outputs = settings.path(settings.run.outputs)
    shown = command != "train"
    with run_folder(outputs, command=command, started_at=run_at, latest=shown) as job:
        job.manifest["settings"] = settings.model_dump(mode="json")
        with job.step("open store"):
            store = project_store(settings)
        yield job, store


def _read(settings: SnapshotSettings, job: RunFolder) -> Snapshot:
    with job.step("read"):
        snapshot = read_snapshot(settings.snapshot, folder=settings.folder)
    counts = {"rows_read": len(snapshot.rows), "with a label": len(snapshot.labelled)}
    job.manifest["counts"] = {"snapshot": counts}
    job.manifest["data"] = {"digest": digest_of(snapshot.rows)}
    for name, reason in sorted(snapshot.left_out.items()):
        log.info("%s is left out: %s", name, reason)
    return snapshot


def _score(
    settings: SnapshotSettings, snapshot: Snapshot, job: RunFolder, model: LoadedModel, today: date
) -> None:
    """Score the customers asked for; writes customers.parquet and the features of the listed."""
    scorer = model.snapshot_scorer
    with job.step("score"):
        rows = _to_score(settings, snapshot)
        missing = [name for name in scorer.columns if name not in rows]
        if missing:
            raise DataError(
                f"model version {model.version} needs {len(missing)} columns that the snapshot "
                f"lacks: {', '.join(missing)}. Bring them, or train anew: patronage train"
            )
        day = _day(settings, rows, today)
        keys = rows[[CUSTOMER]].assign(
            as_of=rows[DAY] if DAY in rows else pd.Timestamp(day).as_unit("s"),
            run_id=job.run_id,
            model_version=model.version,
        )
        keys["eligible"] = rows[LABEL].ne(1) if LABEL in rows else True
        value = rows[[VALUE]] if VALUE in rows else None
        customers = pd.concat([keys, value, scorer.score(rows)], axis=1)
        customers.to_parquet(job.path / CUSTOMERS, index=False)
        here = keys["eligible"] & (keys["as_of"] == keys["as_of"].max())
        seen = pd.concat([keys[[CUSTOMER, DAY]], rows[list(scorer.columns)]], axis=1)
        seen[here].to_parquet(job.path / FEATURES_SEEN, index=False)
    scored: dict[str, Any] = {"customers": len(customers), "eligible": int(here.sum())}
    if LABEL in rows and rows[LABEL].notna().all():
        scored["learnt_from"] = True
    job.manifest["counts"]["scored"] = scored
    job.manifest |= {"model_version": model.version, "as_of": day}


def _to_score(settings: SnapshotSettings, snapshot: Snapshot) -> pd.DataFrame:
    """The rows of `to_score`, or those without a label, or for want of both all of them."""
    if settings.snapshot.to_score is not None:
        return read_to_score(settings.snapshot, folder=settings.folder)
    if len(snapshot.unlabelled):
        return snapshot.unlabelled
    log.warning(
        "every row has a label, so that the model has learnt from most of the rows it scores: name "
        "customers whose label is not known yet, [snapshot] to_score = ..."
    )
    return snapshot.rows


def _day(settings: SnapshotSettings, rows: pd.DataFrame, today: date) -> date:
    """The day the scores are for: the newest among the rows, of the settings, or of the run."""
    if DAY in rows:
        newest: date = rows[DAY].max().date()
        return newest
    return settings.run.as_of if isinstance(settings.run.as_of, date) else today


def _told(job: RunFolder) -> str:
    """What the run comes to, in a few lines."""
    counts, lines = job.manifest["counts"], []
    if "churned" in job.manifest:
        churned = job.manifest["churned"]
        lines.append(f"{churned['share']:.1%} of {churned['rows']:,} customers churned")
    training = job.manifest.get("training", {})
    if training.get("waits"):
        lines.append(f"version {training['version']} passed the gate and waits: patronage promote")
    if "scored" in counts:
        lines.append(f"{counts['scored']['customers']:,} customers scored")
    if "selected" in counts.get("listed", {}):
        lines.append(f"{counts['listed']['selected']:,} to contact")
    return "\n".join([*lines, str(Path(job.path))])
