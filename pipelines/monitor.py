"""`patronage monitor`: whether the scores can still be trusted."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from patronage.config import Settings
from patronage.data.ledger import Ledger
from patronage.errors import DataError
from patronage.features import CustomerTables, customer_tables
from patronage.features.seen import cut
from patronage.models.training_panel import SUBSCRIPTIONS
from patronage.pipelines.past_runs import PastRun, one_a_day, past_runs, with_models
from patronage.pipelines.prepare import checked, day_of_the_run, quarantine_told, read, sources_of
from patronage.pipelines.project_store import project_store
from patronage.pipelines.run_folder import RunFolder, run_folder
from patronage.retention.wording import counted
from patronage.tracking.drift import Drift, feature_drift, score_drift
from patronage.tracking.realised import Realised, realised
from patronage.tracking.reference import Reference, reference_or_none
from patronage.tracking.save_rate import TREAT, save_rates
from patronage.tracking.store import Store
from patronage.tracking.versions import TrainedVersion, champion_version, trained_version
from patronage.tracking.volume import periods
from patronage.tracking.watched import Watched

log = logging.getLogger(__name__)
PAGE, NUMBERS = "monitor.html", "monitor.json"


@dataclass(frozen=True)
class Finished:
    """What the command tells at its end, and its alarms, one line each."""

    summary: str
    alarms: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the data say on the day of the run; `data_end` is the first day not known then."""

    tables: CustomerTables
    outcomes: pd.DataFrame | None
    as_of: date
    data_end: date
    transactions: int


def monitor(settings: Settings, *, run_at: datetime) -> Finished:
    """Compare the newest scores with training and earlier scores with what came of them.

    Page and numbers go into a run folder of their own; `latest` stays where it is.

    Raises
    ------
    DataError
        If nothing has been scored by the day of the run, or its files cannot be read.
    """
    outputs = settings.path(settings.run.outputs)
    with run_folder(outputs, command="monitor", started_at=run_at, latest=False) as run:
        run.manifest["settings"] = settings.model_dump(mode="json")
        store = project_store(settings)
        runs = past_runs(outputs)
        _refuse_without_scores(runs, store, settings, None)
        known = _known(settings, run, run_at)
        past = [one for one in runs if one.scored.as_of <= known.as_of]
        _refuse_without_scores(past, store, settings, known.as_of)
        with run.step("monitor"):
            watched = _watched(settings, store, past, known)
        write_monitored(run, watched)
    said = "\n".join([quarantine_told(run), *told(run, watched)])
    return Finished(said, [alarm.text for alarm in watched.alarms])


def _refuse_without_scores(
    runs: Sequence[PastRun], store: Store, settings: Settings, as_of: date | None
) -> None:
    if runs:
        return
    outputs = settings.path(settings.run.outputs)
    until = "" if as_of is None else f" as of {as_of} or earlier"
    trained = champion_version(store) is not None
    first = "" if trained else "there is no champion model yet, and "
    fix = "patronage score" if trained else "patronage run"
    raise DataError(
        f"nothing to watch: {first}there are no scores{until} in {outputs}. Make them: {fix}"
    )


def _known(settings: Settings, run: RunFolder, run_at: datetime) -> Known:
    with run.step("read and check"), read(settings, run, run_at) as ledger:
        run.manifest.update(checked(ledger))
        ledger.write_quarantine(run.path / "quarantine")
        ledger.refuse_if_bad()
        as_of = day_of_the_run(ledger, settings)
        run.manifest["as_of"] = as_of
        rows = ledger.table("outcomes")
        outcomes: pd.DataFrame | None = None if rows is None else rows.collect().to_pandas()
        return Known(
            tables=_tables(ledger, settings, as_of),
            outcomes=outcomes,
            as_of=as_of,
            data_end=min(as_of, ledger.last_day + timedelta(days=1)),
            transactions=ledger.counts.rows_kept,
        )


def _tables(ledger: Ledger, settings: Settings, as_of: date) -> CustomerTables:
    """What labels are made of; subscriptions only where churn is their end."""
    terms, found = settings.subscriptions, sources_of(ledger)
    end_known = "at_end" if terms is None else terms.end_known
    contractual = settings.churn.label == SUBSCRIPTIONS
    names = [name for name in ("transactions", "subscriptions") if name in found]
    known = {
        name: cut(found[name], name, as_of=as_of, end_known=end_known)
        for name in (names if contractual else names[:1])
    }
    return customer_tables(**known, end_known=end_known)


def _watched(settings: Settings, store: Store, past: Sequence[PastRun], known: Known) -> Watched:
    names = sorted({run.scored.model_version for run in past})
    versions = {name: trained_version(store, name) for name in names}
    runs = with_models(past, versions)
    by_day = one_a_day(runs)
    newest = by_day[-1]
    references, notes = references_of(store, versions)
    features = newest.features()
    reference = references.get(newest.scored.model_version)
    judged = _judged(by_day, runs, known, notes)
    lists = None
    if known.outcomes is not None:
        by_id = {run.scored.run_id: run.scored for run in runs}
        lists = save_rates(known.outcomes, by_id, known.tables, data_end=known.data_end)
    return Watched(
        newest=newest.scored,
        data_end=known.data_end,
        eligible=len(features),
        champion=champion_version(store),
        reference=reference,
        scores=drift_of_scores(reference, features, newest),
        features=drift_of_features(reference, features, newest),
        p_churn=features["p_churn"],
        periods=periods(known.tables.days, end=known.data_end),
        runs=[run.volume for run in by_day],
        transactions=known.transactions,
        judged=judged,
        waiting=[run.scored for run in by_day if run.scored.matures > known.data_end],
        test_log_loss=test_log_losses(references),
        lists=lists,
        notes=notes,
        limits=settings.monitor,
    )


def references_of(
    store: Store, versions: Mapping[str, TrainedVersion | None]
) -> tuple[dict[str, Reference], list[str]]:
    """The reference of each version, and a note on each that has none."""
    found, notes = {}, []
    for name, version in versions.items():
        reference = None if version is None else reference_or_none(store, version.run_id)
        if reference is not None:
            found[name] = reference
        else:
            why = "MLflow no longer has it" if version is None else "an earlier release trained it"
            notes.append(
                f"model version {name} has no record of what it was trained on: {why}. Its drift "
                "cannot be told; train anew: patronage train"
            )
    return found, notes


def drift_of_scores(
    reference: Reference | None, features: pd.DataFrame, newest: PastRun
) -> Drift | None:
    """Drift of the newest scores; None where there is nothing to compare."""
    if reference is None or features.empty:
        return None
    return score_drift(reference, features["p_churn"], as_of=newest.scored.as_of)


def drift_of_features(
    reference: Reference | None, features: pd.DataFrame, newest: PastRun
) -> list[Drift]:
    """Drift of every input of the newest scores."""
    if reference is None or features.empty:
        return []
    return feature_drift(reference, features, as_of=newest.scored.as_of)


def _judged(
    by_day: Sequence[PastRun], runs: Sequence[PastRun], known: Known, notes: list[str]
) -> list[Realised]:
    """One row for each scored day whose label is known; what cannot be judged is noted."""
    found = []
    for run in by_day:
        if run.scored.matures > known.data_end:
            continue
        result = realised(
            run.scored,
            run.customers(),
            known.tables,
            data_end=known.data_end,
            treated=_treated(run, runs, known),
        )
        if result is None:
            notes.append(
                f"run {run.scored.run_id} as of {run.scored.as_of} cannot be judged: today's data "
                "hold none of its eligible customers"
            )
        else:
            found.append(result)
    return found


def _treated(run: PastRun, runs: Sequence[PastRun], known: Known) -> set[str]:
    """Ids of those who were treated from any list of that day."""
    if known.outcomes is None:
        return set()
    lists = {one.scored.run_id for one in runs if one.scored.as_of == run.scored.as_of}
    rows = known.outcomes
    treated = rows["list_id"].astype(str).isin(lists) & (rows["arm"] == TREAT)
    return set(rows.loc[treated, "customer_id"].astype(str))


def test_log_losses(references: Mapping[str, Reference]) -> dict[str, float]:
    """Of each version in its own test, where it is known."""
    found = references.items()
    return {name: one.test["log_loss"] for name, one in found if "log_loss" in one.test}


def write_monitored(run: RunFolder, watched: Watched) -> None:
    """Write the page and the numbers into the run's folder."""
    from patronage.report.monitor_page import write_monitor_page

    with run.step("page"):
        run.write_json(NUMBERS, {"run_id": run.run_id, **watched.to_dict()})
        write_monitor_page(run.path / PAGE, watched, run_id=run.run_id)
    run.manifest["alarms"] = [alarm.to_dict() for alarm in watched.alarms]
    run.manifest["scores_of"] = watched.newest.run_id


def told(run: RunFolder, watched: Watched) -> list[str]:
    """What was looked at, in a few lines."""
    newest = watched.newest
    scored = f"scores as of {newest.as_of} by model version {newest.model_version}"
    lines = [scored]
    if watched.scores is not None:
        features = counted(len(watched.features), "feature")
        lines.append(f"drift: scores PSI {watched.scores.psi:.2f}; {features} compared")
    for one in watched.judged[-1:]:
        lines.append(
            f"realised as of {one.as_of}: {one.predicted:.1%} were said to leave, {one.actual:.1%} "
            f"did; log loss {one.log_loss:.4f}"
        )
    if not watched.judged and watched.waiting:
        lines.append(
            f"no label is known yet; the first will be on {min(r.matures for r in watched.waiting)}"
        )
    lines += watched.notes
    lines.append(counted(len(watched.alarms), "alarm") if watched.alarms else "no alarm")
    return [*lines, str(run.path / PAGE)]
