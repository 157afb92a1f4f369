"""One training run in MLflow: what went in, what came out, and the version that it registered."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from patronage.errors import DataError
from patronage.models.churn import ChurnModel
from patronage.models.further_horizons import FURTHER
from patronage.models.scorer import CustomerScorer
from patronage.models.seasonal_model import SeasonalModel
from patronage.models.snapshot_scorer import SnapshotScorer
from patronage.retention.judged_money import money_figures
from patronage.tracking.reference import REFERENCE_FILE, Reference
from patronage.tracking.store import MODEL, Store, lock_on, quiet_mlflow

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.models import ModelSignature

CODE = Path(__file__).parent / "pyfunc_model.py"
REQUIREMENTS = ("lightgbm", "numpy", "pandas", "patronage", "scikit-learn", "scipy")
SCORES_FILE = "test_scores.parquet"
TRACKING_FILE = "purchase_tracking.parquet"
METRICS_FILE = "metrics.json"
VALUE = "value_if_kept"  # among the scores


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How a training run's models did, out of time.

    `scores` holds the test customers' labels and scores by every model, and their value_if_kept as
    of the test cutoff where it is known; `tracking` purchases by week against expectation;
    `metrics` all figures, the test's under test.models.<name>.
    """

    scores: pd.DataFrame
    tracking: pd.DataFrame
    metrics: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """Everything a training run leaves behind; `panel` and `test` are the labelled rows."""

    scorer: CustomerScorer
    panel: pd.DataFrame
    test: pd.DataFrame
    judged: Judged
    settings: Mapping[str, Any]
    tags: Mapping[str, str]
    versions: Mapping[str, str]
    figures: Mapping[str, "Figure"] = field(default_factory=dict)
    catalogue: Sequence[Mapping[str, Any]] = ()
    """What each feature of the panel is: name, family, unit, window, meaning, null."""


@dataclass(frozen=True)
class Registered:
    """A version of the registered model and the run that made it."""

    version: str
    run_id: str
    model_id: str


def log_training(store: Store, record: TrainingRecord, *, name: str) -> Registered:
    """Log the run and register its model as a new version without an alias."""
    with quiet_mlflow(), started(store, name) as run_id:
        import mlflow

        mlflow.set_tags(dict(record.tags))
        churn = record.scorer.churn
        log_inputs(record.settings, record.versions, churn, record.figures)
        mlflow.log_dict({"features": list(record.catalogue)}, "features.json")
        if "tuning" in record.judged.metrics:
            mlflow.log_metrics(_gain(record.judged.metrics["tuning"]))
        reference = Reference.of(churn, record.panel, record.test)
        mlflow.log_dict(reference.to_dict(), REFERENCE_FILE)
        with lock_on(store.folder, "registry"):
            registered = register(record.scorer, CODE, _signature(record.scorer), run_id)
        _log_data(record, registered.model_id)
        log_judged(record.judged)
    return registered


def judgement_of(store: Store, run_id: str) -> Judged:
    """What a training run logged about its models.

    Raises
    ------
    DataError
        If MLflow has lost it.
    """
    with quiet_mlflow(), TemporaryDirectory() as folder:
        from mlflow import MlflowException

        def fetched(file: str) -> Path:
            return Path(store.client.download_artifacts(run_id, file, folder))

        try:
            return Judged(
                scores=pd.read_parquet(fetched(SCORES_FILE)),
                tracking=pd.read_parquet(fetched(TRACKING_FILE)),
                metrics=json.loads(fetched(METRICS_FILE).read_text()),
            )
        except (MlflowException, OSError, ValueError) as error:
            raise DataError(
                f"the files of MLflow run {run_id} cannot be read: {str(error).splitlines()[0]} "
                "Train anew: patronage run"
            ) from error


@contextmanager
def started(store: Store, name: str) -> Iterator[str]:
    """Open a run of MLflow's; gives its id."""
    import mlflow

    with mlflow.start_run(experiment_id=store.experiment_id, run_name=name) as run:
        yield str(run.info.run_id)


def log_inputs(
    settings: Mapping[str, Any],
    versions: Mapping[str, str],
    churn: ChurnModel,
    figures: Mapping[str, "Figure"],
) -> None:
    """Keep with the open run its settings, releases, trials and plots."""
    import mlflow

    mlflow.log_params(flat(settings))
    mlflow.log_dict(dict(settings), "settings.json")
    mlflow.log_dict(dict(versions), "versions.json")
    mlflow.log_dict({"trials": churn.tuned_.trials}, "trials.json")
    for file, figure in figures.items():
        mlflow.log_figure(figure, f"plots/{file}.png")


def register(
    scorer: CustomerScorer | SnapshotScorer, code: Path, signature: "ModelSignature", run_id: str
) -> Registered:
    """Log the scorer as a model with the code that loads it, and register it as a new version."""
    import mlflow

    with TemporaryDirectory() as folder:
        logged = mlflow.pyfunc.log_model(
            name=MODEL,
            python_model=str(code),
            artifacts=scorer.save(Path(folder)),
            signature=signature,
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
            registered_model_name=MODEL,
        )
    return Registered(str(logged.registered_model_version), run_id, str(logged.model_id))


def _signature(scorer: CustomerScorer) -> "ModelSignature":
    """Features may be missing (NaN); MLflow calls such columns optional."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    texts = scorer.churn.categories_
    inputs = [ColSpec("string", "customer_id"), ColSpec("boolean", "eligible")]
    if isinstance(scorer.value.purchases_, SeasonalModel):
        inputs.append(ColSpec("datetime", "as_of"))
    features = [
        ColSpec("string" if name in texts else "double", name, required=False)
        for name in scorer.columns
    ]
    outputs = [ColSpec("double", name, required=False) for name in scorer.scores]
    return ModelSignature(inputs=Schema([*inputs, *features]), outputs=Schema([*outputs]))


def _log_data(record: TrainingRecord, model_id: str) -> None:
    """One data set per cutoff; the test metrics are linked to model and test data."""
    import mlflow

    from patronage.tracking.panel_dataset import PanelDataset

    for _, rows in record.panel.groupby("as_of"):
        mlflow.log_input(PanelDataset(rows), context="training")
    test = PanelDataset(record.test)
    mlflow.log_input(test, context="test")
    log_test_metrics(record.judged.metrics["test"], model_id, dataset=test)
    further = record.judged.metrics.get(FURTHER, {})
    mlflow.log_metrics(dict(_of_horizons(further)), model_id=model_id)  # other rows, in part


def log_test_metrics(test: Mapping[str, Any], model_id: str, **data: Any) -> None:
    """Log each score's quality, and in money where it is known; `dataset` names the rows."""
    import mlflow

    for name, metrics in test["models"].items():
        known = {f"{name}.{key}": value for key, value in metrics.items() if value is not None}
        mlflow.log_metrics(known, model_id=model_id, **data)
    if "money" in test:
        money = dict(money_figures(test["money"]))
        named = {f"money.{_metric_name(name)}": value for name, value in money.items()}
        mlflow.log_metrics(named, model_id=model_id, **data)


def _of_horizons(further: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Each metric of each score, such as patronage.log_loss_30d."""
    for days, one in further.items():
        for name, metrics in one["models"].items():
            for key, value in metrics.items():
                if value is not None:
                    yield f"{name}.{key}_{days}d", value


def _metric_name(text: str) -> str:
    """With an underscore for what MLflow does not take in the name of a metric."""
    return re.sub(r"[^\w.\- :]", "_", text.replace("%", ""))


def log_judged(judged: Judged) -> None:
    """Keep with the open run how its model did."""
    import mlflow

    with TemporaryDirectory() as folder:
        judged.scores.to_parquet(Path(folder) / SCORES_FILE, index=False)
        judged.tracking.to_parquet(Path(folder) / TRACKING_FILE, index=False)
        mlflow.log_artifacts(folder)
    mlflow.log_dict(dict(judged.metrics), METRICS_FILE)


def _gain(tuning: Mapping[str, Any]) -> dict[str, float]:
    """Log loss of default and tuned parameters, on the folds and out of time."""
    return {
        f"tuning.{rows}.{which}": tuning[rows][which]
        for rows in ("folds", "test")
        for which in ("untuned", "tuned")
    }


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as section.key, for MLflow's parameters."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = str(value)
    return found
