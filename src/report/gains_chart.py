"""How many of those who leave are reached by contacting the customers in a score's order."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from patronage.report.chart_style import (
    ACCENT,
    COOL,
    GREY,
    MUTED,
    WARM,
    WIDE,
    new_figure,
    style_axes,
)

_GRID = np.linspace(0, 1, 101)
_LOOKS = ((ACCENT, "-"), (WARM, "--"), (COOL, "-."), ("#7B5EA7", ":"))


def gains_curve(score: pd.Series, churned: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Share of customers contacted, highest score first, and share of churners reached.

    Customers of equal score share what they hold: the curve is straight over them, which is its
    mean over all orders of the tie.
    """
    left = pd.Series(churned.to_numpy(float)).groupby(-score.to_numpy(float))
    contacted = np.concatenate([[0.0], left.size().cumsum() / len(score)])
    reached = np.concatenate([[0.0], left.sum().cumsum() / churned.sum()])
    return contacted, reached


def share_reached(score: pd.Series, churned: pd.Series, contacted: float) -> float:
    """Share of those who leave that is reached by contacting this share of the customers."""
    return float(np.interp(contacted, *gains_curve(score, churned)))


def gains_chart(evaluation: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Cumulative gains, and lift by share contacted, of several scores side by side.

    Parameters
    ----------
    evaluation
        `churned` (0 or 1) and one column per score; higher means more likely to leave.
    labels
        The scores to draw and their names in the legend; at most four.
    """
    figure = new_figure(*WIDE)
    gains, lift = figure.subplots(1, 2)
    for (name, label), (colour, line) in zip(labels.items(), _LOOKS, strict=False):
        reached = np.interp(_GRID, *gains_curve(evaluation[name], evaluation["churned"]))
        look = {"color": colour, "linestyle": line, "linewidth": 1.8, "label": label}
        gains.plot(_GRID, reached, **look)
        lift.plot(_GRID[5:], reached[5:] / _GRID[5:], **look)
    gains.plot([0, 1], [0, 1], color=GREY, linewidth=1, label="in any order")
    lift.axhline(1, color=GREY, linewidth=1)
    style_axes(
        gains,
        title="Leavers reached",
        x="share of customers contacted",
        y="share of all leavers reached",
    )
    style_axes(
        lift, title="Lift", x="share of customers contacted", y="times the average churn rate"
    )
    gains.legend(frameon=False, loc="lower right", labelcolor=MUTED)
    for axis in (gains.xaxis, gains.yaxis, lift.xaxis):
        axis.set_major_formatter(PercentFormatter(1))
    return figure
