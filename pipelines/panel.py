"""`patronage panel`: features and labels of many days as Parquet, for models of your own."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from patronage.config import Settings
from patronage.cutoff_setting import CutoffSetting
from patronage.errors import SettingsError
from patronage.features import ChurnLabels, write_panel
from patronage.features.contract_labels import ContractLabels
from patronage.models import BetaGeoModel, PurchaseModel
from patronage.models.choose_purchases import choose_purchases
from patronage.models.time_folds import mature_at
from patronage.models.training_panel import PURCHASES
from patronage.models.value_features import ValueFeatures, value_features
from patronage.pipelines.prepare import Prepared, prepare, quarantine_told, training_cutoffs
from patronage.pipelines.run_folder import run_folder
from patronage.pipelines.season_settings import season_of

log = logging.getLogger(__name__)


def panel(
    settings: Settings,
    *,
    to: Path,
    run_at: datetime,
    cutoffs: CutoffSetting | None = None,
    horizons_days: tuple[int, ...] = (),
    sample: float | int = 1.0,
    seed: int = 0,
    everyone: bool = False,
) -> str:
    """Write the panel to a folder, and tell what it holds.

    What was read and quarantined goes into a run folder of its own; `latest` stays where it is.

    Parameters
    ----------
    settings
        Of the project.
    to
        The folder; it must not exist.
    run_at
        Now.
    cutoffs
        A rule, or the days; [churn] cutoffs by default.
    horizons_days
        A label for each; those of [churn], horizon_days and more_horizons_days, by default.
    sample, seed
        Of the customers; see `write_panel`.
    everyone
        Also those who are not eligible; they have no label.

    Raises
    ------
    DataError
        If the data are too short, or no label of a cutoff is known yet.
    SettingsError
        If the folder exists, or the sample is none.
    """
    if to.exists():
        raise SettingsError(f"{to} exists. Remove it, or name another folder: --to")
    churn = settings.churn
    horizons = horizons_days or tuple(sorted([churn.horizon_days, *churn.more_horizons_days]))
    asked = _with(settings, cutoffs, min(horizons))
    outputs = settings.path(settings.run.outputs)
    with run_folder(outputs, command="panel", started_at=run_at, latest=False) as run:
        prepared = prepare(asked, run, run_at=run_at)
        days = training_cutoffs(asked, prepared.days, prepared.data_end)
        with run.step("value models"):
            value = _value_features(asked, prepared, days, horizons)
        with run.step("panel"):
            rows = write_panel(
                prepared.tables,
                to,
                cutoffs=days,
                active_days=settings.features.active_days,
                eligible_only=not everyone,
                labels=_labels(settings, prepared, horizons),
                sample=sample,
                seed=seed,
                families=[value.family],
            )
        run.manifest["panel"] = {
            "folder": to,
            "rows": {str(day): n for day, n in rows.items()},
            "without_value_model": {str(day): why for day, why in value.missing.items()},
        }
    return "\n".join([quarantine_told(run), *_told(rows, horizons), str(to)])


def _labels(settings: Settings, prepared: Prepared, horizons: tuple[int, ...]) -> ChurnLabels:
    """Of purchases or, as [churn] label has it, of contracts."""
    lead, end = settings.churn.lead_days, prepared.data_end
    if settings.churn.label == PURCHASES:
        return ChurnLabels(horizons_days=horizons, lead_days=lead, data_end=end)
    return ContractLabels(
        horizons_days=horizons,
        lead_days=lead,
        data_end=end,
        grace_days=settings.churn.grace_days,
    )


def _value_features(
    settings: Settings, prepared: Prepared, cutoffs: Sequence[date], horizons: tuple[int, ...]
) -> ValueFeatures:
    """Fitted at each cutoff on the past of everybody, whoever is written."""
    return value_features(
        prepared.days,
        cutoffs=cutoffs,
        horizons_days=horizons,
        lead_days=settings.churn.lead_days,
        purchases=_purchases(settings, prepared, cutoffs),
    )


def _purchases(settings: Settings, prepared: Prepared, cutoffs: Sequence[date]) -> PurchaseModel:
    """The model that training would choose for the shortest horizon; BG/NBD if it cannot yet."""
    label_days = settings.churn.lead_days + settings.churn.horizon_days
    known = mature_at(cutoffs, day=max(cutoffs), label_days=label_days)
    if not known:
        log.info(
            "model of purchases: BG/NBD, since no cutoff's label was known at the newest, %s",
            max(cutoffs),
        )
        return BetaGeoModel()
    choice = choose_purchases(
        prepared.days, cutoff=known[-1], horizon_days=label_days, season=season_of(settings)
    )
    log.info("model of purchases, as of %s: %s", known[-1], choice.model)
    return choice.model


def _with(settings: Settings, cutoffs: CutoffSetting | None, horizon_days: int) -> Settings:
    """The settings with these cutoffs, at which the shortest horizon's label is known."""
    given = {"horizon_days": horizon_days} | ({} if cutoffs is None else {"cutoffs": cutoffs})
    return settings.model_copy(update={"churn": settings.churn.model_copy(update=given)})


def _told(rows: dict[date, int], horizons: tuple[int, ...]) -> list[str]:
    days = list(rows)
    ends = f"{days[0]} to {days[-1]}" if len(days) > 1 else str(days[0])
    labels = ", ".join(f"churned_{horizon}" for horizon in horizons)
    return [f"{sum(rows.values()):,} rows, {len(days)} cutoffs, {ends}; labels {labels}"]
