"""How the chance to leave moves with the features that count most."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from patronage.models.churn import P_NO_PURCHASE
from patronage.report.chart_style import ACCENT, GREY, INK, MUTED, WARM, new_figure, style_axes

COLUMNS = 3
PANEL_HEIGHT = 3.1
LABEL = 56
LEAST_ROOM = 0.02


def dependence_chart(dependences: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> Figure:
    """A panel for each feature: the mean chance to leave over how the customers are spread.

    Parameters
    ----------
    dependences
        `Dependence.to_dict` of each.
    words
        What to call each feature; its name where it has none.
    """
    rows = -(-len(dependences) // COLUMNS)
    figure = new_figure(14.4, PANEL_HEIGHT * rows)
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    low, high = _limits(dependences)
    for axes, one in zip(panels, dependences, strict=False):
        _panel(axes, one, words.get(one["feature"], one["feature"]))
        axes.set_ylim(*((0, 1) if one["feature"] == P_NO_PURCHASE else (low, high)))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for axes in panels[len(dependences) :]:
        axes.set_visible(False)
    return figure


def _limits(dependences: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """One scale for all features, so that they can be compared; the start's own is 0 to 1."""
    shown = [p for one in dependences if one["feature"] != P_NO_PURCHASE for p in _levels(one)] or [
        0.0,
        1.0,
    ]
    room = max(0.1 * (max(shown) - min(shown)), LEAST_ROOM)
    return max(min(shown) - room, 0.0), min(max(shown) + room, 1.0)


def _levels(one: Mapping[str, Any]) -> list[float]:
    missing = [] if one["p_missing"] is None else [one["p_missing"]]
    return [*one["p_churn"], *missing]


def _panel(axes: Axes, one: Mapping[str, Any], name: str) -> None:
    crowd = axes.twinx()
    crowd.set_axis_off()
    axes.set_zorder(crowd.get_zorder() + 1)
    axes.patch.set_visible(False)
    texts = not one["edges"]
    if texts:
        _texts(axes, crowd, one)
    else:
        widths = [b - a for a, b in zip(one["edges"], one["edges"][1:], strict=False)]
        crowd.bar(one["edges"][:-1], one["counts"], widths, align="edge", color=GREY, alpha=0.35)
        axes.plot(one["values"], one["p_churn"], color=ACCENT, linewidth=1.8, marker=".")
    crowd.set_ylim(0, 3 * max(*one["counts"], 1))
    style_axes(axes, title="", x="", y="chance to leave")
    axes.set_title(name[:LABEL], loc="left", fontsize=9.5, fontweight="bold", color=INK)
    if one["p_missing"] is not None:
        axes.axhline(one["p_missing"], color=WARM, linestyle=":", linewidth=1.2)
        axes.annotate(
            f"no value ({one['missing']:.0%} of customers)",
            (0.99, one["p_missing"]),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
            color=MUTED,
        )


def _texts(axes: Axes, crowd: Axes, one: Mapping[str, Any]) -> None:
    places = list(range(len(one["values"])))
    crowd.bar(places, one["counts"], color=GREY, alpha=0.35)
    axes.plot(places, one["p_churn"], color=ACCENT, linestyle="", marker="o")
    axes.set_xticks(places, [str(value)[:14] for value in one["values"]], rotation=25, ha="right")
