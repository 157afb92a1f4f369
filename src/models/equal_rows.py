"""Folds of rows without time: equal rows share a fold, and each fold has its share of churners."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.errors import DataError
from patronage.models.panel_matrix import is_text

Places = NDArray[np.intp]
FEWEST = 2
"""Distinct rows of either outcome, without which no fold can judge another."""


@dataclass(frozen=True)
class RowFold:
    """Places of the rows that train and of those that judge; no row equals one of the others."""

    train: Places
    judge: Places


def row_groups(features: pd.DataFrame) -> Places:
    """A number for each row, the same for rows that are equal in every column, shape (n,).

    Copies of a row, or customers who look the same, would otherwise stand on both sides of a split
    and be known by heart.
    """
    return np.unique(_hashes(features), return_inverse=True)[1].astype(np.intp)


def kept_to_judge(features: pd.DataFrame, *, share: float, seed: int) -> NDArray[np.bool_]:
    """Rows to judge by, about so large a share, chosen by what is in them.

    A row that is kept today is kept whatever rows come with it tomorrow, so that no model that was
    trained by the same rule has learnt from it.
    """
    drawn = pd.util.hash_array(_hashes(features) + np.uint64(seed))
    chosen: NDArray[np.bool_] = drawn < np.uint64(int(share * 2**64))
    return chosen


def stratified_row_folds(
    features: pd.DataFrame, churned: pd.Series, *, count: int, seed: int
) -> list[RowFold]:
    """Up to `count` folds of about equal size and churn rate, none with rows equal to another's.

    There are fewer where fewer distinct rows churned, or stayed.

    Raises
    ------
    DataError
        If fewer than two distinct rows churned, or stayed.
    """
    groups = row_groups(features)
    size = np.bincount(groups)
    rate = np.bincount(groups, weights=churned.to_numpy(dtype=float)) / size
    fewest = min(int((rate > 0).sum()), int((rate < 1).sum()))
    if fewest < FEWEST:
        raise DataError(
            f"the churn model cannot be checked on other rows than it learns from: of "
            f"{len(churned):,} rows, {int(churned.sum()):,} churned and "
            f"{int((1 - churned).sum()):,} stayed, and {FEWEST} distinct rows of each are the "
            "least. Bring more customers."
        )
    count = min(count, fewest)
    drawn = np.random.default_rng(seed).permutation(len(size))
    order = drawn[
        np.lexsort((size[drawn], rate[drawn]))
    ]  # alike next to alike, chance among equals
    fold_of_group = np.empty(len(size), dtype=np.intp)
    fold_of_group[order] = np.arange(len(size)) % count
    fold = fold_of_group[groups]
    return [
        RowFold(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(count)
    ]


def _hashes(features: pd.DataFrame) -> NDArray[np.uint64]:
    ordered = {str(name): _hashable(features[name]) for name in sorted(features, key=str)}
    hashes = pd.util.hash_pandas_object(pd.DataFrame(ordered, index=features.index), index=False)
    return np.asarray(hashes, dtype=np.uint64)


def _hashable(column: pd.Series) -> pd.Series:
    """Texts as plain texts: categories of two tables may number their values differently."""
    if is_text(column):
        return column.astype(object).where(column.notna(), "").astype(str)
    return column.astype(float)
