"""What a trained model goes by and where it is weak, for whoever reads its report or its card."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from patronage.features.feature import Feature
from patronage.features.value_model import FEATURES as VALUE_FEATURES
from patronage.models.churn import ChurnModel
from patronage.models.churn_evaluation import OURS, Evaluation
from patronage.models.column_levels import column_levels, level_places
from patronage.models.importance import permutation_importance
from patronage.models.like_columns import like_columns
from patronage.models.metric_intervals import metric_intervals
from patronage.models.panel_matrix import is_text
from patronage.models.partial_dependence import partial_dependence
from patronage.models.segments import by_category, kinds, segments
from patronage.retention.column_reasons import level_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPENDENCES = 6
Inputs = Mapping[str, Mapping[str, Any]]


def explanations(
    churn: ChurnModel,
    learn: pd.DataFrame,
    test: pd.DataFrame,
    evaluation: Evaluation,
    inputs: Inputs,
    divisions: Iterable[tuple[str, pd.Series]],
) -> dict[str, Any]:
    """What a training run's metrics say besides figures of quality, for JSON.

    Parameters
    ----------
    learn, test
        The labelled rows that trained, and those kept to judge by.
    inputs
        What each input of the model is in words: see `panel_inputs` and `column_inputs`.
    divisions
        Kinds of customer to judge by themselves: see `segments`.

    Returns
    -------
    dict
        `intervals` of the metrics, `segments`, `cutoffs` with their share of churn, and
        `explained`: see `explained`.
    """
    scores, labels = evaluation.scores, test["churned"]
    return {
        "intervals": metric_intervals(labels, scores[list(evaluation.metrics)]),
        "segments": [one.to_dict() for one in segments(test, scores[OURS], divisions)],
        "cutoffs": [*_cutoffs(learn, test=False), *_cutoffs(test, test=True)],
        "explained": explained(churn, test, inputs),
    }


def explained(churn: ChurnModel, test: pd.DataFrame, inputs: Inputs) -> dict[str, Any]:
    """`inputs`, `importance` and `dependence` of a model on its test rows, for JSON.

    Parameters
    ----------
    test
        Rows that the model has not seen, with `churned`.
    inputs
        What each input of the model is in words.
    """
    families = {name: one["family"] for name, one in inputs.items()}
    importance = permutation_importance(churn, test, families)
    first = [one.name for one in importance.features if one.increase > 0][:DEPENDENCES]
    return {
        "inputs": dict(inputs),
        "importance": importance.to_dict(),
        "dependence": [one.to_dict() for one in partial_dependence(churn, test, first)],
    }


def _cutoffs(panel: pd.DataFrame, *, test: bool) -> Iterator[dict[str, Any]]:
    if "as_of" not in panel:
        return
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


def panel_inputs(churn: ChurnModel, test: pd.DataFrame, features: Iterable[Feature]) -> Inputs:
    """What each input of a panel is in words, and what is usual among the test customers.

    Parameters
    ----------
    features
        Those of the panel, the model's among them.
    """
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


def column_inputs(churn: ChurnModel, learn: pd.DataFrame) -> Inputs:
    """What each column of a snapshot is: its family, what is usual, and who left at which values.

    Parameters
    ----------
    learn
        The rows that trained, with `churned`.
    """
    families = like_columns(learn, churn.features)
    left = float(learn["churned"].mean())
    return {
        name: {
            "family": families[name],
            "plain": name,
            "unit": _unit(learn[name]),
            "usual": _usual(learn[name]),
            "left": left,
            "levels": [one.to_dict() for one in column_levels(learn[name], learn["churned"])],
        }
        for name in churn.features
    }


def family_names(inputs: Inputs) -> dict[str, str]:
    """What to call families of columns: by their first, and how many go with it."""
    members: dict[str, list[str]] = {}
    for name, one in inputs.items():
        members.setdefault(str(one["family"]), []).append(name)
    return {family: _family_name(names) for family, names in members.items()}


def _family_name(names: Sequence[str]) -> str:
    if len(names) <= 2:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} like it"


def column_divisions(
    test: pd.DataFrame, inputs: Inputs, names: Iterable[str]
) -> Iterator[tuple[str, pd.Series]]:
    """Kinds of customer of a snapshot: by category, and of a number by the levels known of it."""
    for name in names:
        known = inputs[name]
        if known["unit"] == "text":
            yield name, by_category(test[name])
        else:
            words = [level_name(level) for level in known["levels"]]
            yield name, kinds(level_places(test[name], known["levels"]), words, test.index)


def _unit(column: pd.Series) -> str:
    if is_text(column):
        return "text"
    return "flag" if set(column.dropna().unique()) <= {0, 1} else "number"


def _usual(column: pd.Series) -> float | str | None:
    """The median, of texts the most frequent; None where nobody has a value."""
    given = column.dropna()
    if given.empty:
        return None
    return str(given.astype(str).mode()[0]) if is_text(column) else float(given.median())
