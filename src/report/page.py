"""The run's report: one HTML page that needs no network."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from patronage.models.training_panel import SUBSCRIPTIONS
from patronage.report.counts import data_rows
from patronage.report.customers_table import MAX_TEXT, customers_table
from patronage.report.cuts import CUT_NAMES, PROFIT_NAMES, cuts_section
from patronage.report.explained import explained_section
from patronage.report.features_built import (
    features_left_out,
    features_sentence,
    features_unknown,
    leakage_texts,
)
from patronage.report.horizons import HEAD, NOTE, horizon_rows
from patronage.report.leaving import leaving_meaning, leaving_name, leaving_share
from patronage.report.pictures import pictures
from patronage.report.quality import (
    METRIC_NAMES,
    gate_sentence,
    quality_rows,
    quality_sentence,
)
from patronage.report.report_data import ReportData
from patronage.report.table_profiles import table_profiles
from patronage.report.templates import template
from patronage.report.tuning import gain_sentence
from patronage.report.value_models import MONTHS, model_comparison
from patronage.report.why_nobody import why_nobody
from patronage.retention.at_risk import REASONS
from patronage.retention.wording import chance, counted, money

FIRST_ROWS = 15
TABLE_ROWS = 1000


def write_report(path: Path, *, data: ReportData) -> None:
    """Write the page: headline, what to do now, charts, quality, data, settings and the list.

    Everything is inside the file, its content security policy forbids any request, and every text
    is escaped.

    Parameters
    ----------
    path
        The file; its folder exists.
    data
        What to show.
    """
    path.write_text(report_html(data), encoding="utf-8")


def report_html(data: ReportData) -> str:
    """The page as text."""
    chosen = data.at_risk[data.at_risk["selected"].astype(bool)]
    return template("report.html.j2").render(
        manifest=data.manifest,
        gate=gate_sentence(data.manifest),
        headline=_headline(data, chosen),
        tiles=_tiles(data, chosen),
        first=_first(chosen, data.currency),
        n_selected=len(chosen),
        leaving=leaving_meaning(
            data.setting("churn", "horizon_days"), data.setting("churn", "lead_days")
        ),
        nobody=_nobody(data),
        pictures=list(pictures(data)),
        quality=quality_sentence(data.metrics),
        tuning=gain_sentence(data.metrics["tuning"]) if "tuning" in data.metrics else "",
        test=data.metrics["test"],
        churned=data.metrics.get("train", {}).get("churned", {}),
        card=data.manifest.get("model", {}).get("card", False),
        metric_names=list(METRIC_NAMES.values()),
        quality_rows=quality_rows(data.metrics["test"]["models"]),
        horizons=horizon_rows(data.metrics, data.setting("churn", "horizon_days")),
        horizon_head=HEAD,
        horizon_note=NOTE,
        cuts=cuts_section(data.metrics, data.currency),
        cut_names=CUT_NAMES,
        score_names=PROFIT_NAMES,
        explained=explained_section(data.metrics),
        value_models=model_comparison(data.metrics),
        month_names=MONTHS,
        counts=data_rows(data.manifest),
        tables=table_profiles(data.manifest),
        tables_missing=data.manifest.get("tables_missing", ()),
        to_look_at=data.manifest.get("to_look_at", ()),
        features=features_sentence(data.manifest),
        unknown=features_unknown(data.manifest),
        left_out=features_left_out(data.manifest),
        leaks=leakage_texts(data.metrics),
        settings=list(flat(data.manifest.get("settings", {}))),
        versions=list(flat(data.manifest.get("versions", {}))),
        table=customers_table(
            data.at_risk.head(TABLE_ROWS), currency=data.currency, of=len(data.at_risk)
        ),
        table_rows=min(len(data.at_risk), TABLE_ROWS),
        list_rows=len(data.at_risk),
    )


def flat(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Name and text of every value of a nested mapping, in its order.

    Examples
    --------
    >>> list(flat({"kept": 1200, "churn": {"horizon_days": 90, "cutoffs": ["a", "b"]}}))
    [('kept', '1,200'), ('churn.horizon_days', '90'), ('churn.cutoffs', 'a, b')]
    """
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            yield from flat({str(n): one for n, one in enumerate(value, 1)}, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _text(value)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _headline(data: ReportData, chosen: pd.DataFrame) -> str:
    """The run in three sentences."""
    if data.at_risk.empty:
        return "No customer is eligible: nobody has bought within the active days."
    leaving = round(data.at_risk["p_churn"].sum())
    contracts = data.setting("churn", "label") == SUBSCRIPTIONS
    go = "let their subscription end" if contracts else "not buy again"
    days = data.setting("churn", "horizon_days")
    when = f" within {counted(days, 'day')}" if days else ""
    value = money(data.at_risk["value_at_risk"].sum(), data.currency)
    situation = (
        f"Of {counted(len(data.at_risk), 'active customer')}, about {leaving:,} will {go}"
        f"{when}. The value at risk, each one's chance to leave times "
        f"the margin to be expected if kept, adds up to {value}."
    )
    if chosen.empty:
        return f"{situation} {_nobody(data)}"
    cost, net = (chosen[name].sum() for name in ("action_cost", "expected_net_value"))
    return (
        f"{situation} Contacting {counted(len(chosen), 'customer')} costs "
        f"{money(cost, data.currency)} and should bring {money(net, data.currency)} beyond that."
    )


def _nobody(data: ReportData) -> str:
    budget = float(data.setting("retention", "budget") or 0)
    return why_nobody(data.at_risk, budget=budget, currency=data.currency)


def _tiles(data: ReportData, chosen: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Name, number and what it means."""
    at_risk, currency = data.at_risk, data.currency
    return [
        ("Active customers", f"{len(at_risk):,}", ""),
        (
            leaving_name(data.setting("churn", "horizon_days")),
            f"{at_risk['p_churn'].sum():,.0f}",
            leaving_share(at_risk["p_churn"], data.metrics["test"]),
        ),
        (
            "Value at risk",
            money(at_risk["value_at_risk"].sum(), currency),
            "chance to leave × value if kept",
        ),
        ("To contact", f"{len(chosen):,}", ""),
        ("Expected cost", money(chosen["action_cost"].sum(), currency), ""),
        ("Expected net value", money(chosen["expected_net_value"].sum(), currency), ""),
    ]


def _first(chosen: pd.DataFrame, currency: str) -> list[dict[str, Any]]:
    """The first customers to contact, as texts."""
    return [
        {
            "customer": str(row["customer_id"])[:MAX_TEXT],
            "action": str(row["action"]),
            "do_by": f"{row['do_by']:%Y-%m-%d}",
            "reasons": [row[name] for name in REASONS if row[name]],
            "p_churn": chance(row["p_churn"]),
            "p_alive": chance(row["p_alive"]),
            "value_if_kept": money(row["value_if_kept"], currency),
            "net_value": money(row["expected_net_value"], currency),
        }
        for row in chosen.head(FIRST_ROWS).to_dict("records")
    ]
