"""A lattice of histories: what is tabulated at its places serves the customers between them.

Places depend on the horizon only, never on the customers asked about. They lie close enough that
what is mixed from the neighbours differs by less than chance: closer where a longer history says
more about a customer.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patronage.models.rfm_input import FloatArray

FEW = 50
"""Up to here each count has a place of its own; beyond, they lie `ROOT_STEP` apart in root."""
ROOT_STEP = 1 / 6
TIME_STEP = 0.1
"""In ln T, at frequency 0."""
TELLING = 12.0
"""Purchases from which on they, more than the population, tell about a customer."""


class Cell(NamedTuple):
    """Customers between the same places in frequency, and where they lie between them."""

    customers: NDArray[np.intp]
    frequencies: FloatArray
    """One place or two."""
    seconds: FloatArray
    """Places in what else is told: T in units of the horizon, or missed opportunities."""
    place: NDArray[np.int64]
    """Four for each customer; those of the second frequency follow those of the first."""
    share: FloatArray
    """Of each of the four in the mixture."""


class Between(NamedTuple):
    """The places below and above, and how far on the way from one to the other each value is."""

    lower: FloatArray
    upper: FloatArray
    beyond: FloatArray

    def take(self, rows: NDArray[np.intp]) -> "Between":
        """Some of the values."""
        return Between(*(values[rows] for values in self))


def timed_cells(frequency: FloatArray, T: FloatArray, stages: int = 1) -> Iterator[Cell]:
    """Every customer in one cell; T in units of the horizon, `stages` passed for a purchase."""
    for customers, frequencies, beyond in _by_frequency(frequency, ROOT_STEP / np.sqrt(stages)):
        spacing = TIME_STEP / np.sqrt(1 + stages * frequencies[0] / TELLING)
        position = np.log(T[customers]) / spacing
        step = np.floor(position)
        time = Between(step, step + 1, position - step)
        yield _cell(customers, frequencies, beyond, time, np.exp(_used(time) * spacing))


def counted_cells(frequency: FloatArray, missed: FloatArray) -> Iterator[Cell]:
    """Every customer in one cell, by the opportunities she took and those she missed."""
    places = _between(missed, ROOT_STEP)
    for customers, frequencies, beyond in _by_frequency(frequency, ROOT_STEP):
        second = places.take(customers)
        yield _cell(customers, frequencies, beyond, second, _used(second))


def own_cells(frequency: FloatArray, most: int) -> Iterator[Cell]:
    """Every customer at a place of her own, her number in the cell; `most` in a cell."""
    order = np.argsort(frequency, kind="stable")
    starts = np.flatnonzero(np.diff(frequency[order], prepend=-1.0))
    for together in np.split(order, starts[1:]):
        for first in range(0, len(together), most):
            customers = together[first : first + most]
            place = np.arange(len(customers))
            yield Cell(
                customers,
                frequency[customers[:1]],
                place.astype(np.float64),
                place[:, None],
                np.ones((len(customers), 1)),
            )


def _by_frequency(
    frequency: FloatArray, root_step: float
) -> Iterator[tuple[NDArray[np.intp], FloatArray, FloatArray]]:
    """Customers between the same places, these, and how far between them each is."""
    lower, upper, beyond = _between(frequency, root_step)
    order = np.argsort(lower, kind="stable")
    starts = np.flatnonzero(np.diff(lower[order], prepend=-1.0))
    for customers in np.split(order, starts[1:]):
        first = customers[0]
        yield customers, np.unique([lower[first], upper[customers].max()]), beyond[customers]


def _cell(
    customers: NDArray[np.intp],
    frequencies: FloatArray,
    more: FloatArray,
    second: Between,
    seconds: FloatArray,
) -> Cell:
    used, late = _used(second), second.beyond
    early, next_ = np.searchsorted(used, second.lower), np.searchsorted(used, second.upper)
    other = len(used) * (len(frequencies) - 1)
    share = [(1 - more) * (1 - late), (1 - more) * late, more * (1 - late), more * late]
    return Cell(
        customers,
        frequencies,
        seconds,
        np.column_stack([early, next_, early + other, next_ + other]),
        np.column_stack(share),
    )


def _used(places: Between) -> FloatArray:
    return np.unique([places.lower, places.upper])


def _between(count: FloatArray, root_step: float) -> Between:
    """Of counts: each is a place up to `FEW`; beyond, whole numbers `root_step` apart in root."""

    def place(step: FloatArray) -> FloatArray:
        found: FloatArray = np.round((np.sqrt(FEW) + step * root_step) ** 2)
        return found

    step = np.floor((np.sqrt(count) - np.sqrt(FEW)) / root_step)
    step -= place(step) > count
    step += place(step + 1) <= count
    many = count > FEW
    lower, upper = np.where(many, place(step), count), np.where(many, place(step + 1), count)
    return Between(lower, upper, (count - lower) / np.maximum(upper - lower, 1))
