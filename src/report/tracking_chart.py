"""Whether the value model's purchases came true."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from pandas.api.types import is_datetime64_any_dtype

from patronage.report.chart_style import ACCENT, MUTED, WARM, WIDE, new_figure, style_axes


def tracking_chart(tracking: pd.DataFrame) -> Figure:
    """Repeat purchases, actual and expected: added up, and week by week.

    Parameters
    ----------
    tracking
        `week` (a number or the week's first day, ascending), `actual` and `expected` purchases of
        all customers in that week.
    """
    figure = new_figure(*WIDE)
    added, weekly = figure.subplots(1, 2)
    totals = tracking[["actual", "expected"]].cumsum()
    for axes, table in ((added, totals), (weekly, tracking)):
        axes.plot(tracking["week"], table["actual"], color=ACCENT, linewidth=1.8, label="actual")
        axes.plot(
            *(tracking["week"], table["expected"]),
            color=WARM,
            linewidth=1.8,
            linestyle="--",
            label="expected",
        )
        axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
        axes.set_ylim(bottom=0)
    style_axes(added, title="Purchases, added up", x="week", y="repeat purchases so far")
    style_axes(weekly, title="Purchases per week", x="week", y="repeat purchases in the week")
    added.legend(frameon=False, loc="upper left", labelcolor=MUTED)
    if is_datetime64_any_dtype(tracking["week"]):
        figure.autofmt_xdate()
    return figure
