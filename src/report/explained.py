"""The section "What the model goes by", in plain words and two charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from patronage.models.churn import P_NO_PURCHASE
from patronage.report.dependence_chart import dependence_chart
from patronage.report.family_words import FAMILY_WORDS
from patronage.report.importance_chart import importance_chart
from patronage.report.label_words import judged_on
from patronage.report.pictures import Picture, picture
from patronage.retention.wording import chance, counted

NEXT = 2
MOST_SPARED = 12


@dataclass(frozen=True)
class Explained:
    """The section as texts and charts."""

    sentence: str
    how: str
    pictures: list[Picture]


def explained_section(metrics: Mapping[str, Any]) -> Explained | None:
    """What a model goes by; None of a model that was not asked.

    Parameters
    ----------
    metrics
        Of the training run; `explained` with `inputs`, `importance` and `dependence`, if known.
    """
    if "explained" not in metrics:
        return None
    found = metrics["explained"]
    importance, words = found["importance"], plain_words(found["inputs"])
    families = found.get("families", FAMILY_WORDS)
    shown = [
        picture(
            importance_chart(importance, words, families),
            "Bars: what the log loss rises by without each family of features, and each feature.",
            importance_sentence(importance, families),
        )
    ]
    if found["dependence"]:
        shown.append(_dependence(found["dependence"], words))
    return Explained(
        _nothing_sentence(importance, families), _how(importance, metrics.get("test", {})), shown
    )


def plain_words(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Each input in words; one of the value model's says so."""
    return {
        name: f"{one['plain']} (model of purchases)"
        if one["family"] == "value_model"
        else str(one["plain"])
        for name, one in inputs.items()
    }


def importance_sentence(
    importance: Mapping[str, Any], families: Mapping[str, str] = FAMILY_WORDS
) -> str:
    """What most hangs on, and what comes next.

    Parameters
    ----------
    importance
        `Importances.to_dict`.
    families
        Each family in words; its name where it has none.

    Examples
    --------
    >>> found = [{"name": "rfm", "increase": 0.05}, {"name": "price", "increase": 0.01}]
    >>> importance_sentence({"log_loss": 0.5, "families": found})
    'Most hangs on how often, how lately, for how much: without it the log loss would be 0.550 \
instead of 0.500. Next: discounts and margins.'
    """
    first, *others = importance["families"]
    plain = importance["log_loss"]
    named = [families.get(one["name"], one["name"]) for one in (first, *others[:NEXT])]
    text = (
        f"Most hangs on {named[0]}: without it the log loss would be "
        f"{plain + first['increase']:.3f} instead of {plain:.3f}."
    )
    following = named[1 : 1 + sum(one["increase"] > 0 for one in others[:NEXT])]
    return f"{text} Next: {'; '.join(following)}." if following else text


def _nothing_sentence(importance: Mapping[str, Any], families: Mapping[str, str]) -> str:
    """Which families could be spared: no more than what chance does."""
    spared = [one["name"] for one in importance["families"] if one["increase"] <= one["spread"]]
    if not spared:
        return "Without any one of the families the model would be worse."
    if len(spared) > MOST_SPARED:
        return (
            f"The model would be no worse, beyond chance, without {len(spared)} of the "
            f"{len(importance['families'])} families, each by itself."
        )
    named = "; ".join(families.get(name, name) for name in spared)
    return (
        f"The model would be no worse, beyond chance, without "
        f"{counted(len(spared), 'family', 'families')}: {named}."
    )


def _how(importance: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    start = (
        " While features are exchanged, the chance by the model of purchases stays each "
        "customer's own."
    )
    return (
        f"Measured on {counted(importance['rows'], 'customer')} {judged_on(test)}, whom the model "
        f"had not been trained on: each was given another one's values of the family, "
        f"{counted(importance['repeats'], 'time')} over; the thin lines are the standard "
        "deviation of the repeats. Features that say the same stand in for each other, so that "
        f"single ones look smaller than they are.{start if _has_start(importance) else ''}"
    )


def _has_start(importance: Mapping[str, Any]) -> bool:
    return any(P_NO_PURCHASE in one["columns"] for one in importance["families"])


def _dependence(found: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> Picture:
    return picture(
        dependence_chart(found, words),
        "Lines: mean chance to leave by the value of each feature, all else held; grey: how the "
        "customers are spread.",
        _dependence_reading(found, words),
    )


def _dependence_reading(found: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> str:
    """The feature that moves the mean chance to leave furthest."""
    widest = max(found, key=lambda one: float(max(one["p_churn"]) - min(one["p_churn"])))
    low, high = min(widest["p_churn"]), max(widest["p_churn"])
    return (
        "The mean chance to leave if all customers had the value on the axis and kept everything "
        f"else as it is. The widest: {words.get(widest['feature'], widest['feature'])}, from "
        f"{chance(low)} to {chance(high)}. Grey: how the customers are spread; where there are "
        "few, the line says little. It is what the model makes of a value, not what would happen "
        "if it were changed."
    )
