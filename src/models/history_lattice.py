"""A lattice of (frequency, T): what is tabulated on it serves the customers between its places.

Places depend on the horizon only, never on the customers asked about. They lie close enough that
what is mixed from the neighbours differs by less than chance: closer where a longer history says
more about a customer.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patronage.models.rfm_input import FloatArray

FEW_PURCHASES = 50
"""Up to here each frequency has a place of its own; beyond, they lie `ROOT_STEP` apart in root."""
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
    times: FloatArray
    """In units of the horizon."""
    place: NDArray[np.int64]
    """Four for each customer; those of the second frequency follow those of the first."""
    share: FloatArray
    """Of each of the four in the mixture."""


def cells(frequency: FloatArray, T: FloatArray) -> Iterator[Cell]:
    """Every customer in one cell; T in units of the horizon."""
    lower, upper, beyond = _between_frequencies(frequency)
    order = np.argsort(lower, kind="stable")
    starts = np.flatnonzero(np.diff(lower[order], prepend=-1.0))
    for customers in np.split(order, starts[1:]):
        first = customers[0]
        yield _cell(customers, np.unique([lower[first], upper[first]]), beyond, T)


def _cell(
    customers: NDArray[np.intp], frequencies: FloatArray, beyond: FloatArray, T: FloatArray
) -> Cell:
    spacing = TIME_STEP / np.sqrt(1 + frequencies[0] / TELLING)
    position = np.log(T[customers]) / spacing
    step = np.floor(position)
    late, more = position - step, beyond[customers]
    used, index = np.unique([step, step + 1], return_inverse=True)
    early, next_ = index.reshape(2, -1)
    second = len(used) * (len(frequencies) - 1)
    share = [(1 - more) * (1 - late), (1 - more) * late, more * (1 - late), more * late]
    return Cell(
        customers,
        frequencies,
        np.exp(used * spacing),
        np.column_stack([early, next_, early + second, next_ + second]),
        np.column_stack(share),
    )


def _between_frequencies(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The places below and above, and how far on the way from one to the other each x is."""
    step = np.floor((np.sqrt(x) - np.sqrt(FEW_PURCHASES)) / ROOT_STEP)
    step -= _place(step) > x
    many = x > FEW_PURCHASES
    lower, upper = np.where(many, _place(step), x), np.where(many, _place(step + 1), x)
    return lower, upper, (x - lower) / np.maximum(upper - lower, 1)


def _place(step: FloatArray) -> FloatArray:
    place: FloatArray = np.round((np.sqrt(FEW_PURCHASES) + step * ROOT_STEP) ** 2)
    return place
