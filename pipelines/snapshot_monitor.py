"""`patronage monitor` on a snapshot: drift since training, and what came of earlier scores."""

from collections.abc import Sequence
from datetime import date, datetime

import pandas as pd

from patronage.data.snapshot import CUSTOMER, DAY, LABEL, read_snapshot
from patronage.errors import DataError
from patronage.pipelines.monitor import (
    Finished,
    drift_of_features,
    drift_of_scores,
    references_of,
    test_log_losses,
    told,
    write_monitored,
)
from patronage.pipelines.past_runs import PastRun, one_a_day, past_runs, with_models
from patronage.pipelines.project_store import project_store
from patronage.pipelines.run_folder import RunFolder, run_folder
from patronage.snapshot_settings import SnapshotSettings
from patronage.tracking.realised import Realised, realised_by
from patronage.tracking.store import Store
from patronage.tracking.versions import champion_version, trained_version
from patronage.tracking.watched import Watched

KNOWN = 0.9
"""From so large a share of a run's customers with a label on it is judged: those who left are
often known first, and would be all that is judged."""


def monitor(settings: SnapshotSettings, *, run_at: datetime) -> Finished:
    """Compare the newest scores with training, and earlier ones with labels that came since.

    Raises
    ------
    DataError
        If nothing has been scored that the model had not learnt from, or it cannot be read.
    """
    outputs = settings.path(settings.run.outputs)
    with run_folder(outputs, command="monitor", started_at=run_at, latest=False) as run:
        run.manifest["settings"] = settings.model_dump(mode="json")
        store = project_store(settings)
        today = settings.run.as_of if isinstance(settings.run.as_of, date) else run_at.date()
        past = _scored_anew(settings, store, today)
        with run.step("read"):
            labelled = _labelled(settings, run)
        with run.step("monitor"):
            watched = _watched(settings, store, past, labelled, today)
        write_monitored(run, watched)
    return Finished("\n".join(told(run, watched)), [alarm.text for alarm in watched.alarms])


def _scored_anew(settings: SnapshotSettings, store: Store, today: date) -> list[PastRun]:
    """The runs whose scores are forecasts: of rows whose label was not known."""
    outputs = settings.path(settings.run.outputs)
    runs = [one for one in past_runs(outputs) if one.scored.as_of <= today]
    fresh = [one for one in runs if not one.learnt_from]
    if fresh:
        return fresh
    if runs:
        raise DataError(
            f"nothing to watch: every run in {outputs} scored rows whose label was known, from "
            "which the model has learnt. Score customers whose label is not known yet: [snapshot] "
            "to_score = ..., then: patronage score"
        )
    first = "" if champion_version(store) else "there is no champion model yet, and "
    raise DataError(
        f"nothing to watch: {first}there are no scores as of {today} or earlier in {outputs}. "
        f"Make them: patronage {'run' if first else 'score'}"
    )


def _labelled(settings: SnapshotSettings, run: RunFolder) -> pd.DataFrame:
    """Customers whose label is known now: `customer_id`, `churned`, and `as_of` if there is one."""
    rows = read_snapshot(settings.snapshot, folder=settings.folder).labelled
    run.manifest["counts"] = {"snapshot": {"with a label": len(rows)}}
    return rows[[name for name in (CUSTOMER, DAY, LABEL) if name in rows]]


def _watched(
    settings: SnapshotSettings,
    store: Store,
    past: Sequence[PastRun],
    labelled: pd.DataFrame,
    today: date,
) -> Watched:
    versions = {
        name: trained_version(store, name) for name in {run.scored.model_version for run in past}
    }
    by_day = one_a_day(with_models(past, versions))
    newest = by_day[-1]
    references, notes = references_of(store, versions)
    features = newest.features()
    reference = references.get(newest.scored.model_version)
    judged = _judged(settings, by_day, labelled, notes)
    return Watched(
        newest=newest.scored,
        data_end=today,
        eligible=len(features),
        champion=champion_version(store),
        reference=reference,
        scores=drift_of_scores(reference, features, newest),
        features=drift_of_features(reference, features, newest),
        p_churn=features["p_churn"],
        periods=[],
        runs=[run.volume for run in by_day],
        transactions=0,
        judged=judged,
        waiting=[],
        test_log_loss=test_log_losses(references),
        lists=None,
        notes=notes,
        limits=settings.monitor,
    )


def _judged(
    settings: SnapshotSettings,
    by_day: Sequence[PastRun],
    labelled: pd.DataFrame,
    notes: list[str],
) -> list[Realised]:
    """One row for each scored day whose labels have come; a note on each whose have not."""
    if settings.snapshot.customer_id is None:
        notes.append(
            "what came of earlier scores cannot be told: without [snapshot] customer_id nobody can "
            "be found again"
        )
        return []
    found = []
    for run in by_day:
        customers = run.customers()
        labels = _labels_of(run, labelled)
        known = customers.loc[customers["eligible"], CUSTOMER].isin(labels[CUSTOMER])
        if known.mean() >= KNOWN:
            result = realised_by(run.scored, customers, labels)
            found += [] if result is None else [result]
        else:
            notes.append(
                f"run {run.scored.run_id} as of {run.scored.as_of} is not judged yet: of "
                f"{len(known):,} scored customers {int(known.sum()):,} have a label by now, and "
                f"{KNOWN:.0%} are the least"
            )
    return found


def _labels_of(run: PastRun, labelled: pd.DataFrame) -> pd.DataFrame:
    """The labels of the run's own day; without days, of each customer's one row."""
    if DAY in labelled:
        labelled = labelled[labelled[DAY].dt.date == run.scored.as_of]
    return labelled[[CUSTOMER, LABEL]]
