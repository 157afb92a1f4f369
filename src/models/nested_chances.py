"""Chances of churn over several horizons that agree: a longer one leaves more time to come back."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def nested_chances(
    further: Mapping[int, FloatArray], main: FloatArray, *, main_days: int
) -> dict[int, FloatArray]:
    """The chances of further horizons, none above that of a shorter one, around a fixed main one.

    Of each row, the horizons shorter than the main one get the isotonic regression of their chances
    (`falling_fit`), then nothing below the main chance; the longer ones theirs, then nothing above
    it. Since isotonic regression within a bound is the one without it, cut off at the bound [1]_,
    this is the exact least-squares fit among all chances that fall with the horizon and leave the
    main one as it is. A row whose chances agree already is given back to the bit.

    Ends of intervals are fitted in the same way: the fit keeps order, so that a low end never
    passes its chance by more than rounding.

    Parameters
    ----------
    further
        By days of the horizon, each of shape (n,).
    main
        Of the main horizon, shape (n,); it stays as it is.
    main_days
        The main horizon, none of `further`.

    Returns
    -------
    dict
        As `further`, shortest horizon first.

    References
    ----------
    .. [1] Barlow, Bartholomew, Bremner and Brunk (1972), Statistical Inference under Order
       Restrictions, section 2.3.
    """
    shorter = sorted(days for days in further if days < main_days)
    longer = sorted(days for days in further if days > main_days)
    above = np.maximum(_fit(further, shorter, len(main)), main[:, None])
    below = np.minimum(_fit(further, longer, len(main)), main[:, None])
    fitted = np.column_stack([above, below])
    return {days: fitted[:, place] for place, days in enumerate([*shorter, *longer])}


def _fit(further: Mapping[int, FloatArray], horizons: list[int], rows: int) -> FloatArray:
    if not horizons:
        return np.empty((rows, 0))
    return falling_fit(np.column_stack([further[days] for days in horizons]))


def falling_fit(values: FloatArray) -> FloatArray:
    """Isotonic regression of each row: the nearest values that do not rise from left to right.

    The formula of least upper and greatest lower means [1]_, for all rows at once: place i gets the
    least, over all a <= i, of the greatest mean of places a to b over all b >= i. A row that does
    not rise is given back to the bit.

    Parameters
    ----------
    values
        Shape (n, k), k small: it takes k^2 passes.

    References
    ----------
    .. [1] Robertson, Wright and Dykstra (1988), Order Restricted Statistical Inference, eq. 1.4.1.
    """
    rises = (np.diff(values, axis=1) > 0).any(axis=1)
    fitted = values.copy()
    fitted[rises] = _least_of_greatest_means(values[rises])
    return fitted


def _least_of_greatest_means(values: FloatArray) -> FloatArray:
    places = values.shape[1]
    least = np.full_like(values, np.inf)
    for first in range(places):
        sizes = np.arange(1, places - first + 1)
        means = np.cumsum(values[:, first:], axis=1) / sizes
        greatest = np.maximum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        least[:, first:] = np.minimum(least[:, first:], greatest)
    return least
