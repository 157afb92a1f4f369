"""What a challenger is judged by at the gate: the scores, the money, and the champion if fair."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sklearn.base import clone

from patronage.config import Action, Settings, ValueSection
from patronage.errors import DataError
from patronage.models import CustomerValueModel, GammaGammaModel, PurchaseModel
from patronage.models.churn_evaluation import OURS
from patronage.models.panel_matrix import changed_kinds
from patronage.models.scorer import RFM
from patronage.models.training_panel import LabelRule
from patronage.pipelines.champion_terms import other_features, refuse_a_day_before_the_champion
from patronage.pipelines.prepare import Prepared
from patronage.retention.judged_money import judged_money
from patronage.snapshot_settings import SnapshotSettings
from patronage.tracking.champion import LoadedModel
from patronage.tracking.comparing_anew import BASELINES
from patronage.tracking.gate import Money, Verdict, judge
from patronage.tracking.registry import GateTerms
from patronage.tracking.training_run import VALUE

log = logging.getLogger(__name__)


def gate_terms(settings: Settings | SnapshotSettings) -> GateTerms:
    """What the settings say of the gate."""
    lowest, highest = settings.tracking.calibration_slope
    actions = [] if settings.retention is None else settings.retention.actions
    return GateTerms(actions, (lowest, highest))


def with_value(
    scores: pd.DataFrame,
    test: pd.DataFrame,
    prepared: Prepared,
    purchases: PurchaseModel,
    terms: ValueSection,
) -> pd.DataFrame:
    """The scores, and each test customer's `value_if_kept` as it was known on the test cutoff.

    Without it, and with a warning, where no value model can be fitted on that day's past.
    """
    cutoff = test["as_of"].iloc[0].date()
    value = CustomerValueModel(clone(purchases), GammaGammaModel())
    try:
        value.fit_days(prepared.days, as_of=cutoff)
        kept = value.value_if_kept(
            test[["customer_id", "as_of", *RFM]],
            terms.horizon_days,
            terms.annual_discount_rate,
            terms.margin,
        )
    except DataError as error:
        log.warning("the scores are not judged in money: as of %s, %s", cutoff, error)
        return scores
    return scores.assign(**{VALUE: kept.to_numpy()})


def in_money(
    metrics: Mapping[str, Any], scores: pd.DataFrame, actions: Sequence[Action]
) -> dict[str, Any]:
    """The metrics with `test.money`: what each probability would have brought with these actions.

    As they were, where the value of the test customers is not known.
    """
    if VALUE not in scores:
        return dict(metrics)
    models = metrics["test"]["models"]
    names = [name for name, known in models.items() if known["log_loss"] is not None]
    money = judged_money(scores, names, value=VALUE, actions=actions)
    return {**metrics, "test": {**metrics["test"], "money": money}}


def verdict_on(
    scores: pd.DataFrame,
    test: pd.DataFrame,
    champion: LoadedModel | None,
    rule: LabelRule,
    prepared: Prepared,
    terms: GateTerms,
) -> Verdict:
    """Compare with the baselines, and with the champion in force on the same rows.

    Raises
    ------
    SettingsError
        If another training has made a model of a later day champion meanwhile.
    """
    refuse_a_day_before_the_champion(champion, prepared.as_of)
    fair = _if_fair(champion, rule, test, prepared)
    return judge(
        scores["churned"],
        scores[OURS],
        to_beat={name: scores[name] for name in BASELINES},
        # Its own value model has seen days after the test cutoff; the table's has not.
        champion=None if fair is None else fair.scorer.churn.predict_proba(test),
        money=Money(scores[VALUE], terms.actions) if VALUE in scores else None,
        slopes=terms.slopes,
    )


def _if_fair(
    champion: LoadedModel | None, rule: LabelRule, test: pd.DataFrame, prepared: Prepared
) -> LoadedModel | None:
    """The champion, if it answers the same question, can be asked, and has not seen the answers."""
    if champion is None:
        return None
    reason = _unfair(champion, rule, test, prepared)
    if reason:
        log.warning("champion %s is not compared: %s", champion.version, reason)
        return None
    return champion


def _unfair(
    champion: LoadedModel, rule: LabelRule, test: pd.DataFrame, prepared: Prepared
) -> str | None:
    scorer, test_day = champion.scorer, test["as_of"].iloc[0].date()
    if scorer.rule != rule:
        return "it has another horizon or eligibility"
    if scorer.knows_labels_until > test_day:
        return f"it was trained on labels after {test_day}"
    faults = other_features(scorer, prepared.tables.own)
    missing = [name for name in scorer.churn.features if name not in test]
    faults += [f"it needs {', '.join(missing)}, not among the features of today"] if missing else []
    here = [name for name in scorer.churn.features if name in test]
    changed = changed_kinds(test, here, scorer.churn.categories_)
    faults += [f"of another kind now: {one}" for one in changed]
    return "; ".join(faults) or None
