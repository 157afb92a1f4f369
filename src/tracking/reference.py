"""What a version was trained on, in numbers small enough to be kept with it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import pandas as pd

from patronage.errors import DataError
from patronage.models.churn import ChurnModel
from patronage.models.evaluation import probability_metrics
from patronage.tracking.column_profile import ColumnProfile, CutoffProfile
from patronage.tracking.stability import population_stability_index
from patronage.tracking.store import Store, quiet_mlflow

REFERENCE_FILE = "reference.json"
EXPLAINED = 1_000
"""Test customers whose contributions weigh the features."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The training rows that a version has learned from, and its scores out of time.

    Parameters
    ----------
    rows, customers
        Of the training rows; a customer has one row for each cutoff.
    cutoffs
        Those of training and, last, the test cutoff, whose rows are not among `rows`.
    columns
        A profile of each input of the churn model, `p_no_purchase` among them.
    importance
        Of each of them, adding up to 1: mean size of its contribution to the log-odds of the test
        customers.
    scores, score_rows
        Profile of p_churn of the test customers, which nothing was fitted on, and their number.
        Its `cutoffs` are the model's scores of its own training rows and, last, of the test's.
    test
        `log_loss`, `auc` and the other metrics of p_churn there.
    """

    rows: int
    customers: int
    cutoffs: Sequence[date]
    columns: Mapping[str, ColumnProfile]
    importance: Mapping[str, float]
    scores: ColumnProfile
    score_rows: int
    test: Mapping[str, float]

    @classmethod
    def of(cls, churn: ChurnModel, learn: pd.DataFrame, test: pd.DataFrame) -> Self:
        """The reference of a fitted model.

        Parameters
        ----------
        churn
            The model.
        learn, test
            Its training rows, and those that it was judged by: `customer_id`, `as_of`, features,
            `churned`.
        """
        scores = churn.predict_proba(test)
        metrics = probability_metrics(test["churned"], scores)
        names = churn.inputs
        days = [*(rows for _, rows in learn.groupby("as_of")), test]
        return cls(
            rows=len(learn),
            customers=int(learn["customer_id"].nunique()),
            cutoffs=[rows["as_of"].iloc[0].date() for rows in days],
            columns={name: _profile(name, learn, days) for name in names},
            importance=_importance(churn, test, names),
            scores=_score_profile(churn, days[:-1], scores),
            score_rows=len(scores),
            test={name: value for name, value in metrics.items() if isinstance(value, float)},
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **vars(self),
            "cutoffs": [str(day) for day in self.cutoffs],
            "columns": {name: column.to_dict() for name, column in self.columns.items()},
            "scores": self.scores.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The reference that `to_dict` described."""
        columns = content["columns"].items()
        read = {
            "cutoffs": [date.fromisoformat(day) for day in content["cutoffs"]],
            "columns": {name: ColumnProfile.from_dict(column) for name, column in columns},
            "scores": ColumnProfile.from_dict(content["scores"]),
        }
        return cls(**{**content, **read})


def reference_or_none(store: Store, run_id: str) -> Reference | None:
    """What a training run logged of its rows; None if an earlier release, which kept none, did it.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    with quiet_mlflow(), TemporaryDirectory() as folder:
        from mlflow import MlflowException

        try:
            files = {one.path for one in store.client.list_artifacts(run_id)}
            if REFERENCE_FILE not in files:
                return None
            path = store.client.download_artifacts(run_id, REFERENCE_FILE, folder)
            return Reference.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except (MlflowException, OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{REFERENCE_FILE} of MLflow run {run_id} cannot be read: "
                f"{str(error).splitlines()[0]} Train anew: patronage train"
            ) from error


def _profile(name: str, learn: pd.DataFrame, days: Sequence[pd.DataFrame]) -> ColumnProfile:
    profile = ColumnProfile.of(learn[name])
    then = profile.counts(learn[name])
    return replace(profile, cutoffs=[_cutoff(profile, then, rows[name]) for rows in days])


def _score_profile(
    churn: ChurnModel, days: Sequence[pd.DataFrame], scores: pd.Series
) -> ColumnProfile:
    profile = ColumnProfile.of(scores)
    then = profile.counts(scores)
    by_day = [*(churn.predict_proba(rows) for rows in days), scores]
    return replace(profile, cutoffs=[_cutoff(profile, then, p_churn) for p_churn in by_day])


def _cutoff(profile: ColumnProfile, then: Any, column: pd.Series) -> CutoffProfile:
    now = profile.counts(column)
    level = profile.level(column)
    return CutoffProfile(
        psi=round(population_stability_index(then, now), 6),
        level=None if level is None else round(level, 6),
        null_share=round(float(now[-1] / now.sum()), 6),
    )


def _importance(churn: ChurnModel, test: pd.DataFrame, names: list[str]) -> dict[str, float]:
    some = test if len(test) <= EXPLAINED else test.sample(EXPLAINED, random_state=0)
    sizes = churn.contributions(some).abs().mean().reindex(names).fillna(0.0)
    return {str(name): float(share) for name, share in (sizes / max(sizes.sum(), 1e-12)).items()}
