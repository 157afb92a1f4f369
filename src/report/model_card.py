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
from patronage.report.label_words import LabelWords, judged_on
from patronage.report.value_models import model_comparison
from patronage.retention.wording import counted

BESIDE = {"p_no_purchase": "the model of purchases", "logistic_regression": "a logistic regression"}
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
        return (self.manifest["settings"].get(section) or {}).get(key)

    @property
    def words(self) -> LabelWords:
        """What churn means."""
        return LabelWords.of(self.manifest["settings"])

    @property
    def leaks_left_out(self) -> bool:
        """Whether what looked like a leak was not trained with."""
        return bool(self.setting("snapshot", "leaks") == "leave_out")


def model_card(data: CardData) -> Card:
    """The card: what the model answers, from what data, how well, where it is weak, its limits."""
    metrics = data.metrics
    sections = [
        _identity(data),
        how_to_read(metrics, data.words.sentence),
        CardSection("Data", facts=[*data_rows(data.manifest), _digest(data)]),
        _question(data),
        quality(metrics),
        *_horizons(data),
        calibration(metrics, data.gate, data.scores),
        weak_segments(metrics),
        *_explained(metrics),
        *_value_model(metrics),
        *_money(data),
        *_columns(metrics),
        _leaks(data),
        CardSection("Limits", items=list(limits(data))),
    ]
    return Card(f"patronage, version {data.version}", _summary(data), sections)


def card_description(card: Card) -> str:
    """What MLflow shows of a version: its summary, and where the rest is."""
    text = f"{card.summary}\n\nThe whole card: artifact model_card.html of the run."
    return text[:LONGEST_SUMMARY]


def limits(data: CardData) -> Iterator[str]:
    """What the version cannot do, as far as its run tells."""
    metrics = data.metrics
    yield f"It knows a customer {data.words.eligible}; of others it says nothing."
    yield _one_day(metrics)
    found = metrics.get("value_models") or {}
    if not data.words.of_snapshot and not (found.get("season") or {}).get("taken"):
        yield "Its model of purchases has no season: where sales have one, its level lags behind."
    off = sum(one["off_beyond_level"] for one in metrics["segments"])
    if off:
        yield (
            f"For {counted(off, 'kind')} of customer it is off by more than the level of the day "
            "(see Where it is weak): a cut by p_churn treats them unequally."
        )
    if metrics.get("leakage") and not data.leaks_left_out:
        yield "Some features may know the future: its quality above may be too good to be true."
    yield (
        "It tells who is likely to leave, not why, and not whom a contact would keep: that takes "
        "outcomes of a control group."
    )


def _one_day(metrics: Mapping[str, Any]) -> str:
    """How far what it was judged by reaches."""
    day, days = metrics["test"]["as_of"], metrics["train"]["cutoffs"]
    if day is None:
        return (
            "It was judged by other customers of the same table, not by later ones: how well next "
            "month's are told apart it cannot say."
        )
    return (
        f"It was judged on one day, {day}, which stands for one season; it was trained on "
        f"{counted(len(days), 'earlier day')}."
    )


def _summary(data: CardData) -> str:
    test = data.metrics["test"]
    ours = test["models"]["patronage"]
    rival, name = next(
        ((test["models"][key], name) for key, name in BESIDE.items() if key in test["models"]),
        (None, ""),
    )
    beside = f", beside {rival['auc']:.3f} and {rival['log_loss']:.3f} of {name}" if rival else ""
    passed = {True: "It passed the gate.", False: "It did not pass the gate.", None: ""}
    return (
        f"The probability that {data.words.sentence}. Judged on {test['n']:,} customers "
        f"{judged_on(test)}, whom it had not been trained on: AUC {ours['auc']:.3f}, log loss "
        f"{ours['log_loss']:.3f}{beside}; {test['churn_rate']:.1%} left, "
        f"{ours['mean_predicted']:.1%} were predicted. {passed[data.gate.get('passed')]}"
    ).rstrip()


def _identity(data: CardData) -> CardSection:
    versions = data.manifest.get("versions", {})
    day = data.manifest.get("as_of")
    facts = [
        ("Version", data.version),
        *([] if day is None else [("Trained on what was known on", str(day))]),
        ("Run", str(data.manifest["run_id"])),
        ("MLflow run", data.mlflow_run_id),
        ("Release of patronage", str(versions.get("patronage", "–"))),
    ]
    return CardSection("Which model this is", facts=facts)


def _digest(data: CardData) -> tuple[str, str]:
    return "digest of all rows used", str(data.manifest["data"].get("digest", "–"))


def _question(data: CardData) -> CardSection:
    train, cutoffs = data.metrics["train"], data.metrics.get("cutoffs", [])
    title = "The question, and the days it was asked"
    asked = f"Churn: {data.words.sentence}."
    if not data.words.of_snapshot:
        asked = f"{asked} Eligible: {data.words.eligible}."
    if not cutoffs:
        folds = (
            f"It learnt from {counted(train['rows'], 'row')}, {train['churn_rate']:.1%} of whom "
            "left; folds of them, drawn at random with equal rows together, tuned and calibrated "
            f"it. {counted(data.metrics['test']['n'], 'other row')}, chosen by what is in them, "
            "were kept aside and touched by none of this: they judge."
        )
        return CardSection("The question, and who was asked", [asked, folds])
    texts = [
        asked,
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
    return CardSection(title, texts, tables=[CardTable(head, rows, numbers=2)])


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


def _columns(metrics: Mapping[str, Any]) -> Iterator[CardSection]:
    """Of a snapshot: what it was trained with, and what it was not given."""
    known = metrics.get("columns")
    if known is not None:
        texts = [f"{counted(len(known['used']), 'column')}: {', '.join(known['used'])}."]
        yield CardSection("Columns it was trained with", texts, list(known["left_out"].items()))


def _leaks(data: CardData) -> CardSection:
    found = leakage_texts(data.metrics)
    if found and data.leaks_left_out:
        return CardSection("Left out, since they know too well who left", items=found)
    if found:
        return CardSection("Features that may know the future", items=found)
    return CardSection("Features that may know the future", ["None was found by the probes."])
