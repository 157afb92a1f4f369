"""The monitor's charts: scores then and now, realised churn by day, purchases by four weeks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from patronage.report.chart_style import ACCENT, GREY, MUTED, WARM, new_figure, style_axes
from patronage.tracking.column_profile import ColumnProfile
from patronage.tracking.realised import Realised
from patronage.tracking.volume import Period

DAYS_SHOWN = 8


def scores_chart(then: ColumnProfile, p_churn: pd.Series) -> Figure:
    """Share of customers with at most each chance to leave: test customers, and now.

    Parameters
    ----------
    then
        Profile of p_churn of the test customers.
    p_churn
        Of the customers now.
    """
    figure = new_figure()
    axes = figure.subplots()
    axes.step(
        [0.0, *then.values], [0.0, *then.cumulative], where="post", color=GREY, label="model's test"
    )
    now = np.sort(p_churn.dropna().to_numpy(dtype=float))
    shares = np.arange(1, len(now) + 1) / max(len(now), 1)
    axes.step([0.0, *now], [0.0, *shares], where="post", color=ACCENT, label="now")
    axes.legend(frameon=False, loc="upper left", labelcolor=MUTED)
    style_axes(axes, title="Chance to leave, then and now", x="chance to leave", y="customers")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def realised_chart(judged: Sequence[Realised]) -> Figure:
    """Mean prediction and actual share who left, with its 95 % interval, by scored day."""
    figure = new_figure()
    axes = figure.subplots()
    places = np.arange(len(judged))
    actual = np.array([one.actual for one in judged])
    low = actual - [one.actual_low for one in judged]
    high = np.array([one.actual_high for one in judged]) - actual
    axes.errorbar(
        places,
        actual,
        yerr=np.clip([low, high], 0, None),
        fmt="o",
        color=ACCENT,
        capsize=3,
        label="left, with 95% interval",
    )
    predicted = [one.predicted for one in judged]
    axes.plot(places, predicted, "D", color=WARM, label="said to leave")
    axes.legend(frameon=False, loc="lower left", labelcolor=MUTED)
    style_axes(axes, title="Predicted and actual churn by scored day", x="", y="share who leave")
    _days(axes, [str(one.as_of) for one in judged])
    axes.set_xlim(-0.5, len(judged) - 0.5)
    axes.set_ylim(bottom=0, top=1)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def volume_chart(periods: Sequence[Period]) -> Figure:
    """Purchase days, and how many of them were first ones, by four weeks."""
    figure = new_figure()
    axes = figure.subplots()
    places = np.arange(len(periods))
    axes.bar(places, [one.purchase_days for one in periods], color=ACCENT, label="purchases")
    new = [one.new_customers for one in periods]
    axes.bar(places, new, color=WARM, width=0.4, label="first ones")
    axes.legend(frameon=False, loc="upper right", labelcolor=MUTED)
    style_axes(axes, title="Purchases by four weeks", x="four weeks before", y="purchase days")
    _days(axes, [str(one.end) for one in periods])
    return figure


def _days(axes: Axes, days: Sequence[str]) -> None:
    """At most so many days as labels, the newest among them."""
    step = max(-(-len(days) // DAYS_SHOWN), 1)
    shown = list(range(len(days) - 1, -1, -step))[::-1]
    axes.set_xticks(shown, [days[place] for place in shown], rotation=30, ha="right")
