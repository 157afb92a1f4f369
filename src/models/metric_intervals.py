"""How far the quality of a score might lie off, had other customers been drawn."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.evaluation import CLIP, log_losses

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]
Interval = tuple[float, float]
Statistic = Callable[[FloatArray], FloatArray]
DRAWS = 300
MOST_WORK = 20_000_000
"""Draws times customers: where there are many customers, fewer draws do, since all lie close."""
LEAST_DRAWS = 50
BLOCK = 1_000_000
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
    y = churned.to_numpy(dtype=float)
    asked = {
        (str(name), metric): statistic
        for name, column in scores.items()
        for metric, statistic in _statistics(y, column).items()
    }
    drawn: dict[tuple[str, str], list[FloatArray]] = {key: [] for key in asked}
    for times in _blocks(len(y), draws, seed):
        for key, statistic in asked.items():
            drawn[key].append(statistic(times))
    found: dict[str, dict[str, Interval]] = {}
    for (name, metric), values in drawn.items():
        found.setdefault(name, {})[metric] = _edges(np.concatenate(values))
    return found


def mean_interval(values: FloatArray, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """90 % interval of a mean over customers, by the same bootstrap."""
    blocks = _blocks(len(values), draws, seed)
    return _edges(np.concatenate([times @ values / len(values) for times in blocks]))


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


def _statistics(y: FloatArray, score: pd.Series) -> dict[str, Statistic]:
    """What each draw gives, by metric."""
    numbers = score.to_numpy(dtype=float)
    _, place = np.unique(numbers, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    found: dict[str, Statistic] = {"auc": partial(_aucs, y[order], order, starts)}
    if score.between(0, 1).all():
        p = np.clip(numbers, CLIP, 1 - CLIP)
        found["log_loss"] = partial(_means, log_losses(y, p))
        found["brier"] = partial(_means, (y - p) ** 2)
    return found


def _means(values: FloatArray, times: FloatArray) -> FloatArray:
    means: FloatArray = times @ values / len(values)
    return means


def _aucs(y: FloatArray, order: Places, starts: Places, times: FloatArray) -> FloatArray:
    """AUC of each draw: of pairs of one who left and one who stayed, the share in order.

    `y` is in the order of the score, `starts` where a new value of it begins.
    """
    times = times[:, order]
    left = np.add.reduceat(times * y, starts, axis=1)
    stayed = np.add.reduceat(times * (1 - y), starts, axis=1)
    below = np.cumsum(stayed, axis=1) - stayed / 2
    pairs = left.sum(axis=1) * stayed.sum(axis=1)
    with np.errstate(invalid="ignore"):
        aucs: FloatArray = (left * below).sum(axis=1) / pairs
    return aucs


def _blocks(customers: int, draws: int, seed: int) -> Iterator[FloatArray]:
    """How often each customer is drawn, shape (some draws, customers): a bound on memory."""
    rng = np.random.default_rng(seed)
    left = max(min(draws, MOST_WORK // max(customers, 1)), LEAST_DRAWS)
    while left > 0:
        some = min(left, max(BLOCK // max(customers, 1), 1))
        yield np.stack([_times(customers, rng) for _ in range(some)])
        left -= some


def _times(customers: int, rng: np.random.Generator) -> FloatArray:
    drawn = np.bincount(rng.integers(0, customers, customers), minlength=customers)
    return drawn.astype(np.float64)


def _edges(values: FloatArray) -> Interval:
    """A draw without leavers, or without stayers, has no AUC and does not count."""
    low, high = np.nanquantile(values, EDGES)
    return float(low), float(high)
