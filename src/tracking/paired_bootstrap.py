"""Intervals of mean differences between scores judged on the same customers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
REPLICATES = 2000
EDGES = (0.05, 0.95)


def bootstrap_intervals(
    differences: Sequence[FloatArray], *, seed: int = 0
) -> list[tuple[float, float]]:
    """5th and 95th percentile of each mean difference over customers drawn with replacement.

    Parameters
    ----------
    differences
        Differences customer by customer, each of the same customers in the same order. All are
        averaged over the same draws.
    """
    if not differences:
        return []
    rng = np.random.default_rng(seed)
    table = np.stack(differences, axis=1)
    means = np.stack([_drawn_mean(table, rng) for _ in range(REPLICATES)])
    low, high = np.quantile(means, EDGES, axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _drawn_mean(table: FloatArray, rng: np.random.Generator) -> FloatArray:
    n = len(table)
    times = np.bincount(rng.integers(0, n, size=n), minlength=n)
    mean: FloatArray = times.astype(float) @ table / n
    return mean
