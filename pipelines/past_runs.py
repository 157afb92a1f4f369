"""The runs that left scores: what each was asked, what it found, and where its scores are."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from patronage.errors import DataError
from patronage.models.snapshot_scorer import KIND as SNAPSHOT
from patronage.models.training_panel import PURCHASES, LabelRule
from patronage.pipelines.run_folder import read_manifest
from patronage.pipelines.score import CUSTOMERS, FEATURES_SEEN
from patronage.tracking.realised import ScoredRun
from patronage.tracking.versions import TrainedVersion
from patronage.tracking.volume import RunVolume

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PastRun:
    """A run with scores, in its folder."""

    folder: Path
    scored: ScoredRun
    volume: RunVolume
    learnt_from: bool = False
    """Of a snapshot: whether the model has learnt from the rows that were scored."""

    def customers(self) -> pd.DataFrame:
        """`customer_id`, `eligible`, `p_churn` and, of a log, `p_no_purchase` of everybody.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        names = ["customer_id", "eligible", "p_churn"]
        of_log = [] if self.scored.rule.label == SNAPSHOT else ["p_no_purchase"]
        return self._read(CUSTOMERS, [*names, *of_log])

    def features(self) -> pd.DataFrame:
        """The features of the eligible, with their `p_churn` and `p_no_purchase`.

        Raises
        ------
        DataError
            If a file cannot be read.
        """
        features, scores = self._read(FEATURES_SEEN, None), self.customers()
        scores = scores.drop(columns="eligible")
        twice = [name for name in scores if name in features and name != "customer_id"]
        return features.drop(columns=twice).merge(scores, on="customer_id")

    def _read(self, name: str, columns: list[str] | None) -> pd.DataFrame:
        try:
            return pd.read_parquet(self.folder / name, columns=columns)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.folder / name} cannot be read: {str(error).splitlines()[0]} Move the "
                "folder away, or score that day anew: patronage score --as-of "
                f"{self.scored.as_of}"
            ) from error


def past_runs(outputs: Path) -> list[PastRun]:
    """Runs that left scores, in the order of their days.

    A folder whose manifest cannot be read is passed over with a warning.
    """
    found = (_past_run(file.parent) for file in sorted(outputs.glob(f"[!.]*/{CUSTOMERS}")))
    known = [run for run in found if run is not None]
    return sorted(known, key=lambda run: (run.scored.as_of, run.scored.run_id))


def one_a_day(runs: Iterable[PastRun]) -> list[PastRun]:
    """Of several runs as of one day the latest, those by a model of a later day last of all."""
    by_day: dict[date, PastRun] = {}
    for run in sorted(runs, key=lambda run: (not run.scored.hindsight, run.scored.run_id)):
        by_day[run.scored.as_of] = run
    return [by_day[day] for day in sorted(by_day)]


def with_models(
    runs: Iterable[PastRun], versions: Mapping[str, TrainedVersion | None]
) -> list[PastRun]:
    """The same runs, each with the day that its model was trained for."""
    return [replace(run, scored=_with_model(run.scored, versions)) for run in runs]


def _with_model(run: ScoredRun, versions: Mapping[str, TrainedVersion | None]) -> ScoredRun:
    trained = versions.get(run.model_version)
    facts = {**vars(run), "model_as_of": None if trained is None else trained.as_of}
    return ScoredRun(**facts)


def _past_run(folder: Path) -> PastRun | None:
    if folder.is_symlink():  # latest
        return None
    try:
        manifest = read_manifest(folder)
        settings, as_of = manifest["settings"], date.fromisoformat(manifest["as_of"])
        scored = ScoredRun(
            run_id=str(manifest["run_id"]),
            as_of=as_of,
            model_version=str(manifest["model_version"]),
            rule=_rule(settings),
        )
        learnt_from = bool(manifest.get("counts", {}).get("scored", {}).get("learnt_from"))
        return PastRun(folder, scored, _volume(manifest, scored), learnt_from)
    except (OSError, ValueError, KeyError, TypeError) as error:
        name = type(error).__name__
        log.warning("%s is passed over: its manifest cannot be used: %s %s", folder, name, error)
        return None


def _rule(settings: Mapping[str, Any]) -> LabelRule:
    churn = settings["churn"]
    label = churn.get("label", PURCHASES)
    if label == SNAPSHOT:  # of all its terms it has but the horizon, if there is time
        return LabelRule(active_days=1, horizon_days=churn["horizon_days"] or 0, label=label)
    return LabelRule(
        active_days=settings["features"]["active_days"],
        horizon_days=churn["horizon_days"],
        lead_days=churn["lead_days"],
        label=label,
        grace_days=churn.get("grace_days", 0),
    )


def _volume(manifest: Mapping[str, Any], run: ScoredRun) -> RunVolume:
    counts = manifest.get("counts", {})
    scored = counts.get("scored", {})
    return RunVolume(
        run_id=run.run_id,
        as_of=run.as_of,
        transactions=counts.get("transactions", {}).get("rows_kept"),
        customers=scored.get("customers"),
        eligible=scored.get("eligible"),
    )
