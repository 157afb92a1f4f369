"""How often a model's intervals held what came in a hold-out."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pandas as pd
from sklearn.base import clone

from patronage.errors import DataError, SettingsError
from patronage.models.customer_value import CustomerValueModel
from patronage.models.forecast import Coverage, coverage_of
from patronage.models.purchase_model import PurchaseModel

ValueModel: TypeAlias = PurchaseModel | CustomerValueModel
Fit: TypeAlias = Callable[[ValueModel], ValueModel]


def interval_coverage(
    fitted: ValueModel,
    known: pd.DataFrame,
    asked: dict[str, str],
    terms: tuple[float, float],
    fit: Fit,
) -> tuple[dict[str, Coverage], list[str]]:
    """Coverage by target, and what there is to say of it.

    A fit whose best estimate lies at a limit has no covariance, and so no intervals. Those of the
    same model fitted with a weak prior are taken in their place.

    Parameters
    ----------
    fitted
        Model of purchases, or of purchases and spend.
    known
        Histories and what came.
    asked
        "purchases" or "spend", and the column of `known` that holds what came.
    terms
        Horizon, and the probability of the intervals.
    fit
        Fits a model as `fitted` was.
    """
    found, failed = _covered(fitted, known, asked, terms)
    notes = []
    weak = with_weak_prior(fitted) if failed else None
    if weak is not None:
        try:
            again, _ = _covered(fit(weak), known, {name: asked[name] for name in failed}, terms)
        except (DataError, SettingsError):
            again = {}
        found |= again
        if again:
            notes.append(f"Intervals of {' and '.join(again)}: of a fit with a weak prior.")
    return found, notes + [text for target, text in failed.items() if target not in found]


def with_weak_prior(model: ValueModel) -> ValueModel | None:
    """An unfitted copy, every prior of which is weak; None where it takes none."""
    copy: ValueModel = clone(model)
    names = [name for name in copy.get_params() if name.rpartition("__")[2] == "prior"]
    return copy.set_params(**dict.fromkeys(names, "weak")) if names else None


def _covered(
    fitted: ValueModel, known: pd.DataFrame, asked: dict[str, str], terms: tuple[float, float]
) -> tuple[dict[str, Coverage], dict[str, str]]:
    """Coverage by target, and why there is none."""
    found, failed = {}, {}
    for target, column in asked.items():
        predict: Any = getattr(fitted, f"predict_{target}", None)
        if predict is None and isinstance(fitted, CustomerValueModel):
            predict = fitted.purchases_.predict_purchases
        try:
            intervals: pd.DataFrame = predict(known, *terms)
        except (DataError, SettingsError) as error:
            failed[target] = str(error)
            continue
        found[target] = coverage_of(intervals, known[column].to_numpy(float))
    return found, failed
