"""What a challenger is judged by at the gate: the scores, the money, and the champion if fair."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
from sklearn.base import clone

from patronage.config import Action, Settings, ValueSection
from patronage.errors import DataError
from patronage.models import CustomerValueModel, GammaGammaModel, PurchaseModel
from patronage.models.churn_evaluation import OURS
from patronage.models.scorer import RFM
from patronage.models.training_panel import LabelRule
from patronage.pipelines.champion_terms import other_features, refuse_a_day_before_the_champion
from patronage.pipelines.prepare import Prepared
from patronage.retention.judged_money import judged_money
from patronage.tracking.champion import LoadedModel
from patronage.tracking.comparing_anew import BASELINES
from patronage.tracking.gate import Money, Verdict, judge
from patronage.tracking.registry import GateTerms
from patronage.tracking.training_run import VALUE

log = logging.getLogger(__name__)


def gate_terms(settings: Settings) -> GateTerms:
    """What the settings say of the gate."""
    lowest, highest = settings.tracking.calibration_slope
    return GateTerms(settings.retention.actions, (lowest, highest))


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
    fair = _if_fair(champion, rule, test["as_of"].iloc[0].date(), prepared)
    return judge(
        scores["churned"],
        scores[OURS],
        to_beat={name: scores[name] for name in BASELINES},
        champion=None if fair is None else fair.score(test)["p_churn"],
        champion_in_force=None if champion is None else champion.version,
        money=Money(scores[VALUE], terms.actions) if VALUE in scores else None,
        slopes=terms.slopes,
    )


def _if_fair(
    champion: LoadedModel | None, rule: LabelRule, test_day: date, prepared: Prepared
) -> LoadedModel | None:
    """The champion, if it answers the same question and has not seen the answers."""
    if champion is None:
        return None
    if champion.scorer.rule != rule:
        log.info("champion %s has another horizon or eligibility: not compared", champion.version)
        return None
    if champion.scorer.knows_labels_until > test_day:
        log.info(
            "champion %s was trained on labels after %s: not compared", champion.version, test_day
        )
        return None
    faults = other_features(champion.scorer, prepared.tables.own)
    if faults:
        log.info("champion %s is not compared: %s", champion.version, "; ".join(faults))
        return None
    return champion
