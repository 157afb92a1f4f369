"""Customers drawn by a hash of their id: tomorrow's data draw the same ones again."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from patronage.errors import SettingsError
from patronage.features.arrays import Places


def drawn(customer_ids: "pd.Index[Any]", sample: float | int, *, seed: int) -> Places:
    """Places of the customers drawn, in order.

    Whether a customer is drawn as part of a share depends on his id and the seed alone, not on who
    else is there; a larger share holds the smaller. A number takes the lowest hashes: who comes
    later may displace a customer, but brings back none.

    Parameters
    ----------
    customer_ids
        Each once.
    sample
        A share, a float in (0, 1], of all customers; or so many customers, an int of at least 1.
    seed
        Of the draw, in 0 to 2**53.

    Raises
    ------
    SettingsError
        If the sample is neither, or the seed is negative.
    """
    _refuse_wrong(sample, seed)
    if isinstance(sample, int):
        if sample >= len(customer_ids):
            return np.arange(len(customer_ids))
        hashes = _hashes(customer_ids, seed)
        return np.sort(np.argsort(hashes, kind="stable")[:sample])
    if sample == 1:
        return np.arange(len(customer_ids))
    return np.flatnonzero(_hashes(customer_ids, seed) < np.uint64(sample * 2.0**64))


def _hashes(customer_ids: "pd.Index[Any]", seed: int) -> npt.NDArray[np.uint64]:
    """SipHash-2-4 of each id as text, with the seed's 16 digits as key."""
    texts = np.asarray(customer_ids.astype(str), dtype=object)
    found: npt.NDArray[np.uint64] = pd.util.hash_array(
        texts, hash_key=f"{seed:016d}", categorize=False
    )
    return found


def _refuse_wrong(sample: float | int, seed: int) -> None:
    fits = sample >= 1 if isinstance(sample, int) else 0 < sample <= 1
    if not fits:
        raise SettingsError(
            f"sample={sample} is neither a share of the customers, such as 0.1, nor a number of "
            "them, such as 5000."
        )
    if not 0 <= seed <= 2**53:
        raise SettingsError(f"seed={seed} must lie between 0 and 2**53.")
