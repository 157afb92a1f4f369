"""How far one score is ahead of another, with intervals: customers are drawn with all their rows.

The same customers come back at cutoff after cutoff, so a customer, not a row, is what chance draws.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from patronage.models.evaluation import CLIP, log_losses

FloatArray = NDArray[np.float64]
METRICS = ("log_loss", "brier", "auc")
MEAN = "mean"
REPLICATES = 2000
LEVEL = 0.9
WEIGHTS_AT_ONCE = 10_000_000  # customers x replicates: 80 MB


def paired_differences(
    cutoffs: Sequence[pd.DataFrame],
    *,
    ours: str,
    rivals: Sequence[str],
    replicates: int = REPLICATES,
    seed: int = 0,
) -> pd.DataFrame:
    """Metric of `ours` less that of each rival, at each cutoff and in the mean of all cutoffs.

    The interval holds 90 %. It tells what other customers would have given at these cutoffs, not
    what other cutoffs would: what moves all customers of a cutoff at once is in none of it.

    Parameters
    ----------
    cutoffs
        For each cutoff one row per customer: `customer_id`, `churned`, and a column per score.
    ours, rivals
        Names of the columns. A score that is no probability within [0, 1] has only an AUC.
    replicates
        Times that the customers are drawn.

    Returns
    -------
    DataFrame
        `rival`, `metric`, `cutoff` (its place, or "mean"), `difference`, `low`, `high`. Below 0 is
        better for losses, above 0 for the AUC.

    References
    ----------
    .. [1] Field and Welsh (2007), Bootstrapping clustered data, JRSS B 69(3).
    .. [2] DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more
       correlated receiver operating characteristic curves, Biometrics 44(3): an AUC is a mean over
       the churners and over the stayers, to first order, which is what is drawn.
    """
    customers = pd.factorize(pd.concat([one["customer_id"] for one in cutoffs]))[0]
    ends = np.cumsum([len(one) for one in cutoffs])[:-1]
    keys = [
        (rival, metric)
        for rival in rivals
        for metric in (METRICS if _is_probability(cutoffs, rival) else ("auc",))
    ]
    parts = [_Parts(one, ours, keys) for one in cutoffs]
    drawn = _drawn(parts, np.split(customers, ends), replicates, np.random.default_rng(seed))
    seen = np.stack([part.seen for part in parts])
    return pd.DataFrame(
        row
        for column, (rival, metric) in enumerate(keys)
        for row in _rows(rival, metric, seen[:, column], drawn[:, :, column])
    )


class _Parts:
    """A cutoff's differences as means over its rows, its churners and its stayers."""

    def __init__(self, scores: pd.DataFrame, ours: str, keys: Sequence[tuple[str, str]]) -> None:
        y = scores["churned"].to_numpy(dtype=float)
        values = [
            _row_values(y, scores[ours], metric) - _row_values(y, scores[rival], metric)
            for rival, metric in keys
        ]
        self.is_auc = np.array([metric == "auc" for _, metric in keys])
        self.values = np.column_stack(values)
        self.churned = y
        self.seen = self.means(np.ones((1, len(y))))[0]

    def means(self, weights: FloatArray) -> FloatArray:
        """The differences, shape (replicates, columns), with these weights of the rows."""
        of = (weights * self.churned, weights * (1 - self.churned))
        plain = (weights @ self.values) / weights.sum(axis=1, keepdims=True)
        churners, stayers = ((part @ self.values) / part.sum(axis=1, keepdims=True) for part in of)
        area = self.values[self.churned == 1].mean(axis=0)
        found: FloatArray = np.where(self.is_auc, churners + stayers - area, plain)
        return found


def _row_values(y: FloatArray, score: pd.Series, metric: str) -> FloatArray:
    """What each row brings to the metric; of the AUC, the share of the others it is right about."""
    s = score.to_numpy(dtype=float)
    if metric == "log_loss":
        return log_losses(y, s)
    if metric == "brier":
        return np.asarray((np.clip(s, CLIP, 1 - CLIP) - y) ** 2)
    churned, ranks, right = y == 1, rankdata(s), np.empty(len(y))
    for group in (churned, ~churned):
        right[group] = (ranks[group] - rankdata(s[group])) / (~group).sum()
    right[~churned] = 1 - right[~churned]
    return right


def _is_probability(cutoffs: Sequence[pd.DataFrame], name: str) -> bool:
    return all(one[name].between(0, 1).all() for one in cutoffs)


def _drawn(
    parts: Sequence[_Parts],
    customers: Sequence[NDArray[np.intp]],
    replicates: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Differences of customers drawn with replacement, shape (replicates, cutoffs, columns)."""
    n = max(int(rows.max()) for rows in customers) + 1
    size = max(min(WEIGHTS_AT_ONCE // n, replicates), 1)
    blocks = []
    for start in range(0, replicates, size):
        times = [
            np.bincount(rng.integers(0, n, size=n), minlength=n)
            for _ in range(min(size, replicates - start))
        ]
        weights = np.array(times, dtype=float)
        # A draw without a churner, or a stayer, has no AUC: it counts for nothing.
        with np.errstate(divide="ignore", invalid="ignore"):
            found = [
                part.means(weights[:, rows]) for part, rows in zip(parts, customers, strict=True)
            ]
        blocks.append(np.stack(found, axis=1))
    return np.concatenate(blocks)


def _rows(rival: str, metric: str, seen: FloatArray, drawn: FloatArray) -> list[dict[str, object]]:
    places: list[object] = [*range(len(seen)), MEAN]
    values = np.append(seen, seen.mean())
    ends = np.nanquantile(
        np.column_stack([drawn, drawn.mean(axis=1)]), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0
    )
    return [
        {
            "rival": rival,
            "metric": metric,
            "cutoff": place,
            "difference": float(value),
            "low": float(low),
            "high": float(high),
        }
        for place, value, low, high in zip(places, values, *ends, strict=True)
    ]
