"""From scores to what people read: at-risk list as CSV and workbook, report as one page."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from patronage.config import Settings
from patronage.models.training_panel import PURCHASES
from patronage.pipelines.carding import copy_card
from patronage.pipelines.families import families_used
from patronage.pipelines.judging import in_money
from patronage.pipelines.run_folder import RunFolder
from patronage.pipelines.score import CUSTOMERS, FEATURES_SEEN
from patronage.report import (
    ReportData,
    gate_sentence,
    quality_sentence,
    write_at_risk_csv,
    write_at_risk_xlsx,
    write_report,
)
from patronage.report.label_words import LabelWords
from patronage.report.leaving import leaving_share
from patronage.retention import RetentionPolicy, at_risk_list, plain_reasons
from patronage.retention.wording import counted
from patronage.tracking.champion import LoadedModel
from patronage.tracking.store import Store
from patronage.tracking.training_run import Judged, judgement_of

REASONS_FOR = 20_000  # exact contributions cost about a second per 2,000 customers


def write_lists(settings: Settings, run: RunFolder, store: Store, model: LoadedModel) -> None:
    """Write at_risk.csv, at_risk.xlsx, report.html and metrics.json into the run's folder."""
    with run.step("list"):
        policy = _policy(settings)
        judged = _judged(store, model, policy)
        customers = _customers(run.path).assign(run_id=run.run_id)
        at_risk = _at_risk(settings, run, model, customers, policy, judged)
        run.manifest["counts"]["listed"] = selected_figures(at_risk)
        run.manifest["model"] = {
            "version": model.version,
            "trained_as_of": model.scorer.as_of,
        }
        run.manifest["families"] |= families_used(
            run.manifest["families"], run.path / FEATURES_SEEN, model.scorer.churn.features
        )
    with run.step("report"):
        run.manifest["model"]["card"] = copy_card(store, model.run_id, run.path)
        run.write_json("metrics.json", judged.metrics)
        write_at_risk_csv(at_risk, run.path / "at_risk.csv")
        at_risk = _shown(settings, at_risk)
        write_at_risk_xlsx(
            at_risk,
            run.path / "at_risk.xlsx",
            currency=settings.ledger.currency,
            policy=policy,
            summary=workbook_facts(run, judged, at_risk),
            words=LabelWords.of(run.manifest["settings"]),
        )
        write_report(
            run.path / "report.html",
            data=_report_data(settings, run, model, customers, at_risk, judged),
        )


def _policy(settings: Settings) -> RetentionPolicy:
    """Of the settings; but who has a contract in force is a customer, whatever they buy."""
    policy = RetentionPolicy.from_settings(settings.retention)
    return policy if settings.churn.label == PURCHASES else replace(policy, min_p_alive=0.0)


def _shown(settings: Settings, at_risk: pd.DataFrame) -> pd.DataFrame:
    """The list as people see it: what purchases say of being alive is nothing of a contract."""
    return at_risk if settings.churn.label == PURCHASES else at_risk.drop(columns="p_alive")


def _judged(store: Store, model: LoadedModel, policy: RetentionPolicy) -> Judged:
    """How the model did when it was trained; in money, by the costs of today."""
    judged = judgement_of(store, model.run_id)
    return replace(judged, metrics=in_money(judged.metrics, judged.scores, policy.actions))


def _customers(folder: Path) -> pd.DataFrame:
    """Scores of every customer, with what the list shows of the features."""
    scores = pd.read_parquet(folder / CUSTOMERS)
    shown = ["customer_id", "days_since_last", "usual_gap_days", "frequency"]
    features = pd.read_parquet(folder / FEATURES_SEEN, columns=shown)
    return scores.merge(features, on="customer_id", how="left")


def _at_risk(
    settings: Settings,
    run: RunFolder,
    model: LoadedModel,
    customers: pd.DataFrame,
    policy: RetentionPolicy,
    judged: Judged,
) -> pd.DataFrame:
    """The list, with reasons for its first rows."""
    as_of = date.fromisoformat(str(run.manifest["as_of"]))
    ranked = at_risk_list(customers, no_reasons(), policy, as_of=as_of)
    first = ranked.sort_values("selected", ascending=False, kind="stable").head(REASONS_FOR)
    ids = first["customer_id"].to_list()
    seen = pd.read_parquet(run.path / FEATURES_SEEN, filters=[("customer_id", "in", ids)])
    features = seen.assign(eligible=True)
    contributions = model.scorer.contributions(features)
    chances = features[["customer_id"]].merge(first[["customer_id", "p_churn"]], how="left")
    reasons = plain_reasons(
        features.assign(p_churn=chances["p_churn"].to_numpy()),
        contributions,
        currency=settings.ledger.currency,
        inputs=judged.metrics.get("explained", {}).get("inputs"),
    )
    return at_risk_list(customers, reasons, policy, as_of=as_of)


def selected_figures(at_risk: pd.DataFrame) -> dict[str, float]:
    """How many are listed and selected, and what that costs and brings."""
    selected = at_risk[at_risk["selected"]]
    return {
        "at_risk": len(at_risk),
        "selected": len(selected),
        "cost": round(float(selected["action_cost"].sum()), 2),
        "net_value": round(float(selected["expected_net_value"].sum()), 2),
    }


def no_reasons() -> pd.DataFrame:
    """Reasons of nobody, for a list made before they are known."""
    names = ("customer_id", "reason_1", "reason_2", "reason_3")
    return pd.DataFrame({name: pd.Series(dtype="str") for name in names})


def workbook_facts(run: RunFolder, judged: Judged, at_risk: pd.DataFrame) -> dict[str, str]:
    """What the workbook says about the list besides the list."""
    gate = gate_sentence(run.manifest)
    chances, words = at_risk["p_churn"], LabelWords.of(run.manifest["settings"])
    return {
        words.expected_name: (
            f"{counted(round(chances.sum()), 'customer')} of {len(chances):,} "
            f"({leaving_share(chances, judged.metrics['test']) or 'nobody is listed'})"
        ),
        "Leaving": words.meaning,
        **({} if gate is None else {"Model used": gate}),
        "Quality": quality_sentence(judged.metrics),
        **_days_covered(run.manifest.get("data", {})),
        "Model": f"version {run.manifest['model_version']}, run {run.manifest['run_id']}",
    }


def _days_covered(data: Mapping[str, Any]) -> dict[str, str]:
    """Of a log; a snapshot covers none."""
    if "first_day" not in data:
        return {}
    return {"Data": f"transactions of {data['first_day']} to {data['last_day']}"}


def _report_data(
    settings: Settings,
    run: RunFolder,
    model: LoadedModel,
    customers: pd.DataFrame,
    at_risk: pd.DataFrame,
    judged: Judged,
) -> ReportData:
    shown: dict[str, Any] = {
        "currency": settings.ledger.currency,
        "settings": settings.model_dump(mode="json"),
    }
    return ReportData(
        at_risk=at_risk,
        customers=customers,
        metrics=judged.metrics,
        manifest={**run.manifest, **shown},
        evaluation=judged.scores,
        tracking=judged.tracking,
        p_alive_matrix=model.scorer.value.purchases_.without_season.probability_alive,
    )
