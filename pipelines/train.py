"""Training: panel, tuning, calibration, judgement out of time, registration, gate."""

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.base import clone

from patronage.config import Settings
from patronage.errors import DataError
from patronage.features import features_of
from patronage.features.catalogue import catalogue_rows
from patronage.features.panel_cache import PanelCache
from patronage.models import CustomerValueModel, GammaGammaModel, PurchaseModel, PurchaseSeason
from patronage.models.choose_purchases import PurchaseChoice, choose_purchases
from patronage.models.churn import ChurnModel
from patronage.models.churn_evaluation import OURS, Evaluation, evaluate
from patronage.models.further_horizons import FURTHER
from patronage.models.leakage_probes import leakage_suspicions
from patronage.models.purchase_tracking import track_purchases
from patronage.models.scorer import CustomerScorer
from patronage.models.segments import customer_divisions
from patronage.models.time_folds import mature_at
from patronage.models.training_panel import LabelRule, churned_shares, training_panel
from patronage.models.tuning_gain import tuning_gain
from patronage.pipelines.carding import keep_card
from patronage.pipelines.champion_terms import refuse_a_day_before_the_champion
from patronage.pipelines.explaining import explaining_figures, explanations, panel_inputs
from patronage.pipelines.further import further_days, train_further
from patronage.pipelines.judging import gate_terms, in_money, verdict_on, with_value
from patronage.pipelines.prepare import Prepared, label_rule, training_cutoffs
from patronage.pipelines.progress import tuning_progress
from patronage.pipelines.run_folder import RunFolder
from patronage.pipelines.season_settings import season_of
from patronage.report.tuning import gain_sentence
from patronage.tracking.champion import LoadedModel, usable_champion
from patronage.tracking.gate import Verdict
from patronage.tracking.registry import settle
from patronage.tracking.store import Store
from patronage.tracking.training_run import Judged, TrainingRecord, log_training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

TRIALS = "optuna.db"
"""In the tracking folder: every trial of every search; a study for each set of rows."""


def train(settings: Settings, prepared: Prepared, run: RunFolder, store: Store) -> Verdict:
    """Train a challenger, register it, and make it champion if it passes the gate."""
    rule = label_rule(settings)
    champion = usable_champion(store)
    refuse_a_day_before_the_champion(champion, prepared.as_of)
    cutoffs = training_cutoffs(settings, prepared.days, prepared.data_end)
    further_days(settings, prepared, cutoffs)  # refused before the long work begins
    with run.step("choose value model"):
        choice = _choose_purchases(prepared, cutoffs, rule, season_of(settings))
    with (
        run.step("panel", f"features at {len(cutoffs)} cutoffs"),
        panel_cache(settings, run) as cache,
    ):
        panel = training_panel(
            prepared.tables,
            cutoffs=cutoffs,
            rule=rule,
            data_end=prepared.data_end,
            purchases=choice.model,
            max_rows=settings.churn.max_rows,
            cache=cache,
        )
        learn, test = split_out_of_time(panel, rule)
        _tell_shares(panel, run)
    with run.step("look for leaks"):
        leaks = _leaks(prepared, panel)
    limits = f"{settings.churn.trials} trials, none begun after {settings.churn.seconds:g} seconds"
    with run.step("tune and train", f"{len(learn):,} rows, {limits}"):
        churn = _fit_churn(settings, prepared, learn, rule, champion)
    further = train_further(settings, prepared, run, panel, churn, choice.model)
    with run.step("evaluate"):
        evaluation = evaluate(churn, train=learn, test=test, features=churn.features)
        gain = tuning_gain(churn, learn, test)
        log.info("%s", gain_sentence(gain))
        value = _fit_value(prepared, choice.model)
        scorer = replace(_scorer(settings, prepared, value, churn), further=further.models)
        scores = with_value(evaluation.scores, test, prepared, choice.model, settings.value)
        metrics = _metrics(evaluation, scorer, learn, test)
        metrics |= {"value_models": choice.to_dict(), "leakage": leaks, "tuning": gain}
        metrics |= {FURTHER: further.figures} if further.figures else {}
        judged = Judged(
            scores=scores,
            tracking=_tracking(prepared, test, choice.model),
            metrics=in_money(metrics, scores, settings.retention.actions),
        )
    with run.step("explain"):
        inputs = panel_inputs(churn, test, features_of(prepared.tables))
        divisions = customer_divisions(test, churn.categories_)
        said = explanations(churn, learn, test, evaluation, inputs, divisions)
        judged = replace(judged, metrics={**judged.metrics, **said})
    with run.step("register"):
        record = TrainingRecord(
            scorer=scorer,
            panel=learn,
            test=test,
            judged=judged,
            figures=_figures(judged),
            settings=settings.model_dump(mode="json"),
            tags={"data_digest": prepared.digest, "as_of": str(prepared.as_of)},
            versions=run.manifest["versions"],
            catalogue=catalogue_rows(features_of(prepared.tables), prepared.tables.own),
        )
        registered = log_training(store, record, name=run.run_id)
    with run.step("gate"):
        terms = gate_terms(settings)
        verdict = settle(
            store,
            registered.version,
            lambda champion: verdict_on(judged.scores, test, champion, rule, prepared, terms),
            promoting=settings.tracking.promote == "gate",
        )
    with run.step("model card"):
        keep_card(store, run, registered, judged, verdict)
    run.manifest["training"] = {
        "version": registered.version,
        "mlflow_run_id": registered.run_id,
        "gate": verdict.to_dict(),
        "waits": verdict.passed and settings.tracking.promote == "manual",
        "leakage": leaks,
    }
    log.info("version %s at the gate:\n%s", registered.version, verdict)
    return verdict


@contextmanager
def panel_cache(settings: Settings, run: RunFolder) -> Iterator[PanelCache]:
    """Where training panels are kept; without a cache, in the run's folder while they are read."""
    asked = settings.features.cache
    scratch = run.path / ".panels"
    folder = Path(settings.run.outputs, ".panels") if asked is True else asked
    if folder is False:
        yield PanelCache(scratch, keep=0)
        shutil.rmtree(scratch)
    else:
        yield PanelCache(settings.path(folder), keep=settings.features.cache_panels)


def _tell_shares(panel: pd.DataFrame, run: RunFolder) -> None:
    """What share churned, cutoff by cutoff."""
    run.manifest["churned"] = churned_shares(panel)
    for day, one in run.manifest["churned"].items():
        log.info("as of %s: %s of %s churned", day, f"{one['share']:.1%}", f"{one['rows']:,}")


def split_out_of_time(panel: pd.DataFrame, rule: LabelRule) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to learn from, and the newest cutoff's rows, to judge by.

    What is learnt from was known on the day of the newest cutoff, labels included.

    Raises
    ------
    DataError
        If no other cutoff's label was known by then.
    """
    as_of = panel["as_of"].dt.date
    known = _known_at_newest(list(as_of.unique()), rule)
    return panel[as_of.isin(known)].reset_index(drop=True), panel[as_of == as_of.max()].reset_index(
        drop=True
    )


def _known_at_newest(cutoffs: Sequence[date], rule: LabelRule) -> tuple[date, ...]:
    """The cutoffs whose labels were known on the day of the newest one."""
    newest = max(cutoffs)
    known = mature_at(cutoffs, day=newest, label_days=rule.label_days)
    if not known:
        raise DataError(
            f"the history is too short to train and to judge out of time: the newest cutoff is "
            f"{newest}, the oldest {min(cutoffs)}, and a label is known {rule.label_days} days "
            "after its cutoff. Give a longer history, a shorter [churn] horizon_days, or cutoffs "
            "that reach further back: [churn] cutoffs, max_cutoffs."
        )
    return known


def _leaks(prepared: Prepared, panel: pd.DataFrame) -> list[dict[str, Any]]:
    """Warn of features that know too much; the run goes on."""
    found = leakage_suspicions(panel, features_of(prepared.tables), prepared.tables)
    for one in found:
        log.warning("%s: %s", one.probe, one.text)
    return [one.to_dict() for one in found]


def _choose_purchases(
    prepared: Prepared,
    cutoffs: Sequence[date],
    rule: LabelRule,
    season: PurchaseSeason | None = None,
) -> PurchaseChoice:
    """Choose by purchases that all came before the newest cutoff, which is kept to judge by."""
    cutoff = _known_at_newest(cutoffs, rule)[-1]
    choice = choose_purchases(
        prepared.days, cutoff=cutoff, horizon_days=rule.label_days, season=season
    )
    log.info("model of purchases, as of %s: %s", cutoff, choice.model)
    return choice


def _fit_churn(
    settings: Settings,
    prepared: Prepared,
    learn: pd.DataFrame,
    rule: LabelRule,
    champion: LoadedModel | None,
) -> ChurnModel:
    churn = settings.churn
    features = [f.name for f in features_of(prepared.tables) if learn[f.name].notna().any()]
    model = ChurnModel(
        features,
        label_days=rule.label_days,
        trials=churn.trials,
        seconds=churn.seconds,
        monotone=churn.monotone,
        from_value_model=not rule.is_contractual,
        seed=churn.seed,
    )
    with tuning_progress(churn.trials) as progress:
        return model.fit(
            learn,
            learn["churned"],
            kept_in=settings.path(settings.tracking.folder) / TRIALS,
            warm=[] if champion is None else [champion.scorer.churn.booster_.params],
            progress=progress,
        )


def _fit_value(prepared: Prepared, purchases: PurchaseModel) -> CustomerValueModel:
    # Silence past the end of the data is no silence of the customers'.
    value = CustomerValueModel(purchases, GammaGammaModel())
    value.fit_days(prepared.days, as_of=prepared.data_end)
    for part in (value.purchases_, value.spend_):
        if not part.converged_:
            log.info("%s", part.diagnosis_)
    return value


def _scorer(
    settings: Settings, prepared: Prepared, value: CustomerValueModel, churn: ChurnModel
) -> CustomerScorer:
    return CustomerScorer(
        value=value,
        churn=churn,
        rule=label_rule(settings),
        value_horizon=settings.value.horizon_days,
        margin=settings.value.margin,
        annual_discount_rate=settings.value.annual_discount_rate,
        currency=settings.ledger.currency,
        as_of=prepared.as_of,
        own_features={
            one.name: {"source": one.source, "digest": one.digest}
            for one in prepared.tables.own
            if one.name in churn.features
        },
    )


def _metrics(
    evaluation: Evaluation, scorer: CustomerScorer, learn: pd.DataFrame, test: pd.DataFrame
) -> dict[str, Any]:
    churn = scorer.churn
    return {
        "test": {"as_of": str(test["as_of"].iloc[0].date()), **evaluation.to_dict()},
        "train": {
            "cutoffs": [str(day) for day in churn.cutoffs_],
            "folds": churn.to_dict()["folds"],
            "rows": len(learn),
            "churned": churned_shares(learn),
            "trials": len(churn.tuned_.trials),
            "params": {**churn.tuned_.params, "n_trees": churn.tuned_.n_trees},
            "start": churn.start_.to_dict(),
            "calibration": churn.calibration_.to_dict(),
        },
        "value": scorer.value.to_dict(),
    }


def _tracking(prepared: Prepared, test: pd.DataFrame, purchases: PurchaseModel) -> pd.DataFrame:
    """Purchases against the expectation of a model that ends at the test cutoff."""
    cutoff = test["as_of"].iloc[0].date()
    model = clone(purchases).fit_days(prepared.days, as_of=cutoff)
    return track_purchases(prepared.days, model, end=prepared.data_end)


def _figures(judged: Judged) -> dict[str, "Figure"]:
    """The plots that MLflow keeps; the report draws them anew."""
    from patronage.report.calibration_chart import calibration_chart
    from patronage.report.gains_chart import gains_chart
    from patronage.report.tracking_chart import tracking_chart

    scores = judged.scores
    names = {OURS: OURS, "p_no_purchase": "P(no purchase)", "recency": "recency"}
    return {
        "calibration": calibration_chart(scores[OURS], scores["churned"]),
        "gains": gains_chart(scores, names),
        "tracking": tracking_chart(judged.tracking),
        **explaining_figures(judged.metrics["explained"]),
    }
