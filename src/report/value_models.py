"""Which model of purchases was chosen, and how the others did."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from patronage.retention.wording import counted

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
    months: list[list[str]] = field(default_factory=list)
    """Rows of texts: a name, then a factor per month; empty without a season."""
    windows: list[list[str]] = field(default_factory=list)
    """Rows of texts: a day, purchases that came after it, foreseen with a season and without."""


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
    months = list(_months(season)) if season["taken"] else []
    windows = [_window(each) for each in season["windows"]]
    return ModelComparison(question, rows, _season(season), months, windows)


def _season(found: Mapping[str, Any]) -> str:
    windows = found["windows"]
    if not windows:
        return str(found["note"])
    taken = "It is used." if found["taken"] else "It is not used."
    came, seasonal, plain = (
        sum(each[name] for each in windows) for name in ("actual", "seasonal", "plain")
    )
    return (
        f"A season of the purchase rate changes the log-likelihood by {found['gain']:+,.1f} over "
        f"{counted(len(windows), 'window')}, where chance may give {found['chance']:,.1f}. {taken} "
        f"Over all windows {came:,} purchases came; {seasonal:,.0f} were expected with a season "
        f"and {plain:,.0f} without."
    )


def _window(each: Mapping[str, Any]) -> list[str]:
    return [
        str(each["as_of"]),
        f"{each['actual']:,}",
        f"{each['seasonal']:,.0f}",
        f"{each['plain']:,.0f}",
    ]


def _months(season: Mapping[str, Any]) -> Iterator[list[str]]:
    """What was counted, where it is known, above what was fitted."""
    rows = {"Counted": season.get("counted", ()), "Fitted": season["months"]}
    for name, factors in rows.items():
        if factors:
            yield [name, *(f"{factor:.2f}" for factor in factors)]


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
