"""The registered model as it is loaded: the champion, or a version by its number."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from patronage.errors import DataError, ReleaseError
from patronage.models.panel_matrix import changed_kinds
from patronage.models.scorer import CustomerScorer
from patronage.models.seasonal_model import SeasonalModel
from patronage.models.snapshot_scorer import SnapshotScorer
from patronage.tracking.gate import CHAMPION
from patronage.tracking.store import MODEL, Store, quiet_mlflow

log = logging.getLogger(__name__)
Scorer = TypeVar("Scorer", CustomerScorer, SnapshotScorer)


@dataclass(frozen=True)
class LoadedModel:
    """A registered version, loaded through MLflow."""

    version: str
    run_id: str
    pyfunc: Any

    @property
    def scorer(self) -> CustomerScorer:
        """The scorer inside; raises DataError if it is that of a snapshot."""
        return self._scorer_of(CustomerScorer, "a snapshot, not on transactions")

    @property
    def snapshot_scorer(self) -> SnapshotScorer:
        """The scorer of a snapshot inside; raises DataError if it is none."""
        return self._scorer_of(SnapshotScorer, "transactions, not on a snapshot")

    def _scorer_of(self, kind: type[Scorer], otherwise: str) -> Scorer:
        found = self.pyfunc.unwrap_python_model().scorer
        if not isinstance(found, kind):
            raise DataError(
                f"model version {self.version} was trained on {otherwise}. Give each project a "
                'registry of its own: [tracking] folder = "..."'
            )
        return found

    def missing(self, features: pd.DataFrame) -> Sequence[str]:
        """Columns that the model needs and that are not there."""
        return [name for name in self._wanted if name not in features]

    @property
    def _is_dated(self) -> bool:
        return isinstance(self.scorer.value.purchases_, SeasonalModel)

    @property
    def _wanted(self) -> list[str]:
        dated = ["as_of"] if self._is_dated else []
        return ["customer_id", "eligible", *self.scorer.columns, *dated]

    def score(self, features: pd.DataFrame) -> pd.DataFrame:
        """Score customers by the registered model, after a check of the columns in plain words.

        Raises
        ------
        ReleaseError
            If a feature is missing: MLflow would let an optional column pass unseen.
        DataError
            If numbers have become texts, or texts numbers.
        """
        missing = self.missing(features)
        if missing:
            raise ReleaseError(
                f"model version {self.version} needs features that are not there "
                f"({len(missing)}): {', '.join(missing)}. It was trained with other tables or "
                "columns, or by another release: bring them back, or train anew: patronage train"
            )
        churn = self.scorer.churn
        changed = changed_kinds(features, churn.features, churn.categories_)
        if changed:
            raise DataError(
                f"model version {self.version} takes features that are of another kind now: "
                f"{'; '.join(changed)}. Say what their columns are, [customers] numbers = [...] or "
                "texts = [...], mend the export, or train anew: patronage train"
            )
        texts = dict.fromkeys(churn.categories_, object)
        asked = features[self._wanted].astype(texts)
        if self._is_dated:
            asked = asked.assign(as_of=pd.to_datetime(asked["as_of"]))
        with quiet_mlflow():
            scores: pd.DataFrame = self.pyfunc.predict(asked)
        return scores


def load_champion(store: Store) -> LoadedModel:
    """Load models:/patronage@champion.

    Raises
    ------
    DataError
        If no version is champion yet, or its files are not there.
    ReleaseError
        If it was written by another release.
    """
    loaded = champion_or_none(store)
    if loaded is None:
        raise DataError("there is no champion model yet. Train one: patronage train")
    return loaded


def champion_or_none(store: Store) -> LoadedModel | None:
    """Load the champion, if there is one; raises as `load_champion` does."""
    with quiet_mlflow():
        version = version_of(store, CHAMPION)
    return None if version is None else _loaded(version)


def usable_champion(store: Store, *, telling: bool = True) -> LoadedModel | None:
    """The champion for a training run: none, and a warning, where another release wrote it."""
    try:
        return champion_or_none(store)
    except ReleaseError as error:
        if telling:
            log.warning("the champion is not compared with: %s", error)
        return None


def load_version(store: Store, version: str) -> LoadedModel:
    """Load the registered version of that number."""
    with quiet_mlflow():
        found = store.client.get_model_version(MODEL, version)
    return _loaded(found)


def _loaded(version: Any) -> LoadedModel:
    """The model of that number: its alias may have moved on since it was looked up."""
    with quiet_mlflow():
        import mlflow

        try:
            pyfunc = mlflow.pyfunc.load_model(f"models:/{MODEL}/{version.version}")
        except (mlflow.MlflowException, OSError) as error:
            raise DataError(
                f"model version {version.version} cannot be loaded: {str(error).splitlines()[0]} "
                "MLflow keeps absolute paths: if the project's folder was moved, move it back, or "
                "name another [tracking] folder and train anew: patronage run"
            ) from error
        except Exception as error:  # the version's own code has run: it may raise anything
            raise ReleaseError(
                f"model version {version.version} was written by another release of patronage, or "
                f"is damaged: this release cannot read it ({_first_line(error)}). Train anew: "
                "patronage run, or patronage train"
            ) from error
    return LoadedModel(str(version.version), str(version.run_id), pyfunc)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def version_of(store: Store, alias: str) -> Any | None:
    """The version behind an alias, or None while there is no model or no such alias."""
    from mlflow.exceptions import MlflowException

    try:
        return store.client.get_model_version_by_alias(MODEL, alias)
    except MlflowException:
        return None
