"""Training on a snapshot: split, leaks, model, judgement on other rows, registration, gate."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from patronage.data.snapshot import DAY, LABEL, VALUE, Snapshot
from patronage.errors import DataError
from patronage.models.churn import ChurnModel
from patronage.models.churn_evaluation import OURS, Evaluation
from patronage.models.equal_rows import kept_to_judge
from patronage.models.leakage_probes import Suspicion
from patronage.models.panel_matrix import changed_kinds
from patronage.models.snapshot_evaluation import BASE_RATE, REGRESSION, evaluate_snapshot
from patronage.models.snapshot_probes import snapshot_suspicions
from patronage.models.snapshot_scorer import SnapshotScorer
from patronage.models.time_folds import mature_at
from patronage.pipelines.progress import tuning_progress
from patronage.pipelines.run_folder import RunFolder
from patronage.snapshot_settings import SnapshotSettings
from patronage.tracking.champion import LoadedModel
from patronage.tracking.gate import NEGLIGIBLE, Money, Verdict, judge
from patronage.tracking.registry import settle
from patronage.tracking.snapshot_run import log_snapshot_training
from patronage.tracking.store import Store
from patronage.tracking.training_run import VALUE as VALUE_IF_KEPT
from patronage.tracking.training_run import Judged

log = logging.getLogger(__name__)
MOST_DAYS = 60
"""With more distinct days, rows are taken together by month."""
MONTH = 31


@dataclass(frozen=True)
class Split:
    """Rows to learn from and to judge by; `label_days` and `day` of the latter, if there is time.

    A label is known `label_days` after its row's day.
    """

    learn: pd.DataFrame
    test: pd.DataFrame
    label_days: int = 0
    day: date | None = None


def train_snapshot(
    settings: SnapshotSettings, snapshot: Snapshot, run: RunFolder, store: Store
) -> Verdict:
    """Train a challenger, register it, and make it champion if it passes the gate."""
    rows = snapshot.labelled
    _tell_shares(rows, run)
    with run.step("look for leaks"):
        found = snapshot_suspicions(rows, snapshot.features)
        features = _without_leaks(settings, snapshot.features, found)
    split = split_snapshot(rows, features, settings)
    limits = f"{settings.churn.trials} trials, none begun after {settings.churn.seconds:g} seconds"
    with run.step("tune and train", f"{len(split.learn):,} rows, {limits}"):
        churn = fit_snapshot(split, features, settings)
    with run.step("evaluate"):
        evaluation = evaluate_snapshot(churn, train=split.learn, test=split.test)
        judged = _judged(settings, churn, evaluation, split, found)
        _warn_if_a_regression_does(evaluation)
    with run.step("register"):
        scorer = SnapshotScorer(
            churn=churn,
            churned=settings.snapshot.churned,
            horizon_days=settings.churn.horizon_days,
            test_share=settings.churn.test_share,
        )
        kept = settings.model_dump(mode="json")
        registered = log_snapshot_training(store, scorer, judged, settings=kept, name=run.run_id)
    with run.step("gate"):
        verdict = settle(
            store,
            registered.version,
            lambda champion: _verdict(settings, scorer, judged, split, champion),
            promoting=settings.tracking.promote == "gate",
        )
    run.manifest["training"] = {
        "version": registered.version,
        "mlflow_run_id": registered.run_id,
        "gate": verdict.to_dict(),
        "waits": verdict.passed and settings.tracking.promote == "manual",
        "leakage": [one.to_dict() for one in found],
        "features": list(features),
        "left_out": dict(snapshot.left_out),
    }
    run.write_json("metrics.json", judged.metrics)
    log.info("version %s at the gate:\n%s", registered.version, verdict)
    return verdict


def split_snapshot(
    rows: pd.DataFrame, features: Sequence[str], settings: SnapshotSettings
) -> Split:
    """Keep rows to judge by: those of the newest day, or without time some that equal no other.

    Raises
    ------
    DataError
        If no label was known on the newest day, or one of both sides is empty.
    """
    if DAY not in rows:
        share, seed = settings.churn.test_share, settings.churn.seed
        test = kept_to_judge(rows[list(features)], share=share, seed=seed)
        if test.all() or not test.any():
            raise DataError(
                f"the {len(rows):,} rows of the snapshot are too much alike to be parted into rows "
                "to learn from and rows to judge by. Bring more customers or columns."
            )
        return Split(rows[~test].reset_index(drop=True), rows[test].reset_index(drop=True))
    dated, label_days = _by_period(rows, settings.churn.horizon_days or 0)
    days = dated[DAY].dt.date
    newest = max(days)
    known = mature_at(sorted(set(days)), day=newest, label_days=label_days)
    if not known:
        raise DataError(
            f"[snapshot] as_of: the newest day is {newest}, the oldest {min(days)}, and a label is "
            f"known {label_days} days after its day, so that nothing could be learnt by then. "
            "Bring rows of earlier days, or leave as_of out: rows are then judged by other rows."
        )
    learn, test = dated[days.isin(known)], dated[days == newest]
    return Split(
        learn.reset_index(drop=True), test.reset_index(drop=True), label_days=label_days, day=newest
    )


def _by_period(rows: pd.DataFrame, horizon_days: int) -> tuple[pd.DataFrame, int]:
    """The rows, by month where there are many days; and when a period's labels are all known."""
    if rows[DAY].nunique() <= MOST_DAYS:
        return rows, horizon_days
    months = rows[DAY].dt.to_period("M").dt.to_timestamp().astype("datetime64[s]")
    return rows.assign(**{DAY: months}), horizon_days + MONTH


def fit_snapshot(split: Split, features: Sequence[str], settings: SnapshotSettings) -> ChurnModel:
    """The model of the rows to learn from."""
    churn = settings.churn
    kept = [name for name in features if split.learn[name].notna().any()]
    model = ChurnModel(
        kept,
        label_days=split.label_days,
        trials=churn.trials,
        seconds=churn.seconds,
        seed=churn.seed,
    )
    with tuning_progress(churn.trials) as progress:
        return model.fit(split.learn, split.learn[LABEL], progress=progress)


def _tell_shares(rows: pd.DataFrame, run: RunFolder) -> None:
    """What share churned, of each day where there are days."""
    if not len(rows):
        raise DataError("the snapshot holds no row whose label is known; nothing can be learnt.")
    run.manifest["churned"] = {"rows": len(rows), "share": float(rows[LABEL].mean())}
    log.info("%s of %s customers churned", f"{rows[LABEL].mean():.1%}", f"{len(rows):,}")
    if DAY in rows:
        by_day = rows.groupby(rows[DAY].dt.date)[LABEL].mean()
        run.manifest["churned"]["by_day"] = {str(day): share for day, share in by_day.items()}


def _without_leaks(
    settings: SnapshotSettings, features: Sequence[str], found: Sequence[Suspicion]
) -> Sequence[str]:
    """The features to learn from, as [snapshot] leaks has it."""
    for one in found:
        log.warning("%s: %s", one.probe, one.text)
    names = [one.feature for one in found]
    if not names or settings.snapshot.leaks == "warn":
        return features
    if settings.snapshot.leaks == "refuse":
        raise DataError(
            f"[snapshot] leaks: {', '.join(names)} look as if they knew the label:\n"
            + "\n".join(f"  {one.text}" for one in found)
        )
    kept = [name for name in features if name not in names]
    if not kept:
        raise DataError(
            f"[snapshot] leaks: all columns look as if they knew the label: {', '.join(names)}."
        )
    log.warning("left out: %s", ", ".join(names))
    return kept


def _warn_if_a_regression_does(evaluation: Evaluation) -> None:
    """Say so where a plain regression foretells better: trees need more customers than it does."""
    ours, theirs = (evaluation.metrics[name]["log_loss"] for name in (OURS, REGRESSION))
    if ours is not None and theirs is not None and theirs < ours - NEGLIGIBLE:
        log.warning(
            "a logistic regression on the same columns has a log loss of %.4f, the model %.4f: "
            "with few customers, or effects that add up, it may be the better choice",
            theirs,
            ours,
        )


def _judged(
    settings: SnapshotSettings,
    churn: ChurnModel,
    evaluation: Evaluation,
    split: Split,
    found: Sequence[Suspicion],
) -> Judged:
    scores = evaluation.scores
    if VALUE in split.test:
        scores = scores.assign(**{VALUE_IF_KEPT: split.test[VALUE]})
    metrics: dict[str, Any] = {
        "test": {
            "as_of": None if split.day is None else str(split.day),
            **evaluation.to_dict(),
        },
        "train": {
            "rows": len(split.learn),
            "churn_rate": float(split.learn[LABEL].mean()),
            "trials": len(churn.tuned_.trials),
            "params": {**churn.tuned_.params, "n_trees": churn.tuned_.n_trees},
            "start": churn.start_.to_dict(),
            "calibration": churn.calibration_.to_dict(),
            "importance": _importance(churn, split.test),
        },
        "leakage": [one.to_dict() for one in found],
    }
    return Judged(scores=scores, tracking=pd.DataFrame({"week": []}), metrics=metrics)


def _importance(churn: ChurnModel, test: pd.DataFrame) -> dict[str, float]:
    """Each feature's share in the contributions to the log-odds of the test rows."""
    sizes = churn.contributions(test.head(2_000)).abs().mean()
    total = float(sizes.sum())
    shares = (sizes / total if total else sizes).sort_values(ascending=False)
    return {str(name): round(float(share), 6) for name, share in shares.items()}


def _verdict(
    settings: SnapshotSettings,
    scorer: SnapshotScorer,
    judged: Judged,
    split: Split,
    champion: LoadedModel | None,
) -> Verdict:
    """Ahead of the base rate, and the champion not better beyond chance."""
    scores, retention = judged.scores, settings.retention
    fair = None if champion is None else _if_fair(champion, scorer, split)
    money = None
    if retention is not None and VALUE_IF_KEPT in scores:
        money = Money(scores[VALUE_IF_KEPT], retention.actions)
    lowest, highest = settings.tracking.calibration_slope
    return judge(
        scores[LABEL],
        scores[OURS],
        to_beat={BASE_RATE: scores[BASE_RATE]},
        champion=None if fair is None else fair.churn.predict_proba(split.test),
        money=money,
        slopes=(lowest, highest),
    )


def _if_fair(champion: LoadedModel, ours: SnapshotScorer, split: Split) -> SnapshotScorer | None:
    theirs = champion.snapshot_scorer
    reason = theirs.unfair_to(ours, split.day)
    missing = sorted(set(theirs.columns) - set(split.test))
    reason = reason or (f"it needs {', '.join(missing)}" if missing else None)
    if reason is None:
        changed = changed_kinds(split.test, theirs.columns, theirs.churn.categories_)
        reason = f"of another kind now: {'; '.join(changed)}" if changed else None
    if reason:
        log.warning("champion %s is not compared: %s", champion.version, reason)
        return None
    return theirs
