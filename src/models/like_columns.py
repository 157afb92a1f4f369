"""Columns that say nearly the same, taken together.

Tenure, charges paid so far and total revenue rise together: one by one each looks unimportant,
since the others stand in for it, and as reasons they would be one reason said three times.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.panel_matrix import is_text

ALIKE = 0.8
"""Strength of association, 0 to 1, from which every two columns of a family are."""
MOST_ROWS = 2_000
Floats = NDArray[np.float64]


def like_columns(rows: pd.DataFrame, features: Sequence[str]) -> dict[str, str]:
    """The family of each column: the first column, in the order given, that it goes with.

    Two numbers go together by the size of their rank correlation, a text and a number by the
    correlation ratio of the ranks, two texts by Cramér's V, the last two freed of what chance
    gives. Complete linkage: in a family every two columns are associated by `ALIKE` or more.

    Parameters
    ----------
    rows
        The columns; at most 2,000 rows are looked at.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    names = list(features)
    if len(names) < 2:
        return {name: name for name in names}
    some = rows.sample(MOST_ROWS, random_state=0) if len(rows) > MOST_ROWS else rows
    apart = 1 - association(some[names])
    tree = linkage(squareform(apart, checks=False), method="complete")
    groups = fcluster(tree, t=1 - ALIKE, criterion="distance")
    first: dict[int, str] = {}
    return {
        name: first.setdefault(int(group), name) for name, group in zip(names, groups, strict=True)
    }


def association(rows: pd.DataFrame) -> Floats:
    """How far every two columns go together, 0 to 1, shape (columns, columns); 1 with itself."""
    names = [str(name) for name in rows]
    texts = {name for name in names if is_text(rows[name])}
    codes = {name: _codes(rows[name], text=name in texts) for name in names}
    found = np.eye(len(names))
    for one, name in enumerate(names):
        for two in range(one):
            found[one, two] = found[two, one] = _strength(
                codes[name], codes[names[two]], name in texts, names[two] in texts
            )
    return found


def _codes(column: pd.Series, *, text: bool) -> Floats:
    """Categories by number, or ranks; a gap is a category of its own, or the middle rank."""
    if text:
        return np.asarray(column.astype("category").cat.codes, dtype=float)
    ranks = column.astype(float).rank()
    return np.asarray(ranks.fillna(ranks.median()).fillna(0.0), dtype=float)


def _strength(one: Floats, two: Floats, one_text: bool, two_text: bool) -> float:
    if one_text and two_text:
        return _cramer(one, two)
    if one_text or two_text:
        return _ratio(one, two) if one_text else _ratio(two, one)
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        return 0.0
    return float(min(abs(np.corrcoef(one, two)[0, 1]), 1.0))


def _ratio(category: Floats, ranks: Floats) -> float:
    """Correlation ratio of the ranks by category, less what as many categories give by chance."""
    _, place = np.unique(category, return_inverse=True)
    size = np.bincount(place)
    spread = float(((ranks - ranks.mean()) ** 2).sum())
    if spread == 0 or len(size) >= len(ranks):
        return 0.0
    means = np.bincount(place, weights=ranks) / size
    within = float(((ranks - means[place]) ** 2).sum())
    explained = 1 - (len(ranks) - 1) / (len(ranks) - len(size)) * within / spread
    return float(np.sqrt(max(explained, 0.0)))


def _cramer(one: Floats, two: Floats) -> float:
    """Cramér's V, corrected for bias (Bergsma 2013, Journal of the Korean Statistical Society)."""
    rows_of, columns_of = (np.unique(codes, return_inverse=True)[1] for codes in (one, two))
    shape = int(rows_of.max()) + 1, int(columns_of.max()) + 1
    cells = np.bincount(rows_of * shape[1] + columns_of, minlength=shape[0] * shape[1])
    table = cells.reshape(shape).astype(float)
    n, rows, columns = table.sum(), *table.shape
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi2 = float(((table - expected) ** 2 / expected).sum() / n)
    phi2 = max(phi2 - (rows - 1) * (columns - 1) / (n - 1), 0.0)
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(min(np.sqrt(phi2 / least), 1.0)) if least > 0 else 0.0
