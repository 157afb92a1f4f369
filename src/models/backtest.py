"""Backtest: what value models, rules and lifetimes foresaw, against what came."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from patronage.errors import DataError, SettingsError
from patronage.features import DayTable, day_table, purchases_between, rfm_summary
from patronage.models.arguments import check_day, check_number, check_share
from patronage.models.backtest_metrics import decile_table
from patronage.models.backtest_rivals import lifetimes_forecast, naive_forecasts
from patronage.models.customer_value import CustomerValueModel
from patronage.models.forecast import Forecast
from patronage.models.gammagamma import GammaGammaModel
from patronage.models.interval_coverage import ValueModel
from patronage.models.model_forecast import PURCHASES, SPEND, model_forecast
from patronage.models.rfm_input import read_customer_ids, read_numbers, read_table, refuse_values
from patronage.models.seasonal_model import SeasonalModel

Models: TypeAlias = Sequence[ValueModel] | Mapping[str, ValueModel]


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one hold-out beside what came.

    Attributes
    ----------
    customers
        One row per customer: her history at the cutoff, `holdout_purchases`, and `holdout_spend`
        where it is known.
    forecasts
        One for each model, rule and rival, in the order asked for.
    """

    customers: pd.DataFrame
    forecasts: tuple[Forecast, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per target (purchases, spend) and model; the best first by RMSE.

        Columns: `forecast_metrics`, then `log_likelihood` of the purchase counts (total),
        `coverage` of the intervals and `coverage_stated`, the probability that they claim, and
        `note`, what a fit or forecast had to say. NaN where a model has no such answer.
        """
        rows = [
            forecast.row(target, self.customers[column].to_numpy(float))
            for target, column in self._targets()
            for forecast in self.forecasts
            if forecast.expected(target) is not None or target == "purchases"
        ]
        return pd.DataFrame(rows).sort_values(
            ["target", "rmse"], kind="stable", ignore_index=True, na_position="last"
        )

    @property
    def deciles(self) -> pd.DataFrame:
        """`decile_table` of each forecast: columns `target`, `model`, `decile`, then its own."""
        tables = [
            decile_table(self.customers[column], expected)
            .reset_index()
            .assign(target=target, model=forecast.name)
            for target, column in self._targets()
            for forecast in self.forecasts
            if (expected := forecast.expected(target)) is not None and np.isfinite(expected).all()
        ]
        return pd.concat(tables, ignore_index=True)[
            ["target", "model", "decile", "predicted", "actual", "n"]
        ]

    def _targets(self) -> list[tuple[str, str]]:
        known = [("purchases", PURCHASES), ("spend", SPEND)]
        return [(target, column) for target, column in known if column in self.customers]

    def __str__(self) -> str:
        """The table, as text."""
        return backtest_text(self.table)


def backtest_value(
    history: Any,
    models: Models,
    *,
    horizon: float,
    cutoff: date | str | None = None,
    spend: GammaGammaModel | None = None,
    interval: float = 0.9,
    rivals: bool = True,
) -> Backtest:
    """Fit models on what was known at a cutoff and judge them by what came in the horizon after.

    Parameters
    ----------
    history
        With a `cutoff`: customer days (a `DayTable` or the output of `customer_days`); times are
        then in days. Without: one row per customer with `frequency`, `recency`, `T` and
        `holdout_purchases`, and for spend `monetary_value` and `holdout_spend`.
    models
        Unfitted models: a sequence, or a mapping that names them.
    horizon
        Length of the hold-out, in the unit of the times; whole days with a `cutoff`.
    cutoff
        First day of the hold-out; a text such as "2025-09-10" is one too.
    spend
        Unfitted model of spend per purchase, to forecast spend as well; a `CustomerValueModel`
        brings its own.
    interval
        Probability of the intervals whose coverage is measured.
    rivals
        Add two rules that need no model, and BG/NBD as the package lifetimes fits it.

    Raises
    ------
    DataError
        If nobody bought before the cutoff, the data end before the horizon does, or a column is
        missing.
    SettingsError
        If an argument is out of range.
    """
    span, level = check_number("horizon", horizon, closed=False), check_share("interval", interval)
    learn = None
    if cutoff is None:
        known = _given(history)
    else:
        history = day_table(history)
        day = check_day("cutoff", cutoff)
        known = holdout_table(history, day, span)
        learn = _learner(history, day, known)
    forecasts = [
        model_forecast(name, model, known, span, level, learn)
        for name, model in _named(models, spend).items()
    ]
    if rivals:
        forecasts += [*naive_forecasts(known, span), lifetimes_forecast(known, span)]
    return Backtest(known, tuple(forecasts))


def _learner(
    days: DayTable, cutoff: date, known: pd.DataFrame
) -> Callable[[ValueModel], ValueModel]:
    return lambda model: model.fit_days(days, as_of=cutoff, rfm=known)


def holdout_table(days: Any, cutoff: date, horizon: float) -> pd.DataFrame:
    """Histories at the cutoff, in days, and what came in [cutoff, cutoff + horizon).

    Returns
    -------
    DataFrame
        `rfm_summary` and `holdout_purchases`, `holdout_spend`; `last_purchases`, `last_spend` in
        as long a time before the cutoff.

    Raises
    ------
    DataError
        If the data end before the horizon does, or nobody bought before the cutoff.
    """
    if horizon != int(horizon):
        raise SettingsError(f"horizon={horizon} must be whole days where there is a cutoff.")
    table, span = day_table(days), timedelta(days=int(horizon))
    end = date(1970, 1, 1) + timedelta(days=table.last_day + 1)
    if cutoff + span > end:
        raise DataError(
            f"a hold-out of {span.days} days from {cutoff} ends on {cutoff + span}, but the data "
            f"end on {end - timedelta(days=1)}. Take a cutoff of {end - span} or before, or a "
            "shorter horizon."
        )
    known = rfm_summary(table, as_of=cutoff, gaps=True)
    for name, start in (("holdout", cutoff), ("last", cutoff - span)):
        found = purchases_between(table, start=start, end=start + span)
        renamed = {"purchases": f"{name}_purchases", "spend": f"{name}_spend"}
        known = known.merge(found.rename(columns=renamed), on="customer_id", how="left")
    return known


def backtest_text(table: pd.DataFrame) -> str:
    """The backtest table for a terminal: a dash for what is not known, and the notes below."""
    totals = dict.fromkeys(("actual", "predicted", "log_likelihood"), "{:,.0f}".format)
    shown = table.drop(columns="note").to_string(
        index=False, na_rep="–", float_format="{:,.4f}".format, formatters=_with_dash(totals)
    )
    notes = zip(table["model"], table["note"], strict=True)
    return "\n".join([shown, *dict.fromkeys(f"{name}: {note}" for name, note in notes if note)])


def _with_dash(formats: dict[str, Any]) -> dict[str, Any]:
    """Formatters see NaN too."""
    return {
        name: lambda value, shown=shown: "–" if np.isnan(value) else shown(value)
        for name, shown in formats.items()
    }


def _given(history: Any) -> pd.DataFrame:
    """The customer's own table, with whole numbers of purchases."""
    frame = read_table(history)
    ids = read_customer_ids(frame, may_lack=False)
    counts = read_numbers(frame, PURCHASES, ids)
    wrong = (counts < 0) | (counts != np.floor(counts))
    refuse_values(PURCHASES, wrong, counts, ids, "is no number of purchases")
    table: pd.DataFrame = frame.to_pandas()
    return table.assign(**{PURCHASES: counts.astype(np.int64)})


def _name(model: ValueModel) -> str:
    name = type(model).__name__
    return f"{name}({type(model.purchases).__name__})" if isinstance(model, SeasonalModel) else name


def _named(models: Models, spend: GammaGammaModel | None) -> dict[str, ValueModel]:
    """Models by name, each with the model of spend where there is one."""
    if not isinstance(models, Mapping):
        names = [_name(model) for model in models]
        models = {
            name if names.count(name) == 1 else f"{name} {names[: n + 1].count(name)}": model
            for n, (name, model) in enumerate(zip(names, models, strict=True))
        }
    return {
        name: model
        if spend is None or isinstance(model, CustomerValueModel)
        else CustomerValueModel(model, spend)
        for name, model in models.items()
    }
