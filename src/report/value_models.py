"""Which model of purchases was chosen, and how the others did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MODEL_NAMES = {
    "BetaGeoModel": "BG/NBD",
    "ModifiedBetaGeoModel": "MBG/NBD",
    "BetaGeoCNBDModel": "BG/CNBD-k",
    "ModifiedBetaGeoCNBDModel": "MBG/CNBD-k",
    "ParetoNBDModel": "Pareto/NBD",
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class ModelComparison:
    """What was asked, in a sentence, and a row of texts per model, the chosen one first."""

    question: str
    rows: list[list[str]]
    season: str = ""
    """What became of the season, in sentences."""
    months: list[tuple[str, str]] = field(default_factory=list)
    """Each month and its factor, as texts; empty without a season."""


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
    rows = [_row(model, found) for model in found["models"]]
    season = found.get("season")
    if season is None:
        return ModelComparison(question, rows)
    months = season["months"] if season["taken"] else []
    return ModelComparison(question, rows, _season(season), _months(months))


def _season(found: Mapping[str, Any]) -> str:
    windows = found["windows"]
    if not windows:
        return str(found["note"])
    taken = "It is used." if found["taken"] else "It is not used."
    foreseen = "; ".join(
        f"{each['actual']:,} purchases came after {each['as_of']}, {each['seasonal']:,.0f} were "
        f"expected with a season and {each['plain']:,.0f} without"
        for each in windows
    )
    return (
        f"A season of the purchase rate changes the log-likelihood by {found['gain']:+,.1f} over "
        f"{len(windows)} window{'s' if len(windows) > 1 else ''}, where chance may give "
        f"{found['chance']:,.1f}. {taken} {foreseen}."
    )


def _months(factors: Sequence[float]) -> list[tuple[str, str]]:
    return [(name, f"{factor:.2f}") for name, factor in zip(MONTHS, factors, strict=False)]


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
