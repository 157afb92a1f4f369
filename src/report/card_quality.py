"""The card's sections on quality: metrics with intervals, calibration, weak segments."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from scipy.special import expit, logit

from patronage.report import readings
from patronage.report.calibration_chart import calibration_chart
from patronage.report.card import CardSection, CardTable
from patronage.report.pictures import picture
from patronage.report.quality import SCORE_NAMES, quality_sentence
from patronage.report.segment_chart import segment_chart
from patronage.retention.wording import chance, counted

METRICS = {"auc": "AUC", "log_loss": "Log loss", "brier": "Brier score"}
LEVELS = (0.2, 0.5, 0.8)
NORMAL_90 = 1.6449


def quality(metrics: Mapping[str, Any]) -> CardSection:
    """Metrics of the model and of what it has to beat, each with its interval."""
    test, intervals = metrics["test"], metrics.get("intervals", {})
    rows = [
        [
            SCORE_NAMES.get(name, name),
            *(_with_interval(found.get(key), intervals.get(name, {}).get(key)) for key in METRICS),
            _number(found.get("top_decile_lift")),
            "–" if found.get("mean_predicted") is None else chance(found["mean_predicted"]),
        ]
        for name, found in test["models"].items()
    ]
    head = ["Score", *METRICS.values(), "Top-decile lift", "Mean probability"]
    note = (
        "In brackets the 90% interval by bootstrap: what another draw of customers of this day "
        "would have given. It does not hold what another season would. AUC and lift: higher is "
        "better; log loss and Brier score: lower is better. A dash: the score is no probability."
    )
    texts = [
        quality_sentence(metrics),
        f"Of the {test['n']:,} customers, {test['churn_rate']:.1%} left.",
    ]
    return CardSection("Quality out of time", texts, tables=[CardTable(head, rows, note)])


def calibration(
    metrics: Mapping[str, Any], gate: Mapping[str, Any], scores: pd.DataFrame | None
) -> CardSection:
    """Shape, level and spread that were learnt, and how the test cutoff agrees with them."""
    learnt, ours = metrics["train"]["calibration"], metrics["test"]["models"]["patronage"]
    level = learnt["level"]
    facts = [
        ("Start", _start(metrics["train"]["start"])),
        ("Shape", _shape(learnt)),
        ("Level", f"all log-odds moved by {level['shift']:+.3f}"),
        ("Spread", f"{level['spread']:.3f} in log-odds, of groups and cutoffs to come"),
        ("Slope on the test day", _slope(ours, gate.get("calibration") or {})),
        ("Intercept on the test day", _number(ours["calibration_intercept"], sign=True)),
    ]
    text = (
        "Shape and level were learnt on cutoffs later than the trees were trained on. A slope of 1 "
        "and an intercept of 0 on the test day would be perfect: below 1 probabilities are too "
        "bold, above 1 too timid; an intercept above 0 means that more left than was said."
    )
    if scores is None or scores["churned"].nunique() < 2:
        return CardSection("Calibration", [text], facts)
    chart = picture(
        calibration_chart(scores["patronage"], scores["churned"]),
        "Points: share of customers who left, against the chance predicted, in ten groups.",
        readings.calibration_reading(scores["patronage"], scores["churned"]),
    )
    return CardSection("Calibration", [text], facts, pictures=[chart])


def weak_segments(metrics: Mapping[str, Any]) -> CardSection:
    """Every kind of customer that is large enough; those that are off are named first."""
    found = metrics["segments"]
    texts = [*_off_sentences(found, metrics["test"]), *_ranking(found, metrics["test"])]
    head = ["Customers", "Number", "Left, with 95% interval", "Predicted", "AUC", "Slope"]
    rows = [
        [
            f"{one['by']}: {one['name']}",
            f"{one['n']:,}",
            f"{one['churn_rate']:.1%} ({one['low']:.1%} to {one['high']:.1%})",
            f"{one['mean_predicted']:.1%}",
            _number(one["auc"]),
            _number(one["slope"]),
            _with_interval(one["log_loss"], (one["log_loss_low"], one["log_loss_high"])),
            _direction(one),
        ]
        for one in found
    ]
    table = CardTable([*head, "Log loss", "Off"], rows, numbers=6)
    if not found:
        return CardSection("Where it is weak", texts)
    chart = picture(
        segment_chart(found),
        "Points: share who left against the chance predicted, for each kind of customer, with 95% "
        "bands.",
        "Each kind of customer by itself: on the dashed line they leave as often as was said; "
        "orange: off by more than the level of the day.",
    )
    return CardSection("Where it is weak", texts, tables=[table], pictures=[chart])


def how_to_read(metrics: Mapping[str, Any], label: str) -> CardSection:
    """What p and its interval mean, with figures of this version."""
    spread = metrics["train"]["calibration"]["level"]["spread"]
    rows = [[chance(p), *(chance(edge) for edge in _interval(p, spread))] for p in LEVELS]
    texts = [
        f"p_churn is the probability that {label}. Of 100 customers with p_churn = 30%, about 30 "
        "are expected to leave; which of them, it does not say.",
        "p_churn_low and p_churn_high are about groups: nine times in ten, the share who leave "
        "among customers with that probability lies between them. They hold how far the level of a "
        "season to come may differ from the past, and not that single customers either leave or "
        "stay.",
        "p_churn ranks customers better than it sets levels: compare customers within a run before "
        "you compare runs. It says who is likely to leave, not whom a contact would keep.",
    ]
    head = ["p_churn", "p_churn_low", "p_churn_high"]
    return CardSection("How to read p", texts, tables=[CardTable(head, rows)])


def _interval(p: float, spread: float) -> tuple[float, float]:
    reach = NORMAL_90 * spread
    return float(expit(logit(p) - reach)), float(expit(logit(p) + reach))


def _off_sentences(found: list[Mapping[str, Any]], test: Mapping[str, Any]) -> list[str]:
    """Who is off, and who would be with the level of the day known."""
    if not found:
        return ["No kind of customer is large enough to be judged by itself."]
    off = [one for one in found if one["off"]]
    by_chance = f"of {len(found)} kinds, about {max(round(len(found) / 20), 1)} would be by chance"
    if not off:
        return [f"No kind of customer is off: predicted lies within the interval ({by_chance})."]
    beyond = [one for one in found if one["off_beyond_level"]]
    named = "; ".join(f"{one['by']} {one['name']}" for one in beyond) or "none"
    return [
        f"For {counted(len(off), 'kind')} of customer the mean probability lies outside the "
        f"interval of what came ({by_chance}). The level of the whole day was "
        f"{test['models']['patronage']['mean_predicted']:.1%} predicted and "
        f"{test['churn_rate']:.1%} come, which moves all kinds at once. Off even with that level "
        f"known: {named}."
    ]


def _ranking(found: list[Mapping[str, Any]], test: Mapping[str, Any]) -> list[str]:
    ranked = [one for one in found if one["auc"] is not None]
    if not ranked:
        return []
    worst = min(ranked, key=lambda one: float(one["auc"]))
    return [
        f"It ranks worst among {worst['by']} {worst['name']}: AUC {worst['auc']:.3f}, "
        f"{test['models']['patronage']['auc']:.3f} over all."
    ]


def _direction(one: Mapping[str, Any]) -> str:
    if not one["off"]:
        return ""
    direction = "too high" if one["mean_predicted"] > one["high"] else "too low"
    return direction if one["off_beyond_level"] else f"{direction}, as is the day"


def _start(start: Mapping[str, Any]) -> str:
    """How far the model of purchases is followed, and what was tried."""
    if not start["weight"]:
        return f"log-odds of {start['base_odds']:.3f} for everybody"
    tried = ", ".join(f"{float(weight):g}: {loss:.4f}" for weight, loss in start["tried"].items())
    followed = f"log-odds of the model of purchases, times {start['weight']:g} from their mean"
    return followed + (f" (log loss tried: {tried})" if tried else "")


def _shape(learnt: Mapping[str, Any]) -> str:
    shape = learnt["shape"]
    tried = ", ".join(f"{name} {loss:.4f}" for name, loss in learnt["tried"].items())
    weights = ""
    if "start_weight" in shape:
        weights = (
            f": {shape['start_weight']:.3f} × the model of purchases + "
            f"{shape['trees_weight']:.3f} × the trees"
        )
    return f"{shape['name']}{weights}" + (f" (log loss tried: {tried})" if tried else "")


def _slope(ours: Mapping[str, Any], check: Mapping[str, Any]) -> str:
    interval = (check["low"], check["high"]) if check.get("low") is not None else None
    return _with_interval(ours["calibration_slope"], interval)


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "–"
    if interval is None:
        return f"{value:.3f}"
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


def _number(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "–"
    return f"{value:+.3f}" if sign else f"{value:.3f}"
