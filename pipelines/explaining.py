"""What a trained model goes by and where it is weak, for whoever reads its report or its card."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from patronage.features.feature import Feature
from patronage.features.value_model import FEATURES as VALUE_FEATURES
from patronage.models.churn import ChurnModel
from patronage.models.churn_evaluation import OURS, Evaluation
from patronage.models.importance import permutation_importance
from patronage.models.metric_intervals import metric_intervals
from patronage.models.panel_matrix import is_text
from patronage.models.partial_dependence import partial_dependence
from patronage.models.segments import segments

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPENDENCES = 6


def explanations(
    churn: ChurnModel,
    learn: pd.DataFrame,
    test: pd.DataFrame,
    evaluation: Evaluation,
    features: Iterable[Feature],
) -> dict[str, Any]:
    """What a training run's metrics say besides figures of quality, for JSON.

    Parameters
    ----------
    learn, test
        The labelled rows that trained, and those of the test cutoff.
    features
        Those of the panel, the model's among them.

    Returns
    -------
    dict
        `intervals` of the metrics, `segments`, `cutoffs` with their share of churn, and
        `explained`: see `explained`.
    """
    scores, labels = evaluation.scores, test["churned"]
    return {
        "intervals": metric_intervals(labels, scores[list(evaluation.metrics)]),
        "segments": [one.to_dict() for one in segments(test, scores[OURS], churn.categories_)],
        "cutoffs": [*_cutoffs(learn, test=False), *_cutoffs(test, test=True)],
        "explained": explained(churn, test, features),
    }


def explained(churn: ChurnModel, test: pd.DataFrame, features: Iterable[Feature]) -> dict[str, Any]:
    """`inputs`, `importance` and `dependence` of a model on its test rows, for JSON.

    Parameters
    ----------
    test
        Rows of the test cutoff, with `churned`.
    features
        Those of the panel, the model's among them.
    """
    inputs = _inputs(churn, test, features)
    families = {name: one["family"] for name, one in inputs.items()}
    importance = permutation_importance(churn, test, families)
    first = [one.name for one in importance.features if one.increase > 0][:DEPENDENCES]
    return {
        "inputs": inputs,
        "importance": importance.to_dict(),
        "dependence": [one.to_dict() for one in partial_dependence(churn, test, first)],
    }


def _cutoffs(panel: pd.DataFrame, *, test: bool) -> Iterator[dict[str, Any]]:
    for day, rows in panel.groupby("as_of")["churned"]:
        yield {
            "as_of": str(pd.Timestamp(str(day)).date()),
            "customers": len(rows),
            "churn_share": float(rows.mean()),
            "test": test,
        }


def explaining_figures(found: Mapping[str, Any]) -> dict[str, "Figure"]:
    """The plots that MLflow keeps, of what `explained` found."""
    from patronage.report.dependence_chart import dependence_chart
    from patronage.report.explained import plain_words
    from patronage.report.importance_chart import importance_chart

    words = plain_words(found["inputs"])
    figures = {"importance": importance_chart(found["importance"], words)}
    if found["dependence"]:
        figures["dependence"] = dependence_chart(found["dependence"], words)
    return figures


def _inputs(
    churn: ChurnModel, test: pd.DataFrame, features: Iterable[Feature]
) -> dict[str, Mapping[str, Any]]:
    """What each input is in words, and what is usual among the test customers."""
    known = {one.name: one for one in (*features, *VALUE_FEATURES)}
    return {
        name: {
            "family": known[name].family,
            "plain": known[name].plain,
            "unit": known[name].unit,
            "usual": _usual(test[name]),
        }
        for name in churn.inputs
    }


def _usual(column: pd.Series) -> float | str | None:
    """The median, of texts the most frequent; None where nobody has a value."""
    given = column.dropna()
    if given.empty:
        return None
    return str(given.astype(str).mode()[0]) if is_text(column) else float(given.median())
