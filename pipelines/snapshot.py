"""The commands on a snapshot: each is a table of contents of its steps."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from patronage.data.snapshot import CUSTOMER, DAY, VALUE, Snapshot, read_snapshot, read_to_score
from patronage.errors import DataError
from patronage.pipelines.run import Finished, refuse_without_champion
from patronage.pipelines.run_folder import RunFolder, run_folder
from patronage.pipelines.score import CUSTOMERS
from patronage.pipelines.snapshot_train import train_snapshot
from patronage.report import write_at_risk_csv
from patronage.retention import RetentionPolicy, at_risk_list
from patronage.retention.at_risk import REASONS
from patronage.snapshot_settings import SnapshotSettings
from patronage.tracking.champion import LoadedModel, load_champion
from patronage.tracking.store import Store, open_store

log = logging.getLogger(__name__)
MORE_ROWS = "Bring more customers or columns, or more trials: [churn] trials, seconds."


def run(settings: SnapshotSettings, *, run_at: datetime) -> Finished:
    """Read, train, gate, score, and with [retention] list."""
    with _job(settings, "run", run_at) as (job, store):
        snapshot = _read(settings, job)
        verdict = train_snapshot(settings, snapshot, job, store)
        refuse_without_champion(store, verdict, settings.tracking.promote, hint=MORE_ROWS)
        model = load_champion(store)
        customers = _score(settings, snapshot, job, model, run_at.date())
        _list(settings, job, customers)
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


@contextmanager
def _job(
    settings: SnapshotSettings, command: str, run_at: datetime
) -> Iterator[tuple[RunFolder, Store]]:
    outputs = settings.path(settings.run.outputs)
    shown = command != "train"
    with run_folder(outputs, command=command, started_at=run_at, latest=shown) as job:
        job.manifest["settings"] = settings.model_dump(mode="json")
        with job.step("open store"):
            tracking = settings.tracking
            store = open_store(settings.path(tracking.folder), experiment=tracking.experiment)
        yield job, store


def _read(settings: SnapshotSettings, job: RunFolder) -> Snapshot:
    with job.step("read"):
        snapshot = read_snapshot(settings.snapshot, folder=settings.folder)
    job.manifest["counts"] = {"snapshot": {"rows": len(snapshot.rows)}}
    for name, reason in sorted(snapshot.left_out.items()):
        log.info("%s is left out: %s", name, reason)
    return snapshot


def _score(
    settings: SnapshotSettings, snapshot: Snapshot, job: RunFolder, model: LoadedModel, today: date
) -> pd.DataFrame:
    """Score the customers asked for; writes customers.parquet."""
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
        value = rows[[VALUE]] if VALUE in rows else None
        customers = pd.concat([keys, value, scorer.score(rows)], axis=1)
        customers.to_parquet(job.path / CUSTOMERS, index=False)
    job.manifest["counts"]["scored"] = {"customers": len(customers)}
    job.manifest |= {"model_version": model.version, "as_of": day}
    return customers


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


def _list(settings: SnapshotSettings, job: RunFolder, customers: pd.DataFrame) -> None:
    """Write at_risk.csv where [retention] says what can be done."""
    if settings.retention is None:
        return
    with job.step("list"):
        day = customers["as_of"].max()
        here = customers[customers["as_of"] == day].rename(columns={VALUE: "value_if_kept"})
        blank = dict.fromkeys(_NOT_KNOWN, np.nan)
        asked = here.assign(eligible=True, p_alive=1.0, clv=here["value_if_kept"], **blank)
        reasons = here[[CUSTOMER]].assign(**dict.fromkeys(REASONS, ""))
        policy = RetentionPolicy.from_settings(settings.retention)
        at_risk = at_risk_list(asked, reasons, policy, as_of=day.date())
        at_risk = at_risk.drop(columns=[*_NOT_KNOWN, *REASONS, "p_alive", "clv"])
        write_at_risk_csv(at_risk, job.path / "at_risk.csv")
        job.manifest["counts"]["listed"] = {"selected": int(at_risk["selected"].sum())}


_NOT_KNOWN = ("expected_purchases", "expected_spend", "days_since_last", "usual_gap_days")


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
    if "listed" in counts:
        lines.append(f"{counts['listed']['selected']:,} to contact")
    return "\n".join([*lines, str(Path(job.path))])
