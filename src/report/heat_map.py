"""A value by repeat purchases and by time since the last purchase, as colours."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter

from patronage.report.chart_style import new_figure, style_axes


def heat_map(
    matrix: pd.DataFrame,
    *,
    age: float,
    unit: str,
    title: str,
    label: str,
    most: float | None = None,
    ticks: Formatter | None = None,
) -> Figure:
    """Draw a matrix as `alive_matrix` makes it, of customers first seen `age` ago.

    Parameters
    ----------
    matrix
        One row per number of repeat purchases from 1 on, columns from 0 to `age`; none negative.
    age, unit
        Length of the horizontal axis and the name of its unit, such as "days".
    label, ticks
        What the colours mean, and how their numbers are written.
    most
        Value of the brightest colour; by default the largest there is.
    """
    figure = new_figure(7.2, 4.4)
    axes = figure.subplots()
    image = axes.imshow(
        matrix.to_numpy(),
        origin="lower",
        aspect="auto",
        cmap="cividis",
        vmin=0,
        vmax=most,
        extent=(0, age, 0.5, len(matrix) + 0.5),
        interpolation="nearest",
    )
    style_axes(axes, title=title, x=f"{unit} since the last purchase", y="repeat purchases")
    axes.grid(visible=False)
    figure.colorbar(image, ax=axes, format=ticks, label=label)
    return figure
