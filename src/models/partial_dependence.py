"""How the mean probability of churn moves with one feature, all others held."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from patronage.models.churn import ChurnModel
from patronage.models.importance import sample_rows
from patronage.models.panel_matrix import is_text

MOST_ROWS = 1_000
POINTS = 15
BINS = 20
EDGES = (0.02, 0.98)
"""Beyond these quantiles are too few customers to say anything of."""
CATEGORIES = 8


@dataclass(frozen=True)
class Dependence:
    """Mean probability of churn if everybody had a value of the feature.

    Attributes
    ----------
    values, p_churn
        The values tried, ascending (texts: the most frequent first), and the mean for each.
    edges, counts
        Of the test customers, how many lie between neighbouring edges; of a text `edges` is empty
        and `counts` has one number for each value.
    p_missing, missing
        The mean if nobody had a value, None where the model never met that, and the share of the
        test customers without one.
    """

    feature: str
    values: tuple[float, ...] | tuple[str, ...]
    p_churn: tuple[float, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    p_missing: float | None
    missing: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def partial_dependence(
    model: ChurnModel,
    test: pd.DataFrame,
    features: Sequence[str],
    *,
    rows: int = MOST_ROWS,
    points: int = POINTS,
    seed: int = 0,
) -> tuple[Dependence, ...]:
    """Partial dependence [1]_ of the probability of churn, on test rows.

    Each row keeps its own P(no purchase), from which the trees start, and all other features: what
    is shown is what the model makes of the feature beyond them. A feature of which all rows have
    one value, or none, is left out.

    Parameters
    ----------
    test
        Rows of a cutoff that the model has not seen.
    features
        Columns of the model, `p_no_purchase` among them if wanted.
    rows
        At most so many are drawn.
    points
        Values tried of a number: its quantiles.

    References
    ----------
    .. [1] Friedman (2001), Greedy function approximation, Annals of Statistics 29, section 8.2.
    """
    drawn = sample_rows(test, rows, np.random.default_rng(seed))
    found = [_dependence(model, drawn, test[name], points) for name in features]
    return tuple(one for one in found if len(one.values) > 1)


def _dependence(
    model: ChurnModel, drawn: pd.DataFrame, column: pd.Series, points: int
) -> Dependence:
    known = column.dropna()
    missing = float(column.isna().mean())
    text = is_text(column)
    values, edges, counts = _texts(known) if text else _numbers(known.astype(float), points)
    name = str(column.name)
    means = [_mean(model, drawn, name, value) for value in values]
    p_missing = _mean(model, drawn, name, None if text else np.nan) if missing else None
    return Dependence(name, values, tuple(means), edges, counts, p_missing, missing)


def _mean(model: ChurnModel, drawn: pd.DataFrame, name: str, value: float | str | None) -> float:
    same = pd.Series([value] * len(drawn), index=drawn.index, dtype=drawn[name].dtype)
    return float(model.predict_proba(drawn.assign(**{name: same})).mean())


def _texts(known: pd.Series) -> tuple[tuple[str, ...], tuple[float, ...], tuple[int, ...]]:
    counts = known.astype(str).value_counts().head(CATEGORIES)
    return tuple(map(str, counts.index)), (), tuple(int(count) for count in counts)


def _numbers(
    known: pd.Series, points: int
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[int, ...]]:
    if known.empty:
        return (), (), ()
    low, high = known.quantile(list(EDGES))
    inside = known[known.between(low, high)].to_numpy()
    grid = np.unique(inside)
    if len(grid) > points:
        grid = np.unique(np.quantile(inside, np.linspace(0, 1, points)))
    counts, edges = np.histogram(inside, bins=BINS)
    return tuple(grid.tolist()), tuple(edges.tolist()), tuple(counts.tolist())
