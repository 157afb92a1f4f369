"""The model card of a registered version, written from what its training run found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from patronage.report.card import Card, CardSection, CardTable
from patronage.report.card_quality import calibration, how_to_read, quality, weak_segments
from patronage.report.counts import data_rows
from patronage.report.cuts import CUT_NAMES, cuts_section
from patronage.report.explained import explained_section
from patronage.report.features_built import leakage_texts
from patronage.report.horizons import HEAD, NOTE, horizon_rows
from patronage.report.value_models import model_comparison
from patronage.retention.wording import counted

LONGEST_SUMMARY = 4_000
"""Characters of a version's description: some of MLflow's databases hold no more than 5,000."""


@dataclass(frozen=True, kw_only=True)
class CardData:
    """What a card is written from.

    Attributes
    ----------
    version, mlflow_run_id
        Of the registered model.
    metrics
        As the training run logs them: `test`, `train`, `intervals`, `segments`, `cutoffs`,
        `explained`, `value_models`, `leakage`.
    manifest
        Of the run that trained: `run_id`, `as_of`, `data`, `counts`, `settings`, `versions`.
    gate
        `Verdict.to_dict`; empty where the version was not judged.
    scores
        The test customers with `churned` and `patronage`; None leaves the chart out.
    """

    version: str
    mlflow_run_id: str
    metrics: Mapping[str, Any]
    manifest: Mapping[str, Any]
    gate: Mapping[str, Any] = field(default_factory=dict)
    scores: pd.DataFrame | None = None

    def setting(self, section: str, key: str) -> Any:
        """A setting of the run, None where there is none."""
        return self.manifest["settings"].get(section, {}).get(key)


def model_card(data: CardData) -> Card:
    """The card: what the model answers, from what data, how well, where it is weak, its limits."""
    metrics = data.metrics
    sections = [
        _identity(data),
        how_to_read(metrics, label_sentence(data)),
        CardSection("Data", facts=[*data_rows(data.manifest), _digest(data)]),
        _question(data),
        quality(metrics),
        *_horizons(data),
        calibration(metrics, data.gate, data.scores),
        weak_segments(metrics),
        *_explained(metrics),
        *_value_model(metrics),
        *_money(data),
        _leaks(metrics),
        CardSection("Limits", items=list(limits(data))),
    ]
    return Card(f"patronage, version {data.version}", _summary(data), sections)


def card_description(card: Card) -> str:
    """What MLflow shows of a version: its summary, and where the rest is."""
    text = f"{card.summary}\n\nThe whole card: artifact model_card.html of the run."
    return text[:LONGEST_SUMMARY]


def label_sentence(data: CardData) -> str:
    """What churn means.

    Examples
    --------
    >>> settings = {"churn": {"horizon_days": 90, "lead_days": 7}}
    >>> manifest = {"settings": settings}
    >>> label_sentence(CardData(version="1", mlflow_run_id="", metrics={}, manifest=manifest))
    'a customer makes no purchase in the 90 days that begin 7 days after the day of the run'
    """
    days = counted(data.setting("churn", "horizon_days") or 0, "day")
    lead = data.setting("churn", "lead_days")
    begin = f"{counted(lead, 'day')} after" if lead else "with"
    return f"a customer makes no purchase in the {days} that begin {begin} the day of the run"


def limits(data: CardData) -> Iterator[str]:
    """What the version cannot do, as far as its run tells."""
    metrics, active = data.metrics, data.setting("features", "active_days")
    yield (
        f"It knows customers who bought within {counted(active or 0, 'day')} before the day of "
        "the run; of others it says nothing."
    )
    yield (
        f"It was judged on one day, {metrics['test']['as_of']}, which stands for one season; "
        f"it was trained on {counted(len(metrics['train']['cutoffs']), 'earlier day')}."
    )
    found = metrics.get("value_models") or {}
    if not (found.get("season") or {}).get("taken"):
        yield "Its model of purchases has no season: where sales have one, its level lags behind."
    off = sum(one["off_beyond_level"] for one in metrics["segments"])
    if off:
        yield (
            f"For {counted(off, 'kind')} of customer it is off by more than the level of the day "
            "(see Where it is weak): a cut by p_churn treats them unequally."
        )
    if metrics.get("leakage"):
        yield "Some features may know the future: its quality above may be too good to be true."
    yield (
        "It tells who is likely to leave, not why, and not whom a contact would keep: that takes "
        "outcomes of a control group."
    )


def _summary(data: CardData) -> str:
    test = data.metrics["test"]
    ours, start = (test["models"].get(name) for name in ("patronage", "p_no_purchase"))
    beside = f", beside {start['auc']:.3f} and {start['log_loss']:.3f} of the model of purchases"
    passed = {True: "It passed the gate.", False: "It did not pass the gate.", None: ""}
    return (
        f"The probability that {label_sentence(data)}. Judged on {test['n']:,} customers as of "
        f"{test['as_of']}, whom it had not been trained on: AUC {ours['auc']:.3f}, log loss "
        f"{ours['log_loss']:.3f}{beside if start else ''}; {test['churn_rate']:.1%} left, "
        f"{ours['mean_predicted']:.1%} were predicted. {passed[data.gate.get('passed')]}"
    ).rstrip()


def _identity(data: CardData) -> CardSection:
    versions = data.manifest.get("versions", {})
    facts = [
        ("Version", data.version),
        ("Trained on what was known on", str(data.manifest["as_of"])),
        ("Run", str(data.manifest["run_id"])),
        ("MLflow run", data.mlflow_run_id),
        ("Release of patronage", str(versions.get("patronage", "–"))),
    ]
    return CardSection("Which model this is", facts=facts)


def _digest(data: CardData) -> tuple[str, str]:
    return "digest of all rows used", str(data.manifest["data"].get("digest", "–"))


def _question(data: CardData) -> CardSection:
    train, cutoffs = data.metrics["train"], data.metrics.get("cutoffs", [])
    texts = [
        f"Churn: {label_sentence(data)}. Eligible: who bought within "
        f"{counted(data.setting('features', 'active_days') or 0, 'day')} before it.",
        f"It learnt from {counted(train['rows'], 'row')}, one per eligible customer and cutoff. "
        f"{counted(len(train['folds']), 'fold')} calibrated it, the newest of them tuned it: in "
        "each all labels trained on were known on the day it was judged by. The test day was "
        "touched by none of this.",
    ]
    judges = {fold["judge"] for fold in train["folds"]}
    rows = [
        [one["as_of"], f"{one['customers']:,}", f"{one['churn_share']:.1%}", _role(one, judges)]
        for one in cutoffs
    ]
    head = ["Cutoff", "Eligible customers", "Left", "Used to"]
    return CardSection(
        "The question, and the days it was asked", texts, tables=[CardTable(head, rows, numbers=2)]
    )


def _role(one: Mapping[str, Any], judges: set[str]) -> str:
    if one["test"]:
        return "judge the model"
    return "train and calibrate" if one["as_of"] in judges else "train"


def _horizons(data: CardData) -> Iterator[CardSection]:
    rows = horizon_rows(data.metrics, data.setting("churn", "horizon_days"))
    if rows:
        yield CardSection("Each horizon by itself", tables=[CardTable(list(HEAD), rows, NOTE)])


def _explained(metrics: Mapping[str, Any]) -> Iterator[CardSection]:
    found = explained_section(metrics)
    if found is not None:
        yield CardSection(
            "What the model goes by", [found.sentence, found.how], pictures=found.pictures
        )


def _value_model(metrics: Mapping[str, Any]) -> Iterator[CardSection]:
    found = model_comparison(metrics)
    if found is not None:
        head = ["Model", "Log-likelihood", "Per customer", "Purchases expected", "Note"]
        texts = [f"{found.question} The first values the customers.", found.season]
        table = CardTable(head, found.rows, numbers=3)
        yield CardSection(
            "The model of purchases", [text for text in texts if text], [], [], [table]
        )


def _money(data: CardData) -> Iterator[CardSection]:
    currency = data.setting("ledger", "currency")
    found = cuts_section(data.metrics, str(currency)) if currency else None
    if found is not None:
        table = CardTable(list(CUT_NAMES), found.rows, "By the costs of the run that trained it.")
        yield CardSection("What each cut would have brought", [found.sentence], tables=[table])


def _leaks(metrics: Mapping[str, Any]) -> CardSection:
    found = leakage_texts(metrics)
    if found:
        return CardSection("Features that may know the future", items=found)
    return CardSection("Features that may know the future", ["None was found by the probes."])
