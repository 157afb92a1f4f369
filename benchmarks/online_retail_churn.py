"""Churn on Online Retail II, out of time: our model beside what it has to beat.

Active: bought in the last 365 days. Churn: no purchase in the next 90. Seven test cutoffs, monthly
from 2011-03-10 to 2011-09-10; for each, everything is trained on the monthly cutoffs from
2010-03-10 on whose labels were known on that day, and on nothing later.

    python benchmarks/online_retail_churn.py [SETTINGS]

SETTINGS names the file with the data, by default examples/online_retail_ii.toml.
It writes benchmarks/results/online_retail_churn.json.
"""

import json
import os
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from machine import machine

from patronage.config import load_settings
from patronage.data import read_ledger
from patronage.errors import PatronageError
from patronage.features import DayTable, customer_days, day_table, features_of, monthly_cutoffs
from patronage.models import PurchaseSeason
from patronage.models.choose_purchases import choose_purchases
from patronage.models.churn import ChurnModel
from patronage.models.churn_evaluation import evaluate
from patronage.models.evaluation import ChurnMetrics
from patronage.models.time_folds import mature_at
from patronage.models.training_panel import LabelRule, training_panel

HERE = Path(__file__).parent
SETTINGS = HERE.parent / "examples" / "online_retail_ii.toml"
RESULT = HERE / "results" / "online_retail_churn.json"
RULE = LabelRule(active_days=365, horizon_days=90)
CUTOFFS = monthly_cutoffs(last=date(2011, 9, 10), first=date(2010, 3, 10), count=99)
TESTS = [cutoff for cutoff in CUTOFFS if cutoff >= date(2011, 3, 10)]
DATA_END = date(2011, 12, 10)
TRIALS = 10
GET_DATA = (
    "Get Online Retail II, dataset 502 of the UCI repository "
    "(https://archive.ics.uci.edu/dataset/502/online+retail+ii), save its sheets as one Parquet "
    "or CSV file, name that file as source in a copy of examples/online_retail_ii.toml, and give "
    "the copy: python benchmarks/online_retail_churn.py SETTINGS"
)
KEYS = (
    "auc",
    "log_loss",
    "brier",
    "average_precision",
    "top_decile_lift",
    "calibration_slope",
    "mean_predicted",
)


def main(settings: Path = SETTINGS) -> None:
    """Judge all models at all test cutoffs and write the result."""
    days = read_days(settings)
    by_cutoff = {}
    for cutoff in TESTS:
        start = time.perf_counter()
        by_cutoff[str(cutoff)] = judge(days, cutoff)
        print(line(str(cutoff), by_cutoff[str(cutoff)]), f"{time.perf_counter() - start:.0f} s")
    result = {"mean": means(by_cutoff), "by_cutoff": by_cutoff, "machine": machine()}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    for name, metrics in result["mean"].items():
        print(line(f"mean {name}", {"patronage": metrics}))


def read_days(settings: Path) -> DayTable:
    """Customer days of the log that the settings name."""
    try:
        ledger = read_ledger(load_settings(settings), read_at=datetime.now(UTC))
    except PatronageError as error:
        sys.exit(f"{error}\n{GET_DATA}")
    with ledger:
        return day_table(customer_days(ledger.transactions))


def judge(days: DayTable, cutoff: date) -> dict[str, dict[str, float | None]]:
    """Every model's metrics at one test cutoff, trained on what was known on that day."""
    known = mature_at(CUTOFFS, day=cutoff, label_days=RULE.label_days)
    choice = choose_purchases(
        days, cutoff=known[-1], horizon_days=RULE.label_days, season=PurchaseSeason()
    )
    panel = training_panel(
        days, cutoffs=[*known, cutoff], rule=RULE, data_end=DATA_END, purchases=choice.model
    )
    is_test = panel["as_of"].dt.date == cutoff
    learn, test = (panel[rows].reset_index(drop=True) for rows in (~is_test, is_test))
    names = [feature.name for feature in features_of(days)]
    features = [name for name in names if learn[name].notna().any()]
    model = ChurnModel(features, label_days=RULE.label_days, trials=TRIALS, seconds=float("inf"))
    model.fit(learn, learn["churned"])
    evaluation = evaluate(model, train=learn, test=test, features=features)
    rate = float(test["churned"].mean())
    return {name: _kept(metrics, rate) for name, metrics in evaluation.metrics.items()}


def means(by_cutoff: dict[str, dict[str, dict[str, float | None]]]) -> dict[str, dict[str, float]]:
    """Mean of each metric over the cutoffs, for the models that have it."""
    first = next(iter(by_cutoff.values()))
    return {
        name: {
            key: sum(float(cutoff[name][key] or 0) for cutoff in by_cutoff.values())
            / len(by_cutoff)
            for key, value in metrics.items()
            if value is not None
        }
        for name, metrics in first.items()
    }


def line(title: str, metrics: dict[str, dict[str, float | None]]) -> str:
    """AUC and log loss of our model, as text."""
    ours = metrics["patronage"]
    shown = (
        f"{key} {ours[key]:.4f}" for key in (*KEYS, "level_error") if ours.get(key) is not None
    )
    return f"{title:32s} " + "  ".join(shown)


def _kept(metrics: ChurnMetrics, churn_rate: float) -> dict[str, float | None]:
    """The metrics shown, and by how much the mean probability lies above the rate that came."""
    shown = {key: metrics[key] for key in KEYS}  # type: ignore[literal-required]
    mean = metrics["mean_predicted"]
    return {**shown, "level_error": None if mean is None else mean - churn_rate}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
