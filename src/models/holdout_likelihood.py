"""How likely a model took the purchases that came: the out-of-time log-likelihood of counts."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.purchase_model import PurchaseModel
from patronage.models.rfm_input import FloatArray

BLOCK = 100_000
"""Customers whose distributions are held at a time."""
LEAST = 1e-300
"""A probability below this counts as this: one customer cannot make a total -infinite."""


def holdout_log_likelihood(
    model: PurchaseModel, rfm: pd.DataFrame, horizon: float, counts: NDArray[Any]
) -> FloatArray:
    """Logarithm of P(this many purchases in the horizon after T) of each customer.

    Parameters
    ----------
    model
        Fitted on what was known at T.
    rfm
        One row per customer, in the unit of the fit.
    horizon
        In that unit.
    counts
        The purchases each customer made in it.
    """
    result = np.empty(len(counts))
    for rows in _blocks(counts):
        most = int(counts[rows].max())
        pmf = model.purchase_count_pmf(rfm.iloc[rows], horizon, most).to_numpy()
        result[rows] = pmf[np.arange(len(rows)), counts[rows].astype(np.int64)]
    return np.log(np.maximum(result, LEAST))


def _blocks(counts: NDArray[Any]) -> list[NDArray[np.intp]]:
    """Rows of like counts together, so that one heavy buyer does not widen everybody's table."""
    widths = np.frexp(counts.astype(np.float64))[1]
    return [
        rows[start : start + BLOCK]
        for width in np.unique(widths)
        for rows in [np.flatnonzero(widths == width)]
        for start in range(0, len(rows), BLOCK)
    ]
