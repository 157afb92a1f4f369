"""The backtest of churn on other data than Online Retail II: CDNOW and The Complete Journey.

    python benchmarks/churn_data_sets.py                      CDNOW, which ships inside lifetimes
    python benchmarks/churn_data_sets.py NAME SETTINGS        any data set with settings of its own

It runs `patronage backtest churn --trials 10` and writes what it found under the data set's name
into benchmarks/results/churn_data_sets.json. For The Complete Journey NAME is complete_journey and
SETTINGS a copy of examples/complete_journey.toml that names your files.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from machine import machine

from patronage.config import load_settings
from patronage.pipelines.backtest_churn import SUMMARY, Asked, backtest_churn
from patronage.pipelines.demo import write_demo
from patronage.pipelines.log import set_up_log

RESULT = Path(__file__).parent / "results" / "churn_data_sets.json"
TRIALS = 10


def main(name: str = "cdnow", settings: str | None = None) -> None:
    """Judge one data set and keep what was found beside that of the others."""
    set_up_log(as_json=False)
    with TemporaryDirectory() as folder:
        found = judge(write_demo(Path(folder)) if settings is None else Path(settings))
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    results |= {name: found, "machine": machine()}
    RESULT.write_text(json.dumps(results, indent=2) + "\n")


def judge(settings: Path) -> Any:
    """What `patronage backtest churn` finds with these settings."""
    told = backtest_churn(
        load_settings(settings), asked=Asked(), trials=TRIALS, run_at=datetime.now(UTC)
    )
    print(told)
    return json.loads((Path(told.splitlines()[-1]).parent / SUMMARY).read_text())


if __name__ == "__main__":
    main(*sys.argv[1:])
