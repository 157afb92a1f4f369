"""One task of features.py in a process of its own: warmed up, then measured, then told as JSON.

python benchmarks/feature_tasks.py TASK LOG OUTPUT
"""

import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from panel_sql import write_panel_by_sql
from transaction_log import LAST_DAY, write_log

from patronage.config import load_settings
from patronage.data import read_ledger
from patronage.features import (
    CustomerTables,
    collapse_parts,
    customer_table_parts,
    monthly_cutoffs,
    rfm_summary,
    write_panel,
)

CUTOFFS = list(monthly_cutoffs(last=LAST_DAY, first=date(2022, 6, 1), count=12))
FEW_CUTOFFS = CUTOFFS[2::4]
RFM_COLUMNS = ("customer_id", "timestamp", "amount")
WARM_UP_LINES = 20_000

Facts = dict[str, Any]
SETTINGS = """
[ledger]
currency = "EUR"
[transactions]
source = "{source}"
[features]
active_days = 365
[churn]
horizon_days = 90
[value]
horizon_days = 365
margin = 0.3
annual_discount_rate = 0.1
[retention]
budget = 1000
owner = "Account managers"
[[retention.actions]]
name = "call"
contact_cost = 8.0
offer_cost = 0.0
accept_rate = 0.1
"""


def scan_rfm_columns(log: str, output: Path) -> Facts:
    """The floor of RFM."""
    duckdb.sql(
        f"SELECT sum(customer_id), max(timestamp), sum(amount) FROM read_parquet('{log}')"
    ).fetchall()
    return {}


def scan_all_columns(log: str, output: Path) -> Facts:
    """The floor of the panel."""
    duckdb.sql(
        "SELECT sum(customer_id), max(timestamp), sum(amount), sum(order_id), sum(product_id), "
        "max(category), sum(quantity), sum(discount), sum(margin) "
        f"FROM read_parquet('{log}')"
    ).fetchall()
    return {}


def rfm(log: str, output: Path) -> Facts:
    """RFM by this package."""
    lines = duckdb.sql(f"SELECT {', '.join(RFM_COLUMNS)} FROM read_parquet('{log}')")
    parts = (rfm_summary(part, as_of=LAST_DAY) for part in collapse_parts(lines, columns=()))
    return {"customers": _write(parts, output)}


def rfm_by_lifetimes(log: str, output: Path) -> Facts:
    """RFM by lifetimes."""
    from lifetimes.utils import summary_data_from_transaction_data

    lines = pq.read_table(Path(log).parent, columns=list(RFM_COLUMNS)).to_pandas()
    lines = lines[lines["timestamp"] < pd.Timestamp(LAST_DAY)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = summary_data_from_transaction_data(
            lines,
            *RFM_COLUMNS[:2],
            monetary_value_col="amount",
            observation_period_end=LAST_DAY,
        )
    return {"customers": _write([found.reset_index()], output)}


def panel(log: str, output: Path) -> Facts:
    """The features of customer days at twelve cutoffs by this package."""
    lines = duckdb.sql(f"FROM read_parquet('{log}')")
    return _panel(collapse_parts(lines), output)


def panel_of_log(log: str, output: Path) -> Facts:
    """All features that the log allows, those over its categories too."""
    lines = duckdb.sql(f"FROM read_parquet('{log}')")
    return _panel(customer_table_parts(lines), output)


def _panel(parts: Iterator[Any], output: Path) -> Facts:
    rows = write_panel(parts, output, cutoffs=CUTOFFS)
    return _panel_facts(output, rows)


def panel_by_sql(log: str, output: Path) -> Facts:
    """The features of customer days at the same cutoffs by DuckDB's SQL."""
    write_panel_by_sql(log, CUTOFFS, output)
    return {"features": _features(output), "output_mb": _megabytes(output)}


def run(log: str, output: Path) -> Facts:
    """Read, check, collapse and write all features at three cutoffs, each stage with a clock."""
    output.mkdir()
    settings = output / "patronage.toml"
    settings.write_text(SETTINGS.format(source=log))
    clock = _Clock()
    with read_ledger(
        load_settings(settings), read_at=datetime(2025, 1, 1), work_folder=output
    ) as ledger:
        stages = {"read and check": clock.lap()}
        database = _megabytes(output)
        parts = _Timed(customer_table_parts(ledger.transactions))
        rows = write_panel(parts, output / "panel", cutoffs=FEW_CUTOFFS)
        stages |= {"collapse": parts.spent, "panel": clock.lap() - parts.spent}
    return {
        "stages_cpu_seconds": stages,
        "parts": parts.count,
        "database_mb": database,
    } | _panel_facts(output / "panel", rows)


def _panel_facts(panel: Path, rows: dict[date, int]) -> Facts:
    return {
        "rows": int(sum(rows.values())),
        "features": _features(panel),
        "output_mb": _megabytes(panel),
    }


def _features(panel: Path) -> int:
    """Columns of the panel without its keys."""
    names = pq.read_schema(next(panel.rglob("*.parquet"))).names
    return len(set(names) - {"customer_id", "as_of", "eligible"})


TASKS: dict[str, Callable[[str, Path], Facts]] = {
    task.__name__: task
    for task in (
        scan_rfm_columns,
        scan_all_columns,
        rfm,
        rfm_by_lifetimes,
        panel,
        panel_by_sql,
        panel_of_log,
        run,
    )
}


class _Clock:
    """Processor seconds of this process since the last lap."""

    def __init__(self) -> None:
        self._last = cpu_seconds()

    def lap(self) -> float:
        now = cpu_seconds()
        self._last, spent = now, now - self._last
        return spent


class _Timed(Iterator[CustomerTables]):
    """Parts, and the processor seconds that they took to make."""

    def __init__(self, parts: Iterator[CustomerTables]) -> None:
        self._parts = parts
        self.count, self.spent = 0, 0.0

    def __next__(self) -> CustomerTables:
        start = cpu_seconds()
        try:
            part = next(self._parts)
        finally:
            self.spent += cpu_seconds() - start
        self.count += 1
        return part


def cpu_seconds() -> float:
    """User and system, of all threads of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_bytes() -> int:
    """Most memory of this process so far; that of getrusage begins at its parent's."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def _write(parts: Any, output: Path) -> int:
    rows, writer = 0, None
    for part in parts:
        table = pa.Table.from_pandas(part, preserve_index=False).replace_schema_metadata()
        writer = writer or pq.ParquetWriter(output, table.schema, compression="zstd")
        writer.write_table(table)
        rows += table.num_rows
    if writer is not None:
        writer.close()
    return rows


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def main(name: str, log: str, output: Path) -> None:
    """Warm up, then measure."""
    small = output.with_name(f"{output.name}-small")
    write_log(small, WARM_UP_LINES)
    TASKS[name](f"{small}/*.parquet", output.with_name(f"{output.name}-warm"))
    load, start, used = os.getloadavg()[0], time.perf_counter(), cpu_seconds()
    facts = TASKS[name](log, output)
    measured = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": cpu_seconds() - used,
        "peak_rss_gb": peak_bytes() / 1e9,
        "load_before": load,
        "load_after": os.getloadavg()[0],
    }
    print(json.dumps(measured | facts))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
