"""Columns of a snapshot that look as if they knew the label.

A snapshot has no past to hold a column against, as a log has: what can be seen is that one column
alone is far ahead of all that an honest one can do.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.equal_rows import row_groups
from patronage.models.leakage_probes import ERRORS, FEWEST, MOST_ROWS, Suspicion
from patronage.models.panel_matrix import is_text
from patronage.models.separation import Separation, separation

LEAST = 0.85
"""An AUC that a column alone hardly ever has; below it nothing is suspected."""
SMOOTHING = 5.0
"""Customers at the mean rate that are added to each category."""
EMPTY = "(empty)"
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def snapshot_suspicions(rows: pd.DataFrame, features: Sequence[str]) -> list[Suspicion]:
    """Columns that alone tell who churned better than half way from the best other one to perfect.

    The best other one is the best of those that are not suspected themselves, so that several leaks
    do not hide each other. A category counts by the share that churned among other rows with it,
    and so does being empty.

    Parameters
    ----------
    rows
        `churned`, 0 or 1, and the features.

    Returns
    -------
    list
        Strongest first; none where fewer than 30 rows churned, or stayed.
    """
    some = rows.sample(MOST_ROWS, random_state=0) if len(rows) > MOST_ROWS else rows
    some = some.reset_index(drop=True)
    churned = some["churned"].to_numpy() == 1
    if min(int(churned.sum()), int((~churned).sum())) < FEWEST:
        return []
    half = row_groups(some[list(features)]) % 2 == 0
    found = {name: _separation(some[name], churned, half) for name in features}
    ranked = sorted(found, key=lambda name: -found[name].auc)
    suspects = _suspects(ranked, found)
    honest = next((found[name].auc for name in ranked[suspects:]), 0.5)
    best = ranked[suspects] if suspects < len(ranked) else "a coin"
    return [_suspicion(name, found[name].auc, best, honest) for name in ranked[:suspects]]


def _suspects(ranked: Sequence[str], found: dict[str, Separation]) -> int:
    """How many of the first are ahead of the one that follows by more than an honest one can be."""
    aucs = [found[name].auc for name in ranked] + [0.5]
    ahead = [
        place + 1
        for place, name in enumerate(ranked)
        if found[name].auc - ERRORS * found[name].error > _limit(aucs[place + 1])
    ]
    return max(ahead, default=0)


def _limit(honest: float) -> float:
    return max((1 + honest) / 2, LEAST)


def _suspicion(name: str, auc: float, best: str, honest: float) -> Suspicion:
    limit = _limit(honest)
    return Suspicion(
        feature=name,
        probe="too good",
        value=auc,
        limit=limit,
        text=(
            f"{name} alone tells who churned with an AUC of {auc:.3f}; {best} has {honest:.3f}, "
            f"and beyond {limit:.3f} it looks like a leak. Was it filled in once the customer had "
            f'left? Then: [snapshot] leave_out = ["{name}"]'
        ),
    )


def _separation(column: pd.Series, churned: Flags, half: Flags) -> Separation:
    values = _rates(column, churned, half) if is_text(column) else column.to_numpy(dtype=float)
    return separation(values, churned)


def _rates(column: pd.Series, churned: Flags, half: Flags) -> Floats:
    """The share that churned among the other half's rows of the same category."""
    texts, mean = column.astype(object).where(column.notna(), EMPTY), float(churned.mean())
    rates = np.full(len(column), mean)
    for side in (half, ~half):
        known = pd.Series(churned[~side].astype(float)).groupby(texts[~side].to_numpy())
        learned = (known.sum() + SMOOTHING * mean) / (known.count() + SMOOTHING)
        rates[side] = texts[side].map(learned).fillna(mean).to_numpy(dtype=float)
    return rates
