"""All that one look at a model finds, and what of it calls for somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from patronage.config import MonitorSection
from patronage.models.snapshot_scorer import KIND as SNAPSHOT
from patronage.tracking.alarms import (
    Alarm,
    drift_alarms,
    realised_alarms,
    save_alarms,
    volume_alarms,
)
from patronage.tracking.drift import Drift
from patronage.tracking.realised import Realised, ScoredRun
from patronage.tracking.reference import Reference
from patronage.tracking.save_rate import ListOutcome
from patronage.tracking.volume import Period, RunVolume, change_of_purchases


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What `patronage monitor` found.

    Parameters
    ----------
    newest
        The newest scored run, whose customers are compared with training; `eligible` of them.
    champion
        The version that is champion now, if there is one.
    reference
        Of the version that scored them; None if it kept none, and then `scores` is None and
        `features` is empty.
    p_churn
        Of the eligible customers of the newest run.
    periods, runs, transactions
        Volume: four-week periods, scored days, and rows that the data hold now.
    judged
        Realised quality by day, oldest first; `waiting` are the runs whose label is not known yet.
    test_log_loss
        Of each version in its own test, where it is known.
    lists
        What came of the lists; None without a table of outcomes.
    notes
        What could not be looked at, in words.
    """

    newest: ScoredRun
    data_end: date
    eligible: int
    champion: str | None
    reference: Reference | None
    scores: Drift | None
    features: Sequence[Drift]
    p_churn: pd.Series
    periods: Sequence[Period]
    runs: Sequence[RunVolume]
    transactions: int
    judged: Sequence[Realised]
    waiting: Sequence[ScoredRun]
    test_log_loss: Mapping[str, float]
    lists: Sequence[ListOutcome] | None
    notes: Sequence[str]
    limits: MonitorSection

    @property
    def of_snapshot(self) -> bool:
        """Whether what was scored are rows of a table rather than customers of a log."""
        return self.newest.rule.label == SNAPSHOT

    @property
    def alarms(self) -> list[Alarm]:
        """What calls for somebody, drift first."""
        limits, found = self.limits, list[Alarm]()
        if self.scores is not None:
            found += drift_alarms(self.scores, self.features, limits, customers=self.eligible)
        found += volume_alarms(self.periods, self.runs, limits, transactions=self.transactions)
        for newest in self.judged[-1:]:
            found += realised_alarms(newest, limits)
        return [*found, *save_alarms(self.lists or ())]

    @property
    def weighted_psi(self) -> float | None:
        """Mean PSI of the features, each weighted by its importance; None without a reference."""
        weight = sum(one.importance for one in self.features)
        if not weight:
            return None
        return sum(one.importance * one.psi for one in self.features) / weight

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "scored_run": self.newest.run_id,
            "scored_as_of": self.newest.as_of,
            "model_version": self.newest.model_version,
            "champion": self.champion,
            "data_end": self.data_end,
            "eligible": self.eligible,
            "alarms": [one.to_dict() for one in self.alarms],
            "scores": None if self.scores is None else self.scores.to_dict(),
            "weighted_psi": self.weighted_psi,
            "features": [one.to_dict() for one in self.features],
            "volume": {
                "transactions": self.transactions,
                "change_of_purchases": change_of_purchases(self.periods),
                "four_weeks": [one.to_dict() for one in self.periods],
                "runs": [one.to_dict() for one in self.runs],
            },
            "realised": [one.to_dict() for one in self.judged],
            "waiting": [
                {"run_id": one.run_id, "as_of": one.as_of, "matures": one.matures}
                for one in self.waiting
            ],
            "test_log_loss": dict(self.test_log_loss),
            "lists": None if self.lists is None else [one.to_dict() for one in self.lists],
            "notes": list(self.notes),
            "limits": self.limits.model_dump(mode="json"),
        }
