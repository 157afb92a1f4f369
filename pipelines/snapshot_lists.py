"""From the scores of a snapshot to what people read: list, workbook, report, model card."""

from dataclasses import replace

import numpy as np
import pandas as pd

from patronage.data.snapshot import CUSTOMER, DAY, VALUE
from patronage.pipelines.carding import copy_card
from patronage.pipelines.judging import in_money
from patronage.pipelines.lists import REASONS_FOR, no_reasons, selected_figures, workbook_facts
from patronage.pipelines.run_folder import RunFolder
from patronage.pipelines.score import CUSTOMERS, FEATURES_SEEN
from patronage.report import ReportData, write_at_risk_csv, write_at_risk_xlsx, write_report
from patronage.report.label_words import LabelWords
from patronage.retention import RetentionPolicy, at_risk_list
from patronage.retention.at_risk import REASONS
from patronage.retention.column_reasons import column_reasons
from patronage.snapshot_settings import SnapshotSettings
from patronage.tracking.champion import LoadedModel
from patronage.tracking.store import Store
from patronage.tracking.training_run import VALUE as VALUE_IF_KEPT
from patronage.tracking.training_run import Judged, judgement_of

_NOT_KNOWN = ("expected_purchases", "expected_spend", "days_since_last", "usual_gap_days")
_NOT_SAID = (*_NOT_KNOWN, "p_alive", "clv")
_SHOWN = (
    *("customer_id", "as_of", "run_id", "model_version", "rank", "p_churn", "p_churn_low"),
    *("p_churn_high", "percentile", VALUE_IF_KEPT, "value_at_risk", *REASONS, "outcome"),
)
"""The list's columns where no action has a cost; the values where they are known."""


def write_snapshot_lists(
    settings: SnapshotSettings, run: RunFolder, store: Store, model: LoadedModel
) -> None:
    """Write list, report and metrics.json into the run's folder; a workbook where costs are given.

    Listed is who is not known to have left, of the newest day among the rows scored.
    """
    with run.step("list"):
        judged = _judged(settings, store, model)
        scores = pd.read_parquet(run.path / CUSTOMERS).rename(columns={VALUE: VALUE_IF_KEPT})
        here = scores["eligible"] & (scores[DAY] == scores[DAY].max())
        customers = scores[here].assign(run_id=run.run_id).reset_index(drop=True)
        at_risk = _listed(settings, run, model, customers, judged)
        run.manifest["counts"]["listed"] = (
            selected_figures(at_risk) if "selected" in at_risk else {"at_risk": len(at_risk)}
        )
        run.manifest["model"] = {"version": model.version}
    with run.step("report"):
        run.manifest["model"]["card"] = copy_card(store, model.run_id, run.path)
        run.write_json("metrics.json", judged.metrics)
        write_at_risk_csv(at_risk, run.path / "at_risk.csv")
        _write_workbook(settings, run, at_risk, judged)
        data = ReportData(
            at_risk=at_risk,
            customers=customers,
            metrics=judged.metrics,
            manifest={**run.manifest, "currency": _currency(settings)},
            evaluation=judged.scores,
        )
        write_report(run.path / "report.html", data=data)


def _judged(settings: SnapshotSettings, store: Store, model: LoadedModel) -> Judged:
    """How the model did when it was trained; in money, by the costs of today."""
    judged = judgement_of(store, model.run_id)
    if settings.retention is None:
        return judged
    metrics = in_money(judged.metrics, judged.scores, settings.retention.actions)
    return replace(judged, metrics=metrics)


def _listed(
    settings: SnapshotSettings,
    run: RunFolder,
    model: LoadedModel,
    customers: pd.DataFrame,
    judged: Judged,
) -> pd.DataFrame:
    """Customers with their reasons: by what contacting them brings, or by their chance to leave."""
    if settings.retention is None:
        ranked = _by_chance(customers)
        reasons = _reasons(run, model, ranked.head(REASONS_FOR), judged)
        told = ranked.drop(columns=list(REASONS)).merge(reasons, on=CUSTOMER, how="left")
        filled = told.fillna(dict.fromkeys(REASONS, ""))
        return filled[[name for name in _SHOWN if name in filled]]
    policy = RetentionPolicy.from_settings(settings.retention)
    blank = dict.fromkeys(_NOT_KNOWN, np.nan)
    asked = customers.assign(p_alive=1.0, clv=customers[VALUE_IF_KEPT], **blank)
    day = pd.Timestamp(str(run.manifest["as_of"])).date()
    ranked = at_risk_list(asked, no_reasons(), policy, as_of=day)
    first = ranked.sort_values("selected", ascending=False, kind="stable").head(REASONS_FOR)
    reasons = _reasons(run, model, first, judged)
    at_risk = at_risk_list(asked, reasons, policy, as_of=day)
    return at_risk.drop(columns=list(_NOT_SAID))


def _by_chance(customers: pd.DataFrame) -> pd.DataFrame:
    ranked = customers.sort_values(["p_churn", CUSTOMER], ascending=[False, True])
    return ranked.reset_index(drop=True).assign(
        rank=np.arange(1, len(ranked) + 1),
        percentile=lambda rows: rows["p_churn"].rank(method="max", pct=True) * 100,
        outcome="",
        **dict.fromkeys(REASONS, ""),
    )


def _reasons(
    run: RunFolder, model: LoadedModel, first: pd.DataFrame, judged: Judged
) -> pd.DataFrame:
    """Why, of the customers given; nothing where an earlier release trained the version."""
    inputs = judged.metrics.get("explained", {}).get("inputs")
    if inputs is None or first.empty:
        return no_reasons()
    seen = pd.read_parquet(
        run.path / FEATURES_SEEN, filters=[(CUSTOMER, "in", list(first[CUSTOMER]))]
    )
    features = seen.merge(first[[CUSTOMER, "p_churn"]], on=CUSTOMER)
    return column_reasons(features, model.snapshot_scorer.churn.contributions(features), inputs)


def _write_workbook(
    settings: SnapshotSettings, run: RunFolder, at_risk: pd.DataFrame, judged: Judged
) -> None:
    if settings.retention is None:
        return
    write_at_risk_xlsx(
        at_risk,
        run.path / "at_risk.xlsx",
        currency=_currency(settings),
        policy=RetentionPolicy.from_settings(settings.retention),
        summary=workbook_facts(run, judged, at_risk),
        words=LabelWords.of(run.manifest["settings"]),
    )


def _currency(settings: SnapshotSettings) -> str:
    return "" if settings.ledger is None else settings.ledger.currency
