"""Training for further horizons beside the main one, where the settings ask for them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from patronage.config import Settings
from patronage.models import ChurnModel, PurchaseModel
from patronage.models.further_horizons import fit_further, judged_horizons
from patronage.models.further_panel import FurtherPanel, HorizonDays, days_of_horizons
from patronage.pipelines.prepare import Prepared, label_rule
from patronage.pipelines.run_folder import RunFolder
from patronage.report.horizons import horizon_sentence

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Further:
    """Fitted models of further horizons by their days, and how each did out of time, for JSON."""

    models: Mapping[int, ChurnModel] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def further_days(
    settings: Settings, prepared: Prepared, cutoffs: Sequence[date]
) -> dict[int, HorizonDays]:
    """The cutoffs that train and judge each further horizon of the settings.

    Raises
    ------
    DataError
        If the history is too short for one of them.
    """
    return days_of_horizons(
        cutoffs,
        settings.churn.more_horizons_days,
        rule=label_rule(settings),
        data_end=prepared.data_end,
    )


def train_further(
    settings: Settings,
    prepared: Prepared,
    run: RunFolder,
    panel: pd.DataFrame,
    main: ChurnModel,
    purchases: PurchaseModel,
) -> Further:
    """Train and judge each further horizon on the rows of the main horizon's panel."""
    horizons = settings.churn.more_horizons_days
    if not horizons:
        return Further()
    with run.step("further horizons", f"{', '.join(map(str, horizons))} days"):
        further = FurtherPanel.of(
            panel,
            prepared.days,
            further_days(settings, prepared, sorted(set(panel["as_of"].dt.date))),
            purchases=purchases,
            data_end=prepared.data_end,
        )
        models = fit_further(panel, further, main)
        days = settings.churn.horizon_days
        figures = judged_horizons(models, panel, further, main, main_days=days)
        for horizon, one in figures.items():
            log.info("%s", horizon_sentence(horizon, one))
        return Further(models, figures)
