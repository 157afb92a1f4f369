"""The panel as the booster sees it: numbers as they are, texts as codes learned at fit."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

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
    """Shape (rows, names); a text is its place in its categories, NaN where it has none."""
    matrix = np.empty((len(panel), len(names)), order="F")
    for place, name in enumerate(names):
        column = panel[name]
        if name in categories:
            matrix[:, place] = _codes(column, categories[name])
        else:
            matrix[:, place] = column.to_numpy(dtype=float)
    return matrix


def places_of_texts(names: Sequence[str], categories: Categories) -> list[int]:
    """The columns of the matrix that hold codes."""
    return [place for place, name in enumerate(names) if name in categories]


def _values(column: pd.Series) -> list[str]:
    counts = column.dropna().astype(str).value_counts()
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return sorted(str(value) for value, count in ranked[:MOST_VALUES] if count > 0)


def _codes(column: pd.Series, values: Sequence[str]) -> FloatArray:
    texts = column.astype(object).where(column.notna(), None)
    known: pd.Index = pd.Index(np.array(values, dtype=object))
    codes = known.get_indexer(pd.Index(texts.to_numpy()))
    return np.where(codes < 0, np.nan, codes)
