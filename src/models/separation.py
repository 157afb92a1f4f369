"""How well one column alone tells two groups apart, whichever way it points."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


class Separation(NamedTuple):
    """The area under the ROC curve, 0.5 to 1, and its standard error."""

    auc: float
    error: float


def separation(values: NDArray[np.float64], outcome: NDArray[np.bool_]) -> Separation:
    """The better of both directions, with null as the lowest or as the highest value.

    Both groups must have members. The standard error is that of Hanley & McNeil [1]_.

    References
    ----------
    .. [1] Hanley & McNeil (1982), The meaning and use of the area under a ROC curve,
       Radiology 143(1), eq. (1) and (2).
    """
    missing = np.isnan(values)
    fills = (-np.inf, np.inf) if missing.any() else (np.nan,)
    aucs = [_auc(np.where(missing, fill, values), outcome) for fill in fills]
    auc = max(max(one, 1 - one) for one in aucs)
    return Separation(auc, _error(auc, int(outcome.sum()), int((~outcome).sum())))


def _auc(values: NDArray[np.float64], outcome: NDArray[np.bool_]) -> float:
    ones, zeros = int(outcome.sum()), int((~outcome).sum())
    above = rankdata(values)[outcome].sum() - ones * (ones + 1) / 2
    return float(above / (ones * zeros))


def _error(auc: float, ones: int, zeros: int) -> float:
    both = auc / (2 - auc) - auc**2  # Q1 - A^2
    either = 2 * auc**2 / (1 + auc) - auc**2  # Q2 - A^2
    variance = auc * (1 - auc) + (ones - 1) * both + (zeros - 1) * either
    return float(np.sqrt(max(variance, 0.0) / (ones * zeros)))
