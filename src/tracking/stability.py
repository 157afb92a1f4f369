"""How far two samples differ: population stability index, Kolmogorov-Smirnov, chi square."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.tracking.column_profile import ColumnProfile, known_values

FloatArray = NDArray[np.float64]
EMPTY = 0.5
"""So many rows are taken for none in a bin that is empty on one side."""


def population_stability_index(then: FloatArray, now: FloatArray) -> float:
    """Sum over bins of (share now - share then) x ln(share now / share then) [1]_.

    It is the symmetric Kullback-Leibler divergence of the binned shares: 0 when they are equal;
    by the rule of thumb below 0.1 little has changed, from 0.25 on a lot. Between two samples of
    one population it is (bins - 1) x (1 / n_then + 1 / n_now) on average [1]_: with few rows it
    says nothing without a test.

    Parameters
    ----------
    then, now
        Rows in each bin, shape (bins,). A bin that is empty in both is left out; in one that is
        empty in one sample, half a row is taken for none.

    References
    ----------
    .. [1] Yurdakul & Naranjo (2020), Statistical properties of the population stability index,
       Journal of Risk Model Validation 14(4).
    """
    used = (then > 0) | (now > 0)
    if not (then.sum() and now.sum()):
        return 0.0
    before, after = (
        np.where(rows[used] > 0, rows[used], EMPTY) / rows.sum() for rows in (then, now)
    )
    return float(((after - before) * np.log(after / before)).sum())


def kolmogorov_smirnov(
    profile: ColumnProfile, column: pd.Series, *, n_then: float
) -> tuple[float, float]:
    """Largest distance between the two distribution functions, and its p-value.

    The distance is taken at the percentiles that the profile keeps: it is at most 0.01 below that
    of all rows, and equal to it where the column held no more than a hundred values, each of a
    hundredth of the rows or more. Ties make the p-value too large, never too small. Nulls are left
    out on both sides.

    Parameters
    ----------
    profile
        Of a number.
    column
        The same number, in other rows.
    n_then
        Independent rows behind the profile, the null ones included.
    """
    from scipy.stats import kstwo

    now = np.sort(known_values(column).to_numpy(dtype=float))
    n_then = n_then * (1 - profile.null_share)
    if n_then < 1 or not len(now):
        return 0.0, 1.0
    reached = np.searchsorted(now, np.asarray(profile.values), side="right") / len(now)
    distance = float(np.abs(reached - np.asarray(profile.cumulative)).max())
    effective = max(round(n_then * len(now) / (n_then + len(now))), 1)
    return distance, float(np.clip(kstwo.sf(distance, effective), 0, 1))


def homogeneity(then: FloatArray, now: FloatArray) -> float:
    """P-value of Pearson's chi-square test that two rows of counts have the same shares."""
    from scipy.stats import chi2_contingency

    used = (then > 0) | (now > 0)
    if used.sum() < 2 or not (then.sum() and now.sum()):
        return 1.0
    return float(chi2_contingency(np.vstack([then[used], now[used]]), correction=False).pvalue)


def adjusted(p_values: FloatArray) -> FloatArray:
    """P-values after Benjamini and Hochberg's correction for so many tests at once [1]_.

    References
    ----------
    .. [1] Benjamini & Hochberg (1995), Controlling the false discovery rate, Journal of the Royal
       Statistical Society B 57(1).
    """
    from scipy.stats import false_discovery_control

    if not len(p_values):
        return p_values
    return np.asarray(false_discovery_control(p_values, method="bh"), dtype=float)
