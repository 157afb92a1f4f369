"""What the model goes by: families and single features, by what it loses without them."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from patronage.report.chart_style import ACCENT, COOL, INK, new_figure, style_axes
from patronage.report.family_words import FAMILY_WORDS

SHOWN = 12
CHARACTERS = 48
LONGEST = 1.5
"""A bar is cut that is longer than so many times the second, which could not be read beside it."""


def importance_chart(
    importance: Mapping[str, Any],
    words: Mapping[str, str],
    families: Mapping[str, str] = FAMILY_WORDS,
) -> Figure:
    """Bars of the increase of the log loss, with the spread over repeats, in two panels.

    Parameters
    ----------
    importance
        `Importances.to_dict`.
    words, families
        What to call each feature and each family; its name where it has none.
    """
    shown = max(min(len(importance[kind]), SHOWN) for kind in ("families", "features"))
    figure = new_figure(14.4, 1.2 + 0.34 * shown)
    left, right = figure.subplots(1, 2)
    _bars(left, importance["families"], families, "Whole families", ACCENT)
    _bars(right, importance["features"], words, "Single ones", COOL)
    return figure


def _bars(
    axes: Axes,
    found: Sequence[Mapping[str, Any]],
    words: Mapping[str, str],
    title: str,
    colour: str,
) -> None:
    """Horizontal bars, the greatest on top."""
    first = found[:SHOWN]
    places = range(len(first), 0, -1)
    axes.barh(
        list(places),
        [one["increase"] for one in first],
        xerr=[one["spread"] for one in first],
        color=colour,
        ecolor=INK,
        height=0.62,
        error_kw={"elinewidth": 1, "capsize": 2},
    )
    style_axes(axes, title=title, x="what the log loss rises by without it", y="")
    axes.set_yticks(list(places), [_short(words.get(one["name"], one["name"])) for one in first])
    axes.grid(visible=False, axis="y")
    _cut(axes, [one["increase"] for one in first])


def _cut(axes: Axes, increases: Sequence[float]) -> None:
    """End the axis before the end of a bar that dwarfs all others, and say how long it is."""
    if len(increases) < 2 or not 0 < LONGEST * increases[1] < increases[0]:
        return
    end = LONGEST * increases[1]
    axes.set_xlim(min(1.4 * min(increases), -0.02 * end), end)
    text = f"+{increases[0]:.3f}, not drawn to its end "
    axes.text(end, len(increases), text, ha="right", va="center", color="white", fontsize=9)


def _short(text: str) -> str:
    return text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1]}…"
