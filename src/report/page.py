"""The run's report: one HTML page that needs no network."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from patronage.report.counts import data_rows
from patronage.report.customers_table import customers_table
from patronage.report.cuts import CUT_NAMES, PROFIT_NAMES, cuts_section
from patronage.report.explained import explained_section
from patronage.report.features_built import (
    features_left_out,
    features_sentence,
    features_unknown,
    leakage_texts,
)
from patronage.report.first_rows import first_rows
from patronage.report.horizons import HEAD, NOTE, horizon_rows
from patronage.report.label_words import judged_on
from patronage.report.leaving import leaving_share
from patronage.report.pictures import pictures
from patronage.report.quality import (
    METRIC_NAMES,
    gate_sentence,
    intervals_sentence,
    quality_rows,
    quality_sentence,
)
from patronage.report.report_data import ReportData
from patronage.report.table_profiles import table_profiles
from patronage.report.templates import template
from patronage.report.tuning import gain_sentence
from patronage.report.value_models import MONTHS, model_comparison
from patronage.report.why_nobody import why_nobody
from patronage.retention.wording import counted, money

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
    chosen = data.chosen
    return template("report.html.j2").render(
        manifest=data.manifest,
        gate=gate_sentence(data.manifest),
        headline=_headline(data, chosen),
        tiles=_tiles(data, chosen),
        first=first_rows(chosen if data.has_policy else data.at_risk, data.currency),
        policy=data.has_policy,
        n_selected=len(chosen),
        leaving=data.words.meaning,
        nobody=_nobody(data),
        pictures=list(pictures(data)),
        quality=quality_sentence(data.metrics),
        intervals=intervals_sentence(data.metrics),
        notes=_notes(data),
        tuning=gain_sentence(data.metrics["tuning"]) if "tuning" in data.metrics else "",
        test=data.metrics["test"],
        judged=_judged(data),
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
        leaks_used=data.setting("snapshot", "leaks") != "leave_out",
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
        return data.words.nobody_eligible
    leaving = round(data.at_risk["p_churn"].sum())
    noun, _, rest = data.words.customers.partition("customer")
    who = counted(len(data.at_risk), f"{noun}customer") + rest
    situation = f"Of {who}, about {leaving:,} {data.words.will}.{_value_at_risk(data)}"
    if not data.has_policy:
        return situation
    if chosen.empty:
        return f"{situation} {_nobody(data)}"
    cost, net = (chosen[name].sum() for name in ("action_cost", "expected_net_value"))
    return (
        f"{situation} Contacting {counted(len(chosen), 'customer')} costs "
        f"{money(cost, data.currency)} and should bring {money(net, data.currency)} beyond that."
        f"{_gone_already(data, chosen)}"
    )


def _gone_already(data: ReportData, chosen: pd.DataFrame) -> str:
    """How many of the chosen have probably stopped: whether offers bring them back is assumed."""
    if data.words.of_contracts or "p_alive" not in chosen:
        return ""
    gone = round((1 - chosen["p_alive"]).sum())
    if not gone:
        return ""
    return (
        f" About {gone:,} of them may have left for good already; that an offer brings back as "
        "many of these as of the others is an assumption (accept_rate, min_p_alive)."
    )


def _value_at_risk(data: ReportData) -> str:
    if "value_at_risk" not in data.at_risk:
        return ""
    value = money(data.at_risk["value_at_risk"].sum(), data.currency)
    return (
        " The value at risk, each one's chance to leave times the margin to be expected if kept, "
        f"adds up to {value}."
    )


def _notes(data: ReportData) -> list[str]:
    """What to know of whom is listed."""
    scored = data.manifest.get("counts", {}).get("scored", {})
    if not scored.get("learnt_from"):
        return []
    gone = counted(scored["customers"] - scored["eligible"], "customer")
    return [
        f"Every row of the table says whether the customer left, so that {gone} who have left are "
        "not listed, and the model has learnt from most of those who are. As they were known to "
        "have stayed, read the chances as who resembles those that left; for a forecast, score "
        "customers whose label is not known yet: [snapshot] to_score."
    ]


def _judged(data: ReportData) -> str:
    """Who the model was judged by, and what they did."""
    test = data.metrics["test"]
    return (
        f"{'Out of time: ' if test['as_of'] else ''}{counted(test['n'], 'customer')} "
        f"{judged_on(test)}, {test['churn_rate']:.1%} of whom left, {data.words.did}. A "
        "dash: the score is no probability."
    )


def _nobody(data: ReportData) -> str:
    if not data.has_policy:
        return data.words.nobody_eligible
    budget = float(data.setting("retention", "budget") or 0)
    return why_nobody(data.at_risk, budget=budget, currency=data.currency)


def _tiles(data: ReportData, chosen: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Name, number and what it means."""
    at_risk, currency, words = data.at_risk, data.currency, data.words
    who = words.customers.replace("customer", "customers", 1)
    tiles = [
        (who[0].upper() + who[1:], f"{len(at_risk):,}", ""),
        (
            words.expected_name,
            f"{at_risk['p_churn'].sum():,.0f}",
            "" if _notes(data) else leaving_share(at_risk["p_churn"], data.metrics["test"]),
        ),
    ]
    if "value_at_risk" in at_risk:
        at_stake = money(at_risk["value_at_risk"].sum(), currency)
        tiles.append(("Value at risk", at_stake, "chance to leave × value if kept"))
    if data.has_policy:
        sums = {name: chosen[name].sum() for name in ("action_cost", "expected_net_value")}
        tiles += [
            ("To contact", f"{len(chosen):,}", ""),
            ("Expected cost", money(sums["action_cost"], currency), ""),
            ("Expected net value", money(sums["expected_net_value"], currency), ""),
        ]
    return tiles
