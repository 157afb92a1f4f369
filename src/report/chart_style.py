"""The look that all charts share, and how they become files."""

from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, GRID = "#1F2933", "#616E7C", "#E4E7EB"
ACCENT, WARM, COOL, GREY = "#0B6E99", "#D9622B", "#5B8C5A", "#9AA5B1"
WIDE = (14.4, 4.6)
"""Inches of two panels side by side."""

_SVG: dict[Any, str] = {"svg.fonttype": "none", "svg.hashsalt": "patronage"}


def new_figure(width: float = 7.2, height: float = 4.2) -> Figure:
    """An empty figure, in inches, that no pyplot keeps a hold on."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def style_axes(axes: Axes, *, title: str, x: str, y: str) -> None:
    """Title, axis labels with their units, a quiet grid and no box."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.set_xlabel(x, color=MUTED)
    axes.set_ylabel(y, color=MUTED)
    axes.tick_params(colors=MUTED, labelsize=9, length=0)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)


def svg(figure: Figure) -> bytes:
    """The figure as SVG, the same bytes each time it is drawn."""
    buffer = BytesIO()
    with mpl.rc_context(_SVG):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
