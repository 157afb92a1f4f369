"""Which model of purchases was chosen, and how the others did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODEL_NAMES = {
    "BetaGeoModel": "BG/NBD",
    "ModifiedBetaGeoModel": "MBG/NBD",
    "BetaGeoCNBDModel": "BG/CNBD-k",
    "ModifiedBetaGeoCNBDModel": "MBG/CNBD-k",
    "ParetoNBDModel": "Pareto/NBD",
}


@dataclass(frozen=True)
class ModelComparison:
    """What was asked, in a sentence, and a row of texts per model, the chosen one first."""

    question: str
    rows: list[list[str]]


def model_comparison(metrics: Mapping[str, Any]) -> ModelComparison | None:
    """The comparison that training logged under `value_models`; None where there is none."""
    found = metrics.get("value_models")
    if found is None:
        return None
    question = (
        f"Knowing the purchases before {found['as_of']}, each model gave probabilities to the "
        f"number of purchases of each of {found['customers']:,} customers in the "
        f"{found['horizon_days']:,} days after; {found['actual']:,} purchases came."
    )
    return ModelComparison(question, [_row(model, found) for model in found["models"]])


def _row(model: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    name = MODEL_NAMES.get(model["model"], model["model"])
    if model.get("k") is not None:
        name = f"{name}, k = {model['k']}"
    likely, expected = model["log_likelihood"], model["expected"]
    return [
        name,
        "–" if likely is None else f"{likely:,.1f}",
        "–" if likely is None else f"{likely / found['customers']:.4f}",
        "–" if expected is None else f"{expected:,.0f}",
        model["note"] or ("" if model["converged"] else "did not converge"),
    ]
