"""Array types, calendar days as numbers, and a ratio that knows when it is undefined."""

from datetime import date

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
DayArray = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Columns = dict[str, FloatArray]


def day_number(day: date) -> int:
    """Days from 1 January 1970 to the day."""
    return int(np.datetime64(day, "D").astype(np.int64))


def calendar_day(number: int) -> date:
    """The day so many days after 1 January 1970."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(number))


def ratio(top: FloatArray, bottom: FloatArray, *, empty: float = np.nan) -> FloatArray:
    """Top / bottom, and `empty` where the bottom is 0 or below."""
    filled = np.full(top.shape, empty)
    filled[np.isnan(bottom)] = np.nan
    np.divide(top, bottom, out=filled, where=bottom > 0)
    return filled


def rows_of(chosen: Places, offsets: Places) -> tuple[Places, Places]:
    """The rows of the chosen customers one after the other, and the offsets they have there.

    Customer c owns rows offsets[c]:offsets[c + 1].
    """
    lengths = np.diff(offsets)[chosen]
    found = np.concatenate(([0], np.cumsum(lengths)))
    return np.repeat(offsets[chosen] - found[:-1], lengths) + np.arange(found[-1]), found
