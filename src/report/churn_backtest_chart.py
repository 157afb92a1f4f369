"""Log loss of our churn model and of the baselines, cutoff by cutoff."""

import pandas as pd
from matplotlib.figure import Figure

from patronage.models.churn_backtest_result import ChurnBacktest
from patronage.models.churn_evaluation import OURS
from patronage.report.chart_style import ACCENT, COOL, GREY, MUTED, WARM, new_figure, style_axes
from patronage.report.quality import SCORE_NAMES

RIVALS_SHOWN = 4
"""The nearest rivals; the others would stretch the axis until nothing could be told apart."""
_LOOKS = ((WARM, "-"), (COOL, "-"), (GREY, "-"), (MUTED, "--"))


def backtest_chart(backtest: ChurnBacktest) -> Figure:
    """Log loss by test cutoff, ours and the nearest rivals', and the level beside it.

    Left: log loss, lower is better. Right: share said to leave less the share who left.
    """
    figure = new_figure(14.4, 4.6)
    left, right = figure.subplots(1, 2)
    for panel, metric in ((left, "log_loss"), (right, "level_error")):
        table = backtest.table.pivot(index="cutoff", columns="model", values=metric).astype(float)
        days = pd.to_datetime(pd.Series(table.index.astype(str)))
        for name, (colour, line) in zip(shown_rivals(backtest), _LOOKS, strict=False):
            label = SCORE_NAMES.get(name, name)
            panel.plot(days, table[name], line, color=colour, linewidth=1.4, label=label)
        panel.plot(days, table[OURS], "o-", color=ACCENT, linewidth=2.2, label=OURS)
        panel.set_xticks(days, [str(day) for day in table.index], rotation=45, ha="right")
    right.axhline(0, color=GREY, linewidth=1)
    left.legend(frameon=False, labelcolor=MUTED, fontsize=9)
    style_axes(left, title="Log loss, lower is better", x="test cutoff", y="log loss")
    title = "Share said to leave less share who left"
    style_axes(right, title=title, x="test cutoff", y="difference")
    return figure


def shown_rivals(backtest: ChurnBacktest) -> list[str]:
    """Those with the least mean log loss, the best first."""
    known = backtest.means["log_loss"].notna()
    return [name for name in backtest.rivals if known[name]][:RIVALS_SHOWN]
