"""Whether customers leave as often as they were said to."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from patronage.models.metric_intervals import wilson_interval
from patronage.report.chart_style import ACCENT, GREY, MUTED, new_figure, style_axes

BINS = 10


def calibration_bins(p_churn: pd.Series, churned: pd.Series, bins: int = BINS) -> pd.DataFrame:
    """Groups of equally many customers, by predicted probability, lowest first.

    Returns
    -------
    DataFrame
        `predicted` (mean), `observed` (share who left), `low` and `high` (95 % interval of it)
        and `n`; fewer rows than `bins` where there are fewer customers.
    """
    frame = pd.DataFrame({"p": p_churn.to_numpy(float), "left": churned.to_numpy(float)})
    position = frame["p"].rank(method="first") - 1
    group = (position * bins // max(len(frame), 1)).astype(int)
    by_group = frame.groupby(group)
    n, hits = by_group.size(), by_group["left"].sum()
    low, high = wilson_interval(hits.to_numpy(), n.to_numpy())
    table = {"predicted": by_group["p"].mean(), "observed": hits / n, "low": low, "high": high}
    return pd.DataFrame({**table, "n": n}).reset_index(drop=True)


def calibration_chart(p_churn: pd.Series, churned: pd.Series) -> Figure:
    """Share who left against the predicted chance to leave, over its histogram.

    Parameters
    ----------
    p_churn
        Predicted probabilities.
    churned
        1 for each of the same customers who left, else 0.
    """
    table = calibration_bins(p_churn, churned)
    figure = new_figure(7.2, 5.0)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    top.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="as predicted")
    errors = [table["observed"] - table["low"], table["high"] - table["observed"]]
    top.errorbar(
        table["predicted"],
        table["observed"],
        yerr=np.clip(errors, 0, None),
        fmt="o-",
        color=ACCENT,
        capsize=3,
        linewidth=1.4,
        label="tenths of the customers, with 95% interval",
    )
    top.legend(frameon=False, loc="upper left", labelcolor=MUTED)
    style_axes(top, title="Predicted and actual churn", x="", y="share who left")
    bottom.hist(p_churn, bins=np.linspace(0, 1, 41).tolist(), color=ACCENT, alpha=0.6)
    style_axes(bottom, title="", x="predicted chance to leave", y="customers")
    top.set_ylim(0, 1)
    bottom.set_xlim(0, 1)
    for axis in (top.yaxis, bottom.xaxis):
        axis.set_major_formatter(PercentFormatter(1))
    return figure
