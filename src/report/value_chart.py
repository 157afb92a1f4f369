"""Where the value at risk lies."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from patronage.report.chart_style import ACCENT, MUTED, WARM, new_figure, style_axes

DECILES = 10


def value_by_decile(customers: pd.DataFrame) -> pd.DataFrame:
    """Value at risk by tenth of the eligible customers, ordered by chance to leave.

    Returns
    -------
    DataFrame
        Index 1 (least likely to leave) to 10; `value_at_risk` (sum), `p_churn` (mean), `n`.
    """
    eligible = customers[customers["eligible"].astype(bool)]
    position = eligible["p_churn"].rank(method="first") - 1
    decile = (position * DECILES // max(len(eligible), 1)).astype(int) + 1
    by_decile = eligible.groupby(decile)
    table = pd.DataFrame(
        {
            "value_at_risk": by_decile["value_at_risk"].sum(),
            "p_churn": by_decile["p_churn"].mean(),
            "n": by_decile.size(),
        }
    )
    return table.reindex(np.arange(1, DECILES + 1), fill_value=0).rename_axis("decile")


def value_at_risk_chart(customers: pd.DataFrame, *, currency: str) -> Figure:
    """Bars of the value at risk, from the least to the most likely to leave.

    Parameters
    ----------
    customers
        `eligible`, `p_churn` and `value_at_risk`, one row per customer.
    currency
        ISO 4217 code of the amounts.
    """
    table = value_by_decile(customers)
    figure = new_figure(7.2, 4.0)
    axes = figure.subplots()
    most = table["value_at_risk"] == table["value_at_risk"].max()
    colours = [WARM if top else ACCENT for top in most]
    bars = axes.bar(table.index.to_numpy(), table["value_at_risk"], color=colours, width=0.75)
    axes.margins(y=0.12)
    axes.bar_label(bars, [f"{p:.0%}" for p in table["p_churn"]], padding=3, color=MUTED, fontsize=9)
    style_axes(
        axes,
        title="Value at risk",
        x="tenth of the customers, 10 = most likely to leave (above the bar: mean chance to leave)",
        y=f"chance to leave x value if kept, {currency}",
    )
    axes.grid(visible=False, axis="x")
    axes.set_xticks(table.index.to_numpy())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda amount, _: f"{amount:,.0f}"))
    return figure
