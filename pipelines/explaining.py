"""What a trained model goes by, for whoever reads its report: names, importance, dependence."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from patronage.features.feature import Feature
from patronage.features.value_model import FEATURES as VALUE_FEATURES
from patronage.models.churn import P_NO_PURCHASE, ChurnModel
from patronage.models.importance import permutation_importance
from patronage.models.panel_matrix import is_text
from patronage.models.partial_dependence import partial_dependence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPENDENCES = 6


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
    names = [*churn.features, *({P_NO_PURCHASE} & set(test))]
    return {
        name: {
            "family": known[name].family,
            "plain": known[name].plain,
            "unit": known[name].unit,
            "usual": _usual(test[name]),
        }
        for name in names
    }


def _usual(column: pd.Series) -> float | str | None:
    """The median, of texts the most frequent; None where nobody has a value."""
    given = column.dropna()
    if given.empty:
        return None
    return str(given.astype(str).mode()[0]) if is_text(column) else float(given.median())
