"""Whether tenths of the customers bought, or spent, what they were said to."""

from matplotlib.figure import Figure

from patronage.errors import SettingsError
from patronage.models import Backtest
from patronage.report.chart_style import ACCENT, MUTED, WARM, new_figure, style_axes


def decile_chart(backtest: Backtest, model: str, *, target: str = "purchases") -> Figure:
    """Bars of mean forecast and mean outcome by tenth, the lowest forecasts first.

    Parameters
    ----------
    backtest
        Of any models.
    model
        Name of the forecast.
    target
        "purchases" or "spend".

    Raises
    ------
    SettingsError
        If the backtest has no such forecast of the target.
    """
    deciles = backtest.deciles
    table = deciles[(deciles["model"] == model) & (deciles["target"] == target)]
    if table.empty:
        known = deciles.loc[deciles["target"] == target, "model"].unique()
        raise SettingsError(
            f"model={model!r} has no forecast of {target}; there is one by "
            f"{', '.join(known) or 'none'}."
        )
    figure = new_figure()
    axes = figure.subplots()
    for shift, name, colour in ((-0.2, "actual", ACCENT), (0.2, "predicted", WARM)):
        axes.bar(table["decile"] + shift, table[name], width=0.38, color=colour, label=name)
    axes.set_xticks(table["decile"])
    axes.legend(frameon=False, loc="upper left", labelcolor=MUTED)
    style_axes(
        axes,
        title=f"Forecast and outcome by tenth: {model}",
        x="tenth of the customers, 10 = the highest forecast",
        y=f"{target} per customer in the hold-out",
    )
    return figure
