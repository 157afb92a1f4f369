"""The panel as the booster sees it: numbers as they are, texts as codes learned at fit."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from patronage.errors import DataError

FloatArray = NDArray[np.float64]
Categories = Mapping[str, Sequence[str]]
MOST_VALUES = 200
"""A text with more values keeps the most frequent: the others are too rare to learn from."""


def is_text(column: pd.Series) -> bool:
    """Whether a column holds categories rather than numbers."""
    return not (is_numeric_dtype(column) or is_bool_dtype(column))


def learn_categories(panel: pd.DataFrame, names: Iterable[str]) -> dict[str, list[str]]:
    """The values of each text among the columns, sorted, at most `MOST_VALUES` of each."""
    return {name: _values(panel[name]) for name in names if is_text(panel[name])}


def panel_matrix(panel: pd.DataFrame, names: Sequence[str], categories: Categories) -> FloatArray:
    """Shape (rows, names); a text is its place in its categories, NaN where it has none.

    Raises
    ------
    DataError
        If a column is not of the kind that was learnt; names each.
    """
    changed = changed_kinds(panel, names, categories)
    if changed:
        raise DataError(
            f"{len(changed)} of the model's columns are of another kind than it learnt: "
            f"{'; '.join(changed)}. Say what they are in the table's section of the settings, "
            "numbers = [...] or texts = [...], or train anew: patronage train"
        )
    matrix = np.empty((len(panel), len(names)), order="F")
    for place, name in enumerate(names):
        column = panel[name]
        if name in categories:
            matrix[:, place] = _codes(column, categories[name])
        else:
            matrix[:, place] = column.to_numpy(dtype=float)
    return matrix


def changed_kinds(panel: pd.DataFrame, names: Iterable[str], categories: Categories) -> list[str]:
    """Columns that were numbers when the categories were learnt and are texts now, or the reverse.

    One text each, with a value. One value that is no number makes a CSV's column one of texts. A
    column without any value is of either kind.
    """
    return [
        _changed(name, panel[name].dropna(), name in categories)
        for name in names
        if panel[name].notna().any() and is_text(panel[name]) != (name in categories)
    ]


def places_of_texts(names: Sequence[str], categories: Categories) -> list[int]:
    """The columns of the matrix that hold codes."""
    return [place for place, name in enumerate(names) if name in categories]


def _changed(name: str, known: pd.Series, was_text: bool) -> str:
    if was_text:
        return f"{name} (texts then, numbers now, such as {known.iloc[0]})"
    no_numbers = known[pd.to_numeric(known.astype(str), errors="coerce").isna()]
    shown = (no_numbers if len(no_numbers) else known).iloc[0]
    return f"{name} (numbers then, texts now, such as {str(shown)!r})"


def _values(column: pd.Series) -> list[str]:
    counts = column.dropna().astype(str).value_counts()
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return sorted(str(value) for value, count in ranked[:MOST_VALUES] if count > 0)


def _codes(column: pd.Series, values: Sequence[str]) -> FloatArray:
    texts = column.astype(object).where(column.notna(), None)
    known: pd.Index = pd.Index(np.array(values, dtype=object))
    codes = known.get_indexer(pd.Index(texts.to_numpy()))
    return np.where(codes < 0, np.nan, codes)
