"""Whether customers of each kind leave as often as they were said to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from patronage.report.chart_style import ACCENT, GREY, MUTED, WARM, new_figure, style_axes

COLUMNS = 4
MOST = 16
PANEL_HEIGHT = 2.7


def segment_chart(segments: Sequence[Mapping[str, Any]]) -> Figure:
    """A reliability curve for each kind of customer, with 95 % bands, and its slope.

    Parameters
    ----------
    segments
        `Segment.to_dict` of each; the first `MOST` are drawn.
    """
    shown = segments[:MOST]
    rows = -(-len(shown) // COLUMNS)
    figure = new_figure(14.4, PANEL_HEIGHT * rows)
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, segment in zip(panels, shown, strict=False):
        _panel(axes, segment)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    for place, axes in enumerate(panels[: len(shown)]):
        axes.tick_params(labelbottom=place + COLUMNS >= len(shown))
    return figure


def _panel(axes: Axes, segment: Mapping[str, Any]) -> None:
    predicted, observed, low, high = np.array(segment["bins"]).T
    colour = WARM if segment["off_beyond_level"] else ACCENT
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    errors = np.clip([observed - low, high - observed], 0, None)
    axes.errorbar(predicted, observed, yerr=errors, fmt="o-", color=colour, capsize=2, markersize=4)
    style_axes(axes, title="", x="", y="")
    axes.set_title(segment["name"], loc="left", fontsize=9.5, color=colour, fontweight="bold")
    axes.text(0.03, 0.9, _told(segment), transform=axes.transAxes, fontsize=8, color=MUTED)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))


def _told(segment: Mapping[str, Any]) -> str:
    slope = "" if segment["slope"] is None else f", slope {segment['slope']:.2f}"
    return f"{segment['n']:,} customers{slope}"
