"""`patronage backtest`: what models would have foreseen, against what came."""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from patronage.config import Settings
from patronage.errors import DataError
from patronage.models import GammaGammaModel, PurchaseModel, SeasonalModel
from patronage.models.backtest import Backtest
from patronage.models.backtest import backtest_value as backtest_models
from patronage.models.choose_purchases import CANDIDATES
from patronage.pipelines.backtest_words import in_plain_words, level_with_best, without_repeats
from patronage.pipelines.prepare import Prepared, prepare
from patronage.pipelines.run_folder import RunFolder, run_folder
from patronage.pipelines.season_settings import season_of

TABLE, DECILES, SUMMARY = "backtest.csv", "backtest_deciles.csv", "backtest.json"


def backtest_value(
    settings: Settings, *, cutoff: date | None, horizon_days: int | None, run_at: datetime
) -> str:
    """Judge the value models by the last `horizon_days` of the data, beside rules and lifetimes.

    The table goes into a folder of its own under [run] outputs; `latest` stays where it is.

    Parameters
    ----------
    settings
        Of the project.
    cutoff
        First day that the models do not know; by default the latest that the data allow.
    horizon_days
        Length of the hold-out; [value] horizon_days by default.
    run_at
        Now.

    Raises
    ------
    DataError
        If the data are too short.
    """
    outputs = settings.path(settings.run.outputs)
    with run_folder(outputs, command="backtest value", started_at=run_at, latest=False) as run:
        prepared = prepare(settings, run, run_at=run_at, training=False)
        horizon = settings.value.horizon_days if horizon_days is None else horizon_days
        day = _cutoff(prepared, cutoff, horizon)
        with run.step("backtest"):
            found = backtest_models(
                prepared.days,
                _models(settings),
                cutoff=day,
                horizon=horizon,
                spend=GammaGammaModel(),
            )
            backtest = without_repeats(found)
            level = level_with_best(backtest)
        _write(run, backtest, day, horizon, level)
    told = in_plain_words(backtest.table, len(backtest.customers), horizon, day, level)
    return f"{told}\n\nhold-out of {horizon} days from {day}\n{backtest}\n{run.path}"


def _models(settings: Settings) -> list[PurchaseModel]:
    """All that can be chosen from, and the simplest of each kind with a season."""
    season = season_of(settings)
    if season is None:
        return [*CANDIDATES]
    return [*CANDIDATES, *(SeasonalModel(model, season) for model in CANDIDATES[:3])]


def _cutoff(prepared: Prepared, cutoff: date | None, horizon: int) -> date:
    day = prepared.data_end - timedelta(days=horizon) if cutoff is None else cutoff
    first = date(1970, 1, 1) + timedelta(days=prepared.days.first_day)
    if day <= first:
        raise DataError(
            f"a hold-out of {horizon} days begins on {day}, but the data begin on {first}: nothing "
            "is known before it. Give a shorter one: --horizon-days"
        )
    return day


def _write(
    run: RunFolder, backtest: Backtest, cutoff: date, horizon: int, level: list[str]
) -> None:
    backtest.table.to_csv(run.path / TABLE, index=False)
    backtest.deciles.to_csv(run.path / DECILES, index=False)
    summary = {
        "cutoff": cutoff,
        "horizon_days": horizon,
        "customers": len(backtest.customers),
        "level_with_best": level,
        "table": _plain(backtest.table),
        "deciles": _plain(backtest.deciles),
    }
    run.write_json(SUMMARY, summary)


def _plain(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows for JSON, which knows neither NaN nor infinity: both are null."""
    finite = table.replace([np.inf, -np.inf], np.nan).astype(object)
    return list(finite.where(finite.notna(), None).to_dict("index").values())
