"""Whether the champion fits the settings and the day it is asked for."""

import logging
from datetime import date

from patronage.config import Settings
from patronage.errors import SettingsError
from patronage.models.scorer import CustomerScorer
from patronage.tracking.champion import LoadedModel, champion_or_none
from patronage.tracking.store import Store

log = logging.getLogger(__name__)


def refuse_other_terms(model: LoadedModel, settings: Settings) -> None:
    """Stop when scores would not mean what the settings say.

    Raises
    ------
    SettingsError
        If the model was trained with another horizon, margin, currency ...; names each.
    """
    trained, wanted = _trained_with(model.scorer), _wanted(settings)
    differ = [key for key in wanted if trained[key] != wanted[key]]
    if differ:
        lines = "\n".join(f"  {key} = {wanted[key]}, not {trained[key]}" for key in differ)
        raise SettingsError(
            f"model version {model.version} was trained with other settings; they now say\n{lines}"
            "\nTrain anew: patronage train, or set them back."
        )


def refuse_a_day_before_the_champion(store: Store, as_of: date) -> None:
    """Stop a training run that would put a model of the past in the place of a newer one.

    Raises
    ------
    SettingsError
        If the champion was trained as of a later day.
    """
    champion = champion_or_none(store)
    if champion is not None and champion.scorer.as_of > as_of:
        raise SettingsError(
            f"as_of = {as_of} lies before the day of the champion, version {champion.version}, "
            f"{champion.scorer.as_of}. To train for a day in the past, keep its models apart: "
            "[tracking] folder = ..."
        )


def warn_of_hindsight(model: LoadedModel, as_of: date) -> None:
    """Say so when the model has seen days after the one it scores."""
    if model.scorer.as_of > as_of:
        log.warning(
            "model version %s was trained as of %s, after %s: these scores know more than was "
            "known then",
            model.version,
            model.scorer.as_of,
            as_of,
        )


def _trained_with(scorer: CustomerScorer) -> dict[str, object]:
    return {
        "[ledger] currency": scorer.currency,
        "[features] active_days": scorer.rule.active_days,
        "[churn] horizon_days": scorer.rule.horizon_days,
        "[churn] lead_days": scorer.rule.lead_days,
        "[value] horizon_days": scorer.value_horizon,
        "[value] margin": scorer.margin,
        "[value] annual_discount_rate": scorer.annual_discount_rate,
    }


def _wanted(settings: Settings) -> dict[str, object]:
    return {
        "[ledger] currency": settings.ledger.currency,
        "[features] active_days": settings.features.active_days,
        "[churn] horizon_days": settings.churn.horizon_days,
        "[churn] lead_days": settings.churn.lead_days,
        "[value] horizon_days": settings.value.horizon_days,
        "[value] margin": settings.value.margin,
        "[value] annual_discount_rate": settings.value.annual_discount_rate,
    }
