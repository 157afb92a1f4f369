"""How far the quality of a score might lie off, had other customers been drawn."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.evaluation import CLIP, log_losses

FloatArray = NDArray[np.float64]
Interval = tuple[float, float]
DRAWS = 300
MOST_WORK = 20_000_000
"""Draws times customers: where there are many customers, fewer draws do, since all lie close."""
LEAST_DRAWS = 50
EDGES = (0.05, 0.95)
_Z = 1.959963984540054  # two-sided 95 %


def metric_intervals(
    churned: pd.Series, scores: pd.DataFrame, *, draws: int = DRAWS, seed: int = 0
) -> dict[str, dict[str, Interval]]:
    """90 % intervals of each score's AUC and, if it is a probability, log loss and Brier score.

    Customers are drawn with replacement, the same ones for every score: the percentile bootstrap.
    The interval holds what another draw of customers of this cutoff would have done, and nothing
    of another season.

    Parameters
    ----------
    churned
        The label, 0 or 1.
    scores
        One column per score, on the index of `churned`; one within 0 to 1 is a probability.
    """
    times = _times(len(churned), draws, seed)
    y = churned.to_numpy(dtype=float)
    return {str(name): _of_score(y, column, times) for name, column in scores.items()}


def mean_interval(values: FloatArray, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """90 % interval of a mean over customers, by the same bootstrap."""
    return _edges(_times(len(values), draws, seed) @ values / len(values))


def wilson_interval(hits: NDArray[Any], n: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """95 % interval of each share ``hits / n`` [1]_; it stays within 0 to 1.

    References
    ----------
    .. [1] Wilson (1927), Probable inference, the law of succession, and statistical inference,
       Journal of the American Statistical Association 22(158).
    """
    share, z2 = hits / n, _Z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def _of_score(y: FloatArray, score: pd.Series, times: FloatArray) -> dict[str, Interval]:
    found = {"auc": _edges(_aucs(y, score.to_numpy(dtype=float), times))}
    if score.between(0, 1).all():
        p = np.clip(score.to_numpy(dtype=float), CLIP, 1 - CLIP)
        found["log_loss"] = _edges(times @ log_losses(y, p) / len(y))
        found["brier"] = _edges(times @ (y - p) ** 2 / len(y))
    return found


def _aucs(y: FloatArray, score: FloatArray, times: FloatArray) -> FloatArray:
    """AUC of each draw: of pairs of one who left and one who stayed, the share in order."""
    _, place = np.unique(score, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    left = np.add.reduceat((times * y)[:, order], starts, axis=1)
    stayed = np.add.reduceat((times * (1 - y))[:, order], starts, axis=1)
    below = np.cumsum(stayed, axis=1) - stayed / 2
    pairs = left.sum(axis=1) * stayed.sum(axis=1)
    with np.errstate(invalid="ignore"):
        aucs: FloatArray = (left * below).sum(axis=1) / pairs
    return aucs


def _times(customers: int, draws: int, seed: int) -> FloatArray:
    """How often each customer is drawn, shape (draws, customers)."""
    rng = np.random.default_rng(seed)
    count = max(min(draws, MOST_WORK // max(customers, 1)), LEAST_DRAWS)
    drawn = (
        np.bincount(rng.integers(0, customers, customers), minlength=customers)
        for _ in range(count)
    )
    return np.stack(list(drawn)).astype(np.float64)


def _edges(values: FloatArray) -> Interval:
    """A draw without leavers, or without stayers, has no AUC and does not count."""
    low, high = np.nanquantile(values, EDGES)
    return float(low), float(high)
