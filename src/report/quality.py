"""How good the model is, beside what it has to beat."""

from collections.abc import Mapping
from typing import Any

from patronage.report.label_words import judged_on
from patronage.retention.wording import chance

SCORE_NAMES = {
    "patronage": "patronage",
    "recency": "Days since last purchase",
    "inactivity_rule": "Best inactivity rule",
    "base_rate": "Share of all who left",
    "one_minus_p_alive": "1 - P(alive)",
    "p_no_purchase": "P(no purchase), value model",
    "logistic_regression": "Logistic regression",
    "logistic_rfm": "Logistic regression on RFM",
    "plain_lightgbm": "Plain LightGBM",
}
METRIC_NAMES = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "top_decile_lift": "Top-decile lift",
}
RIVALS = {
    "champion": "the model in use, version {version}",
    "inactivity_rule": "the simple rule of days since the last purchase",
    "p_no_purchase": "the value model alone",
    "base_rate": "the share of all who leave, said of everybody",
    "logistic_regression": "a plain logistic regression",
}
"""What a model has to beat, by its name at the gate."""


def gate_sentence(manifest: Mapping[str, Any]) -> str | None:
    """What to know when the run trained a model that was not good enough to use, else None.

    Parameters
    ----------
    manifest
        Of the run: `model_version`, `model` with the day `trained_as_of`, `as_of`, and `training`
        with `version` and `gate` where it trained.
    """
    training = manifest.get("training", {})
    gate = training.get("gate", {})
    if gate.get("passed") is not False:
        return None
    version = manifest["model_version"]
    when = "when the scores were made" if manifest.get("command") == "report" else "today"
    trained = manifest.get("model", {}).get("trained_as_of")
    return (
        f"A new model was trained {when} (version {training['version']}, on what was known on "
        f"{manifest['as_of']}) but {_shortcomings(gate, version)}; the "
        f"list was made by version {version}{f', trained as of {trained}' if trained else ''}."
    )


def _shortcomings(gate: Mapping[str, Any], version: str) -> str:
    """Why a model did not pass."""
    compared = [*gate.get("comparisons", ()), *gate.get("net_values", ())]
    failed = dict.fromkeys(one["other"] for one in compared if not one["passed"])
    beaten_by = [RIVALS.get(name, name).format(version=version) for name in failed]
    line = gate.get("calibration") or {"passed": True}
    texts = [f"did not beat {' and '.join(beaten_by)}"] if beaten_by else []
    if not line["passed"]:
        bold = line["slope"] is None or line["slope"] < 1
        texts.append(f"its chances were far too {'bold' if bold else 'timid'}")
    return " and ".join(texts) or "did not beat the one in use"


def quality_rows(models: Mapping[str, Mapping[str, float | None]]) -> list[list[str]]:
    """One row of texts per score, patronage first: its name, then its metrics, a dash for None."""
    known = [name for name in SCORE_NAMES if name in models]
    others = [name for name in models if name not in SCORE_NAMES]
    return [
        [SCORE_NAMES.get(name, name), *(_shown(models[name].get(key)) for key in METRIC_NAMES)]
        for name in (*known, *others)
    ]


def quality_sentence(metrics: Mapping[str, Any]) -> str:
    """How well the model ranks, in words a retention team can use.

    Parameters
    ----------
    metrics
        `test`, with `as_of`, `n` and `models`, as in `ReportData`.
    """
    test = metrics["test"]
    auc = chance(test["models"]["patronage"]["auc"])
    cases = auc.removesuffix("%").replace(">", "more than ")
    return (
        f"Of one customer who left and one who stayed, the model gives the one who left the higher "
        f"chance to leave in {cases} of 100 cases; tossing a coin gives 50. Measured on "
        f"{test['n']:,} customers {judged_on(test)}, whom it had not been trained on."
    )


def intervals_sentence(metrics: Mapping[str, Any]) -> str:
    """How far the model's quality might lie off, had other customers been drawn; empty if unknown.

    Parameters
    ----------
    metrics
        `intervals`, as `metric_intervals` has them.
    """
    found = metrics.get("intervals", {}).get("patronage", {})
    names = {"auc": "AUC", "log_loss": "log loss", "brier": "Brier score"}
    told = [
        f"{name} {found[key][0]:.3f} to {found[key][1]:.3f}"
        for key, name in names.items()
        if key in found
    ]
    if not told:
        return ""
    return (
        f"With other customers drawn, nine times in ten the model would have had {', '.join(told)}."
    )


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
