"""Whether the champion fits the settings and the day it is asked for."""

import logging
from collections.abc import Sequence
from datetime import date

from patronage.config import Settings
from patronage.errors import SettingsError
from patronage.features.own_feature import OwnFeature
from patronage.models.scorer import CustomerScorer
from patronage.pipelines.prepare import label_rule
from patronage.tracking.champion import LoadedModel

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


def refuse_other_features(model: LoadedModel, own: Sequence[OwnFeature]) -> None:
    """Stop when a feature of the user's own is not what the model was trained with.

    Raises
    ------
    SettingsError
        If one is not there, or its code was changed since; names each.
    """
    faults = other_features(model.scorer, own)
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise SettingsError(
            f"model version {model.version} was trained with other features of your own:\n{lines}\n"
            "Bring them back in [features] modules, or train anew: patronage train"
        )


def other_features(scorer: CustomerScorer, own: Sequence[OwnFeature]) -> list[str]:
    """What differs between the model's own features and these, one line each."""
    here = {one.name: one for one in own}
    faults = []
    for name, trained in sorted(scorer.own_features.items()):
        if name not in here:
            faults.append(f"{name} of {trained['source']} is not there")
        elif here[name].digest != trained["digest"]:
            faults.append(f"{name} of {here[name].source} was changed since")
    return faults


def refuse_a_day_before_the_champion(champion: LoadedModel | None, as_of: date) -> None:
    """Stop a training run that would put a model of the past in the place of a newer one.

    Raises
    ------
    SettingsError
        If the champion was trained as of a later day.
    """
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
        "[churn] more_horizons_days": sorted(scorer.further),
        "[churn] lead_days": scorer.rule.lead_days,
        "[churn] label": scorer.rule.label,
        "[churn] grace_days": scorer.rule.grace_days,
        "[value] horizon_days": scorer.value_horizon,
        "[value] margin": scorer.margin,
        "[value] annual_discount_rate": scorer.annual_discount_rate,
    }


def _wanted(settings: Settings) -> dict[str, object]:
    return {
        "[ledger] currency": settings.ledger.currency,
        "[features] active_days": settings.features.active_days,
        "[churn] horizon_days": settings.churn.horizon_days,
        "[churn] more_horizons_days": settings.churn.more_horizons_days,
        "[churn] lead_days": settings.churn.lead_days,
        "[churn] label": settings.churn.label,
        "[churn] grace_days": label_rule(settings).grace_days,
        "[value] horizon_days": settings.value.horizon_days,
        "[value] margin": settings.value.margin,
        "[value] annual_discount_rate": settings.value.annual_discount_rate,
    }
