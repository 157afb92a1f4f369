"""Family rhythm: the customer's own gaps between purchase days, and the gap that is open now."""

import numpy as np

from patronage.features.arrays import Columns, FloatArray, ratio
from patronage.features.feature import Feature
from patronage.features.grid import Grid

FEATURES = (
    Feature(
        "usual_gap_days",
        "Median gap between consecutive purchase days.",
        "days",
        "rhythm",
        "usual days between purchases",
        null="with one purchase",
    ),
    Feature(
        "gap_mean",
        "Mean gap between purchase days.",
        "days",
        "rhythm",
        "average days between purchases",
        null="with one purchase",
    ),
    Feature(
        "gap_sd",
        "Standard deviation of the gaps.",
        "days",
        "rhythm",
        "how much the days between purchases vary",
        null="with fewer than two gaps",
    ),
    Feature(
        "gap_cv",
        "gap_sd divided by gap_mean: 0 is a clockwork, 1 is random.",
        "ratio",
        "rhythm",
        "irregularity of the purchases",
        null="with fewer than two gaps",
    ),
    Feature(
        "gap_max",
        "Longest gap so far.",
        "days",
        "rhythm",
        "longest pause so far",
        null="with one purchase",
    ),
    Feature(
        "gap_last",
        "The last closed gap.",
        "days",
        "rhythm",
        "days between the last two",
        null="with one purchase",
    ),
    Feature(
        "expected_gap_days",
        "usual_gap_days drawn towards T per purchase day: the mean of the two, weighted by the "
        "number of gaps and by 1. Defined for one-time buyers too.",
        "days",
        "rhythm",
        "days within which the next purchase was to be expected",
    ),
    Feature(
        "overdue_ratio",
        "days_since_last divided by expected_gap_days: above 1, the customer is late.",
        "ratio",
        "rhythm",
        "days since the last purchase, in expected gaps",
    ),
    Feature(
        "away_to_max_gap",
        "days_since_last divided by gap_max: above 1, never away for so long before.",
        "ratio",
        "rhythm",
        "days since the last purchase against the longest pause so far",
        null="with one purchase",
    ),
    Feature(
        "last_gap_ratio",
        "gap_last divided by usual_gap_days.",
        "ratio",
        "rhythm",
        "the last gap against the usual gap",
        null="with one purchase",
    ),
    Feature(
        "gap_trend",
        "Slope of a straight line through the gaps in order, divided by gap_mean: 0.1 means that "
        "each gap is a tenth of the mean longer than the one before.",
        "ratio",
        "rhythm",
        "how fast the gaps grow",
        null="with fewer than three gaps",
    ),
    Feature(
        "slow_gaps",
        "How many of the last three gaps are longer than usual_gap_days.",
        "count",
        "rhythm",
        "recent gaps longer than usual",
        null="with one purchase",
    ),
    Feature(
        "recency_z",
        "days_since_last less expected_gap_days, in standard deviations of the gaps. Their "
        "variance is drawn towards that of a customer of the same pace who buys at random, which "
        "is expected_gap_days squared, with the weight of one gap: a population's figure would "
        "make a value depend on who else is in the data.",
        "ratio",
        "rhythm",
        "how unusual the present pause is",
    ),
    Feature(
        "clumpiness",
        "Concentration of the purchases in time, by entropy of the gaps, the open one included: "
        "0 when they are even, 1 when all time lies in one gap (Zhang, Bradlow & Small 2013).",
        "share",
        "rhythm",
        "how much purchases come in bursts",
        null="with one purchase",
    ),
)
RANDOM_GAPS = 1
"""Weight of a customer who buys at random, in gaps."""


def compute(grid: Grid) -> Columns:
    """The family's features, one value per row of the grid."""
    table = grid.table
    median = grid.latest(table.running_median(table.gap))
    mean = ratio(grid.last - grid.first, grid.purchases - 1)
    spread = grid.latest(table.running_sd(table.gap))
    longest = grid.latest(table.running_max(table.gap))
    closed = grid.latest(table.gap)
    expected = _expected_gap(grid, median)
    return {
        "usual_gap_days": median,
        "gap_mean": mean,
        "gap_sd": spread,
        "gap_cv": spread / mean,
        "gap_max": longest,
        "gap_last": closed,
        "expected_gap_days": expected,
        "overdue_ratio": grid.away / expected,
        "away_to_max_gap": grid.away / longest,
        "last_gap_ratio": closed / median,
        "gap_trend": _trend(grid, mean),
        "slow_gaps": _slow(grid, median),
        "recency_z": _recency_z(grid, expected, spread),
        "clumpiness": _clumpiness(grid),
    }


def _expected_gap(grid: Grid, median: FloatArray) -> FloatArray:
    gaps = grid.purchases - 1
    return (gaps * np.nan_to_num(median) + grid.age / grid.purchases) / (gaps + 1)


def _trend(grid: Grid, mean: FloatArray) -> FloatArray:
    """Least-squares slope of gap 1..n on its number, over the mean gap."""
    n = np.where(grid.purchases > 3, grid.purchases - 1, np.nan)
    weighted = grid.latest(grid.table.running_sum(grid.table.gap * grid.table.repeat_number))
    centred = weighted - (n + 1) / 2 * n * mean
    return np.asarray(centred / (n * (n * n - 1) / 12) / mean)


def _recency_z(grid: Grid, expected: FloatArray, spread: FloatArray) -> FloatArray:
    own = np.maximum(grid.purchases - 2, 0)
    squares = own * np.nan_to_num(spread) ** 2 + RANDOM_GAPS * expected**2
    return np.asarray((grid.away - expected) / np.sqrt(squares / (own + RANDOM_GAPS)))


def _clumpiness(grid: Grid) -> FloatArray:
    """1 + sum of x log x over log of the number of gaps, x their shares of the time."""
    gap = grid.table.gap
    closed = grid.latest(grid.table.running_sum(gap * np.log(gap)))
    weighted = (closed + grid.away * np.log(grid.away)) / grid.age - np.log(grid.age)
    return np.clip(1 + weighted / np.log(grid.purchases), 0, 1)


def _slow(grid: Grid, median: FloatArray) -> FloatArray:
    recent = [grid.latest(grid.table.gap, back=back) > median for back in range(3)]
    return np.where(grid.purchases > 1, np.sum(recent, axis=0), np.nan)
