"""docs/scale.md out of benchmarks/results/features.json, so that no figure in it is typed.

python benchmarks/scale.py
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULT = HERE / "results" / "features.json"
TEMPLATE = HERE / "scale_page.md"
"""The page with a place for each figure."""
DOCUMENT = HERE.parent / "docs" / "scale.md"
SIZES = {
    "1 million lines": "1,000,000 lines",
    "10 million": "10,000,000 lines",
    "100 million": "100,000,000 lines",
}
NONE = "not measured"
BILLION_LINES = 100
BYTES_A_LINE = 60
"""Nine columns in memory."""

Measured = dict[str, Any]

_ROWS: dict[str, tuple[str, Callable[[float], str]]] = {
    "log on disk, MB": ("log_mb", "{:,.0f}".format),
    "scan of the RFM columns, CPU s": ("scan_rfm_columns.cpu_seconds", "{:,.2f}".format),
    "scan of all columns, CPU s": ("scan_all_columns.cpu_seconds", "{:,.2f}".format),
    "RFM, CPU s": ("rfm.cpu_seconds", "{:,.2f}".format),
    "RFM, peak memory, GB": ("rfm.peak_rss_gb", "{:,.2f}".format),
    "RFM by lifetimes, CPU s": ("rfm_by_lifetimes.cpu_seconds", "{:,.2f}".format),
    "panel of customer days, 12 cutoffs, CPU s": ("panel.cpu_seconds", "{:,.2f}".format),
    "the same, peak memory, GB": ("panel.peak_rss_gb", "{:,.2f}".format),
    "the same by SQL, CPU s": ("panel_by_sql.cpu_seconds", "{:,.2f}".format),
    "the same by SQL, peak memory, GB": ("panel_by_sql.peak_rss_gb", "{:,.2f}".format),
    "panel of the log, 12 cutoffs, CPU s": ("panel_of_log.cpu_seconds", "{:,.2f}".format),
    "whole way: read and checked, CPU s": (
        "run.stages_cpu_seconds.read and check",
        "{:,.2f}".format,
    ),
    "whole way: collapsed, CPU s": ("run.stages_cpu_seconds.collapse", "{:,.2f}".format),
    "whole way: panel at 3 cutoffs, CPU s": ("run.stages_cpu_seconds.panel", "{:,.2f}".format),
    "whole way, seconds on the wall": ("run.seconds", "{:,.0f}".format),
    "whole way, peak memory, GB": ("run.peak_rss_gb", "{:,.2f}".format),
    "parts that the customers were cut into": ("run.parts", "{:,.0f}".format),
    "the ledger's database, MB": ("run.database_mb", "{:,.0f}".format),
    "panel at 3 cutoffs: features": ("run.features", "{:,.0f}".format),
    "panel at 3 cutoffs: rows": ("run.rows", "{:,.0f}".format),
    "panel at 3 cutoffs on disk, MB": ("run.output_mb", "{:,.0f}".format),
    "load of the machine when the whole way began": ("run.load_before", "{:,.1f}".format),
    "taken on": ("taken", str),
    "at commit": ("commit", str),
}


def scale_markdown(results: dict[str, Measured]) -> str:
    """The page, out of the figures of all sizes."""
    ten, hundred = (results[SIZES[name]] for name in ("10 million", "100 million"))
    return TEMPLATE.read_text().format(
        table=_table(results),
        notes=" ".join(found["note"] for found in results.values() if "note" in found),
        processors=ten["machine"]["processors"],
        bytes_a_line=BYTES_A_LINE,
        **_comparison(ten),
        **_growth(ten, hundred),
    )


def write_scale() -> None:
    """Write the page anew, once there are figures of all sizes."""
    results = json.loads(RESULT.read_text())
    if set(SIZES.values()) <= set(results):
        DOCUMENT.write_text(scale_markdown(results))


def _table(results: dict[str, Measured]) -> str:
    head = ["| | " + " | ".join(SIZES) + " |", "| --- |" + " ---: |" * len(SIZES)]
    rows = [
        f"| {label} | {' | '.join(_cell(results[size], *row) for size in SIZES.values())} |"
        for label, row in _ROWS.items()
    ]
    return "\n".join([*head, *rows])


def _cell(found: Measured, path: str, shown: Callable[[Any], str]) -> str:
    value: Any = found
    for name in path.split("."):
        if name not in value:
            return NONE
        value = value[name]
    return shown(value)


def _comparison(found: Measured) -> Measured:
    """Ours and the peers."""
    panel, ratios = found["panel"], found["ratios"]
    return {
        "rfm_scans": ratios["rfm / scan"],
        "lifetimes": ratios["lifetimes / rfm"],
        "sql": ratios["sql / panel"],
        "sql_runs": _times(found["panel_by_sql"]["runs"]),
        "ten_runs": _times(found["run"]["runs"]),
        "features": found["panel_agrees"]["features"],
        "within": found["panel_agrees"]["within"],
        "rows": panel["rows"],
        "row_bytes": 1e6 * panel["output_mb"] / panel["rows"],
        "log_features": f"{found['panel_of_log']['features']:.0f}",
        "log_scans": ratios["panel of log / scan"],
    }


def _times(runs: int) -> str:
    return "once" if runs == 1 else f"{runs} times"


def _growth(ten: Measured, hundred: Measured) -> Measured:
    """Processor time per line, and what follows for a hundred billion of them."""
    small, large = (
        {name: 1e6 * spent / n_lines for name, spent in found["run"]["stages_cpu_seconds"].items()}
        for found, n_lines in ((ten, 1e7), (hundred, 1e8))
    )
    hours = BILLION_LINES * 1e9 / 1e6 / 3600
    stages = {
        "read": large["read and check"],
        "collapse": small["collapse"],
        "panel": small["panel"],
    }
    thousands = BILLION_LINES * 1e9 / 1e8
    return {
        **{name: spent for name, spent in stages.items() if name != "collapse"},
        **{f"{name}_hours": spent * hours for name, spent in stages.items()},
        "collapse_small": small["collapse"],
        "collapse_large": large["collapse"],
        "parts": hundred["run"]["parts"],
        "minutes": 60 * sum(stages.values()) * hours / 400,
        "log_tb": thousands * hundred["log_mb"] / 1e6,
        "panel_tb": 10 * thousands * ten["run"]["output_mb"] / 1e6,
        "shuffle": BILLION_LINES * 1e9 * BYTES_A_LINE / 1e12,
        "memory": ten["run"]["peak_rss_gb"],
        "executor": 4 * ten["run"]["peak_rss_gb"],
    }


if __name__ == "__main__":
    write_scale()
