"""The commands that leave a run: each is a table of contents of its steps."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from patronage.config import Settings
from patronage.errors import DataError, GateError
from patronage.pipelines.champion_terms import (
    refuse_other_features,
    refuse_other_terms,
    warn_of_hindsight,
)
from patronage.pipelines.lists import write_lists
from patronage.pipelines.prepare import prepare, quarantine_told
from patronage.pipelines.run_folder import RunFolder, latest_run, read_manifest, run_folder
from patronage.pipelines.score import CUSTOMERS, FEATURES_SEEN
from patronage.pipelines.score import score as score_customers
from patronage.pipelines.train import train as train_challenger
from patronage.tracking.champion import load_champion, load_version, usable_champion
from patronage.tracking.gate import Verdict
from patronage.tracking.store import Store, open_store

MORE_DATA = "Give a longer history, more trials ([churn] trials, seconds), or another horizon_days."


@dataclass(frozen=True)
class Finished:
    """What a command tells at its end; `gate_passed` is None where nothing was trained."""

    summary: str
    gate_passed: bool | None = None


def run(settings: Settings, *, run_at: datetime) -> Finished:
    """The main job: check, features, train, gate, score, list and report."""
    with _job(settings, "run", run_at) as (job, store):
        prepared = prepare(settings, job, run_at=run_at)
        verdict = train_challenger(settings, prepared, job, store)
        refuse_without_champion(store, verdict, settings.tracking.promote)
        model = load_champion(store)
        refuse_other_terms(model, settings)
        refuse_other_features(model, prepared.tables.own)
        score_customers(settings, prepared, job, model)
        write_lists(settings, job, store, model)
    return Finished(_told(job), verdict.passed)


def train(settings: Settings, *, run_at: datetime) -> Finished:
    """Check, features, train, gate; nothing is scored."""
    with _job(settings, "train", run_at) as (job, store):
        prepared = prepare(settings, job, run_at=run_at)
        verdict = train_challenger(settings, prepared, job, store)
    return Finished(_told(job), verdict.passed)


def score(settings: Settings, *, run_at: datetime) -> Finished:
    """Check, features, score by the champion; no list."""
    with _job(settings, "score", run_at) as (job, store):
        model = load_champion(store)
        refuse_other_terms(model, settings)
        prepared = prepare(settings, job, run_at=run_at, training=False)
        refuse_other_features(model, prepared.tables.own)
        warn_of_hindsight(model, prepared.as_of)
        score_customers(settings, prepared, job, model)
    return Finished(_told(job))


def report(settings: Settings, *, run_at: datetime) -> Finished:
    """List and report anew from the latest scores, by the model that made them."""
    scored = _latest_scores(settings)
    with _job(settings, "report", run_at) as (job, store):
        _take_over(scored, job)
        model = load_version(store, job.manifest["model_version"])
        refuse_other_terms(model, settings)
        write_lists(settings, job, store, model)
    return Finished(_told(job))


@contextmanager
def _job(settings: Settings, command: str, run_at: datetime) -> Iterator[tuple[RunFolder, Store]]:
    outputs = settings.path(settings.run.outputs)
    shown = command != "train"  # `latest` is where people look for scores and lists
    with run_folder(outputs, command=command, started_at=run_at, latest=shown) as job:
        job.manifest["settings"] = settings.model_dump(mode="json")
        with job.step("open store"):
            tracking = settings.tracking
            store = open_store(settings.path(tracking.folder), experiment=tracking.experiment)
        yield job, store


def refuse_without_champion(
    store: Store, verdict: Verdict, promoting: str, *, hint: str = MORE_DATA
) -> None:
    """Stop a run that has trained but has nothing to score with; says why, and what helps."""
    if (verdict.passed and promoting == "gate") or usable_champion(store) is not None:
        return
    if verdict.passed:
        raise GateError(
            'the first model passed the gate and waits, as [tracking] promote = "manual" asks. '
            "Make it champion: patronage promote, then: patronage score"
        )
    raise GateError(
        f"the new model did not pass the gate, and there is no champion to use:\n{verdict}\n{hint}"
    )


def _latest_scores(settings: Settings) -> Path:
    outputs = settings.path(settings.run.outputs)
    latest = latest_run(outputs)
    if latest is None or not (latest / CUSTOMERS).exists():
        raise DataError(f"there are no scores in {outputs}/latest yet. Make them: patronage score")
    return latest


def _take_over(scored: Path, job: RunFolder) -> None:
    """Copy the scores of another run, and what its manifest says of them.

    Raises
    ------
    DataError
        If some of it is missing or cannot be read.
    """
    try:
        for name in (CUSTOMERS, FEATURES_SEEN):
            shutil.copy2(scored / name, job.path / name)
            pq.read_schema(job.path / name)
        before = read_manifest(scored)
        for key in ("as_of", "data", "counts", "model_version"):
            job.manifest[key] = before[key]
        for key in ("tables", "tables_missing", "to_look_at", "families"):
            job.manifest[key] = before.get(key, {} if key in ("tables", "families") else [])
        if "training" in before:  # what became of the model trained with these scores
            job.manifest["training"] = before["training"]
        job.manifest["scores_of"] = before["run_id"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"the scores in {scored} cannot be used: {error}. Make them anew: patronage score"
        ) from error


def _told(job: RunFolder) -> str:
    """What the run comes to, in a few lines."""
    counts = job.manifest["counts"]
    lines = [quarantine_told(job)]
    training = job.manifest.get("training", {})
    if training.get("waits"):
        lines.append(f"version {training['version']} passed the gate and waits: patronage promote")
    if "scored" in counts:
        scored = counts["scored"]
        lines.append(f"{scored['eligible']:,} of {scored['customers']:,} customers are eligible")
    if "listed" in counts:
        currency, listed = job.manifest["settings"]["ledger"]["currency"], counts["listed"]
        lines.append(
            f"{listed['selected']:,} to contact: expected cost {listed['cost']:,.2f} {currency}, "
            f"expected net value {listed['net_value']:,.2f} {currency}"
        )
    return "\n".join([*lines, str(job.path)])
