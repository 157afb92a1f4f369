"""What a column says of who left: the share that did among customers with the same value.

A snapshot has no customer's own past to compare with. What is usual is what others have, and
whether a value is a bad sign is what became of those who have it too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.panel_matrix import is_text

FEWEST = 30
"""Of fewer customers no share is told."""
FEW_VALUES = 8
"""A number with no more values than these is told value by value, others by fifths."""
GROUPS = 5
Places = NDArray[np.intp]
Group = tuple[float | None, float | None, NDArray[np.bool_]]


@dataclass(frozen=True)
class Level:
    """Customers who have the same value of a column, or one within the same bounds.

    `text` is the value of a text; a number lies above `above` and up to `up_to`, both of which are
    the number where all of them have the same; where all three are None there is no value. `whole`
    says that the column holds whole numbers only. `left` is the share of the `n` who left.
    """

    n: int
    left: float
    text: str | None = None
    above: float | None = None
    up_to: float | None = None
    whole: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def column_levels(column: pd.Series, churned: pd.Series) -> list[Level]:
    """The levels of a column that hold customers enough to tell a share of.

    Parameters
    ----------
    column
        A feature; numbers or texts, gaps allowed.
    churned
        The label of the same rows, 0 or 1.
    """
    left = churned.to_numpy(dtype=float)
    levels = _texts(column, left) if is_text(column) else _numbers(column.astype(float), left)
    empty = column.isna().to_numpy()
    if empty.sum() >= FEWEST:
        levels.append(Level(int(empty.sum()), float(left[empty].mean())))
    return levels


def level_places(column: pd.Series, levels: Sequence[Mapping[str, Any]]) -> Places:
    """Which of the levels each value belongs to, -1 for none.

    Parameters
    ----------
    levels
        As `Level.to_dict` has them.
    """
    if not levels:
        return np.full(len(column), -1)
    masks = [_holds(column, level) for level in levels]
    return np.where(np.any(masks, axis=0), np.argmax(masks, axis=0), -1).astype(np.intp)


def _holds(column: pd.Series, level: Mapping[str, Any]) -> NDArray[np.bool_]:
    if level["text"] is not None:
        return np.asarray(column.astype(object) == level["text"], dtype=bool)
    if level["above"] is None and level["up_to"] is None:
        return np.asarray(column.isna(), dtype=bool)
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    low, high = level["above"], level["up_to"]
    if low == high:
        return np.asarray(values == low)
    above = values > low if low is not None else np.isfinite(values)
    return np.asarray(above & (values <= high) if high is not None else above)


def _texts(column: pd.Series, left: NDArray[np.float64]) -> list[Level]:
    texts = column.astype(object)
    found = pd.DataFrame({"value": texts, "left": left}).groupby("value")["left"]
    table = found.agg(["size", "mean"]).sort_values("size", ascending=False)
    return [
        Level(int(n), float(share), text=str(value))
        for value, n, share in table.itertuples()
        if n >= FEWEST
    ]


def _numbers(column: pd.Series, left: NDArray[np.float64]) -> list[Level]:
    known = column.notna().to_numpy()
    values, y = column.to_numpy()[known], left[known]
    distinct = np.unique(values)
    each = _fifths(values) if len(distinct) > FEW_VALUES else _each(values, distinct.tolist())
    whole = bool((values == np.round(values)).all())
    return [
        Level(int(held.sum()), float(y[held].mean()), above=low, up_to=high, whole=whole)
        for low, high, held in each
        if held.sum() >= FEWEST
    ]


def _each(values: NDArray[np.float64], distinct: Sequence[float]) -> list[Group]:
    return [(one, one, np.asarray(values == one)) for one in distinct]


def _fifths(values: NDArray[np.float64]) -> list[Group]:
    """Groups of about equal size between numbers that occur; one of a single number is that.

    The first and the last are open, unless they are of a single number.
    """
    steps = np.quantile(values, np.linspace(0, 1, GROUPS + 1)[1:-1], method="lower")
    inner: list[float] = np.unique(steps[steps < values.max()]).tolist()
    place = np.searchsorted(inner, values, side="left")
    edges = [None, *inner, None]
    found: list[Group] = []
    for group, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
        held = np.asarray(place == group)
        first, last = float(values[held].min()), float(values[held].max())
        found.append((first, last, held) if first == last else (low, high, held))
    return found
