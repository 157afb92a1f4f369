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
from datetime import UTC, date, datetime
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from machine import machine

from patronage.config import load_settings
from patronage.data import read_ledger
from patronage.errors import PatronageError
from patronage.features import DayTable, customer_days, day_table, monthly_cutoffs
from patronage.models import PurchaseSeason
from patronage.models.churn import ChurnModel
from patronage.models.churn_backtest import backtest_churn
from patronage.models.churn_backtest_result import CutoffJudged
from patronage.models.churn_evaluation import OURS
from patronage.models.training_panel import LabelRule
from patronage.report.churn_backtest_words import cutoffs_text, in_plain_words, models_text

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


def main(settings: Path = SETTINGS) -> None:
    """Judge all models at all test cutoffs and write the result."""
    model = ChurnModel([], label_days=RULE.label_days, trials=TRIALS, seconds=float("inf"))
    result = backtest_churn(
        read_days(settings),
        cutoffs=CUTOFFS,
        tests=TESTS,
        rule=RULE,
        data_end=DATA_END,
        model=model,
        season=PurchaseSeason(),
        told=tell,
    )
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({**result.to_dict(), "machine": machine()}, indent=2) + "\n")
    print(f"\n{in_plain_words(result)}\n\n{models_text(result)}\n\n{cutoffs_text(result)}")


def read_days(settings: Path) -> DayTable:
    """Customer days of the log that the settings name."""
    try:
        ledger = read_ledger(load_settings(settings), read_at=datetime.now(UTC))
    except PatronageError as error:
        sys.exit(f"{error}\n{GET_DATA}")
    with ledger:
        return day_table(customer_days(ledger.transactions))


def tell(done: int, of: int, judged: CutoffJudged) -> None:
    """One line for each cutoff as it is judged."""
    ours = judged.metrics[OURS]
    print(
        f"{done} of {of}  {judged.cutoff}  AUC {ours['auc']:.4f}  log loss {ours['log_loss']:.4f}"
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
