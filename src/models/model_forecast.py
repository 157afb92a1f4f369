"""A value model's forecast of a hold-out, with all that can be asked of it."""

from collections.abc import Callable

import pandas as pd
from sklearn.base import clone

from patronage.errors import DataError, SettingsError
from patronage.models.customer_value import CustomerValueModel
from patronage.models.forecast import Forecast
from patronage.models.holdout_likelihood import holdout_log_likelihood
from patronage.models.interval_coverage import ValueModel, interval_coverage
from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray

PURCHASES, SPEND = "holdout_purchases", "holdout_spend"


def model_forecast(
    name: str,
    model: ValueModel,
    known: pd.DataFrame,
    horizon: float,
    interval: float,
    learn: Callable[[ValueModel], ValueModel] | None = None,
) -> Forecast:
    """Fit a copy of the model and ask it for the horizon; what it cannot answer is in the note.

    Parameters
    ----------
    name
        Of the forecast.
    model
        Unfitted.
    known
        Histories, with `holdout_purchases` and, for the coverage of spend, `holdout_spend`.
    horizon
        In the unit of the histories.
    interval
        Probability of the intervals whose coverage is measured.
    learn
        How to fit, if not on `known`.
    """
    notes: list[str] = []

    def fit(unfitted: ValueModel) -> ValueModel:
        return unfitted.fit(known) if learn is None else learn(unfitted)

    try:
        fitted = fit(clone(model))
    except (DataError, SettingsError) as error:
        return Forecast(name, note=str(error))
    value = fitted if isinstance(fitted, CustomerValueModel) else None
    purchases: PurchaseModel = fitted if value is None else value.purchases_
    expected = purchases.expected_purchases(known, horizon).to_numpy()
    likely = holdout_log_likelihood(purchases, known, horizon, known[PURCHASES].to_numpy())
    notes.append(purchases.diagnosis_)
    asked = {"purchases": PURCHASES}
    if value is not None:
        notes.append(value.spend_.diagnosis_)
        asked["spend"] = SPEND
    asked = {target: column for target, column in asked.items() if column in known}
    coverage, said = interval_coverage(fitted, known, asked, (horizon, interval), fit)
    notes += said
    spend = None if value is None else _spend(value, known, expected, notes)
    return Forecast(name, expected, spend, float(likely.sum()), coverage, _joined(notes))


def _spend(
    value: CustomerValueModel, known: pd.DataFrame, expected: FloatArray, notes: list[str]
) -> FloatArray | None:
    try:
        per_purchase: FloatArray = value.spend_.expected_spend(known).to_numpy()
    except DataError as error:
        notes.append(str(error))
        return None
    return expected * per_purchase


def _joined(notes: list[str]) -> str:
    """Each note once."""
    return " ".join(dict.fromkeys(note for note in notes if note))
