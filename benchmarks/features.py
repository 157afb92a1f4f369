"""Speed and memory of the feature pipeline beside its peers: the same log, one run, one machine.

    python benchmarks/features.py [--folder FOLDER] [--lines N ...]

makes logs of 1, 10 and 100 million lines in a folder that goes afterwards (15 GB of disk) and
puts the figures into benchmarks/results/features.json; those of other numbers of lines are only
printed. Figures bear the day and the commit they were taken at.
Each task runs in a process of its own, from Parquet to Parquet. Compiled functions are compiled and
packages imported before the clock starts; the peak of memory is that of the whole process. Figures
are medians. Where other work shares the machine, processor seconds (user and system, all threads)
are the ones to compare; the load is in the result.

- scan_...: sums over the columns that RFM needs, and over all, by DuckDB: the floor.
- rfm: frequency, recency, T and monetary value of each customer, by this package and by lifetimes.
- panel: every feature of customer days at twelve monthly cutoffs, by this package and by SQL in
  DuckDB that computes the same features (panel_sql.py); the values of both are compared.
- panel_of_log: those and the features over what was bought by category, by this package.
- run: the ledger read and checked, collapsed part by part, and the panel of the log written at
  three cutoffs.

What was measured is told in docs/scale.md, which is written anew from the figures (scale.py).
"""

import argparse
import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
from feature_tasks import CUTOFFS, TASKS
from machine import machine
from scale import write_scale
from transaction_log import write_log

HERE = Path(__file__).parent
RESULT = HERE / "results" / "features.json"
MILLION = 1_000_000
SIZES = [MILLION, 10 * MILLION, 100 * MILLION]
LEFT_OUT = {100 * MILLION: ("rfm_by_lifetimes", "panel", "panel_by_sql", "panel_of_log")}
REPEATS = 3
ONCE = {
    (10 * MILLION, "panel_by_sql"): 1,
    (10 * MILLION, "run"): 1,
    (100 * MILLION, "rfm"): 1,
    (100 * MILLION, "run"): 1,
}
TOLERANCE = 1e-6
KEYS = {"customer_id", "as_of", "eligible"}

Measured = dict[str, Any]


def main() -> None:
    """Measure all sizes, from the smallest on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder")
    parser.add_argument("--lines", type=int, nargs="+", default=SIZES)
    arguments = parser.parse_args()
    for n_lines in arguments.lines:
        with TemporaryDirectory(dir=arguments.folder) as folder:
            found = of_size(Path(folder), n_lines)
        print(json.dumps(found, indent=2), flush=True)
        if n_lines in SIZES:
            save(f"{n_lines:,} lines", found)
    write_scale()


def save(size: str, found: Measured) -> None:
    """Put the figures of a size in the place of older ones."""
    known = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    RESULT.write_text(json.dumps(known | {size: found}, indent=2) + "\n")


def of_size(folder: Path, n_lines: int) -> Measured:
    """Every task on one log; ratios where there is a peer."""
    files = write_log(folder / "log", n_lines)
    found: Measured = {
        "taken": date.today().isoformat(),
        "commit": _commit(),
        "machine": machine(),
        "log_mb": sum(file.stat().st_size for file in files) / 1e6,
    }
    for task in TASKS:
        if task not in LEFT_OUT.get(n_lines, ()):
            found[task] = median_of(task, folder, ONCE.get((n_lines, task), REPEATS))
    if not LEFT_OUT.get(n_lines):
        found["ratios"] = ratios({task: found[task]["cpu_seconds"] for task in TASKS})
        found["rfm_agrees"] = rfm_difference(folder)
        found["panel_agrees"] = panel_differences(folder)
    return found


def _commit() -> str:
    command = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def median_of(task: str, folder: Path, repeats: int) -> Measured:
    """Medians of the numbers over the repeats; the last output stays in the folder."""
    runs = []
    for _ in range(repeats):
        for left in folder.glob(f"{task}*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        command = [sys.executable, str(HERE / "feature_tasks.py"), task]
        command += [f"{folder}/log/*.parquet", str(folder / task)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        runs.append(json.loads(done.stdout))
        print(f"{task:20s} {json.dumps(runs[-1])}", flush=True)
    return {"runs": repeats} | _medians(runs)


def _medians(runs: list[Measured]) -> Measured:
    first = runs[0]
    return {
        name: _medians([run[name] for run in runs])
        if isinstance(first[name], dict)
        else float(np.median([run[name] for run in runs]))
        for name in first
    }


def ratios(cpu: dict[str, float]) -> dict[str, float]:
    """Processor seconds against those of the peers."""
    return {
        "lifetimes / rfm": cpu["rfm_by_lifetimes"] / cpu["rfm"],
        "rfm / scan": cpu["rfm"] / cpu["scan_rfm_columns"],
        "sql / panel": cpu["panel_by_sql"] / cpu["panel"],
        "panel / scan": cpu["panel"] / cpu["scan_all_columns"],
        "panel of log / scan": cpu["panel_of_log"] / cpu["scan_all_columns"],
    }


def rfm_difference(folder: Path) -> Measured:
    """Customers with a row, and how far ours and those of lifetimes are apart.

    Lifetimes counts a day of returns only as a purchase day, so only customers without any return
    are compared; the spend of a purchase day is net in both.
    """
    columns = ("frequency", "recency", "T", "monetary_value")
    apart = ", ".join(f"max(abs(ours.{name} - theirs.{name}))" for name in columns)
    found = duckdb.sql(
        f"SELECT count(*), {apart} FROM read_parquet('{folder}/rfm') ours "
        f"JOIN read_parquet('{folder}/rfm_by_lifetimes') theirs USING (customer_id) "
        "WHERE customer_id NOT IN "
        f"(SELECT customer_id FROM '{folder}/log/*.parquet' WHERE amount < 0)"
    ).fetchall()[0]
    count, *differences = found
    return {"customers": count} | dict(zip(columns, differences, strict=True))


def panel_differences(folder: Path) -> Measured:
    """Rows and features that agree; any that do not are named with the largest difference.

    Both must have the same customers and features, and the same values missing.
    """
    apart: dict[str, float] = {}
    rows = 0
    for cutoff in CUTOFFS:
        tables = [
            duckdb.sql(
                f"SELECT * FROM read_parquet('{folder}/{name}/as_of={cutoff}/*.parquet', "
                "hive_partitioning = false) ORDER BY customer_id"
            ).to_arrow_table()
            for name in ("panel", "panel_by_sql")
        ]
        assert tables[0]["customer_id"] == tables[1]["customer_id"]
        rows += tables[0].num_rows
        names, other = (set(table.column_names) - KEYS for table in tables)
        assert names == other, names ^ other
        for feature in sorted(names):
            ours, theirs = (table[feature].cast("float64").to_numpy() for table in tables)
            assert (np.isnan(ours) == np.isnan(theirs)).all(), feature
            relative = np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))
            apart[feature] = max(apart.get(feature, 0.0), float(np.nanmax(relative, initial=0)))
    worse = {name: value for name, value in apart.items() if value > TOLERANCE}
    return {"rows": rows, "features": len(apart), "within": TOLERANCE, "not_within": worse}


if __name__ == "__main__":
    main()
