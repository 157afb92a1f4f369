"""Hold-out purchases, expected and actual, by how often customers had bought before."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from patronage.models import Backtest
from patronage.report.chart_style import ACCENT, COOL, GREY, MUTED, WARM, new_figure, style_axes

_LOOKS = ((WARM, "--"), (COOL, "-."), ("#7B5EA7", ":"), (GREY, "--"))


def conditional_purchases(backtest: Backtest, *, max_frequency: int = 7) -> pd.DataFrame:
    """Mean purchases in the hold-out by repeat purchases before it.

    Parameters
    ----------
    backtest
        Of any models.
    max_frequency
        The last row holds customers with so many repeat purchases and more.

    Returns
    -------
    DataFrame
        Index `frequency`; `n` customers, `actual`, and a column per forecast, NaN for one that has
        none.
    """
    customers = backtest.customers
    frequency = np.minimum(customers["frequency"].to_numpy(np.int64), max_frequency)
    columns = {"actual": customers["holdout_purchases"].to_numpy(float)} | {
        forecast.name: np.full(len(customers), np.nan)
        if forecast.purchases is None
        else forecast.purchases
        for forecast in backtest.forecasts
    }
    groups = pd.DataFrame(columns).groupby(frequency)
    table = groups.mean()
    table.insert(0, "n", groups.size())
    return table.rename_axis("frequency")


def conditional_chart(
    backtest: Backtest, names: list[str] | None = None, *, max_frequency: int = 7
) -> Figure:
    """Lines of `conditional_purchases`.

    Parameters
    ----------
    backtest
        Of any models.
    names
        The forecasts to draw; at most four, the first four by default.
    max_frequency
        See `conditional_purchases`.
    """
    table = conditional_purchases(backtest, max_frequency=max_frequency)
    figure = new_figure()
    axes = figure.subplots()
    axes.plot(table.index, table["actual"], "o-", color=ACCENT, linewidth=1.8, label="actual")
    for name, (colour, line) in zip(names or table.columns[2:], _LOOKS, strict=False):
        axes.plot(table.index, table[name], color=colour, linestyle=line, label=name)
    axes.set_xticks(table.index, [f"{n}+" if n == max_frequency else str(n) for n in table.index])
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="upper left", labelcolor=MUTED)
    style_axes(
        axes,
        title="Purchases in the hold-out",
        x="repeat purchases before it",
        y="purchases per customer in it",
    )
    return figure
