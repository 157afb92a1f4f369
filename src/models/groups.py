"""Customers that are the same to a model are worked once: distinct rows and their counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.rfm_input import FloatArray, Rfm

GRIDS = (1.0, 7.0, 24.0, 168.0)
"""Days counted in days and in weeks, hours counted in days and in weeks."""
SAMPLE = 1000
"""The first rows tell on which grid the rest may lie."""


@dataclass(frozen=True)
class Distinct:
    """Where each distinct row first stands, and which distinct row each row is."""

    first: NDArray[np.intp]
    codes: NDArray[np.intp]


def distinct_rows(*columns: FloatArray) -> Distinct:
    """Find the distinct rows of a table given by its columns, in order of appearance."""
    codes, groups = _factorize(columns[0])
    for column in columns[1:]:
        inner, values = _factorize(column)
        codes, groups = _factorize(codes * values + inner)
    first = np.empty(groups, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return Distinct(first, codes)


def distinct_timing(frequency: FloatArray, *times: FloatArray) -> Distinct:
    """The same for frequency and recency and T, or T: in one pass where times lie on a grid."""
    codes = np.empty(len(frequency), dtype=np.intp)
    found = _on_grid(frequency, times[0], times[-1], np.empty(0), codes)
    return distinct_rows(frequency, *times) if found is None else Distinct(found[0], codes)


def _on_grid(
    x: FloatArray, t_x: FloatArray, T: FloatArray, weights: FloatArray, codes: NDArray[np.intp]
) -> tuple[NDArray[np.intp], FloatArray] | None:
    """First row and weight of each distinct one, where times lie on a grid; fills `codes`."""
    from patronage.models.timing_kernels import BLOCK, group_on_grid

    per_unit = _grid(t_x[:SAMPLE], T[:SAMPLE])
    if per_unit is None:
        return None
    size, exact, fitted = 1 << max(len(T) // 4, 2 * BLOCK).bit_length(), True, False
    while exact and not fitted:
        first, total, exact, fitted = group_on_grid(x, t_x, T, weights, per_unit, size, codes)
        size *= 8
    return (first, total) if exact else None


def _grid(*times: FloatArray) -> float | None:
    """Whole numbers per unit of time, where some are found that these times are multiples of."""
    for per_unit in GRIDS:
        if all(np.array_equal(np.floor(t * per_unit + 0.5) / per_unit, t) for t in times):
            return per_unit
    return None


def _factorize(values: NDArray[Any]) -> tuple[NDArray[np.intp], int]:
    codes, found = pd.factorize(values)
    return codes, len(found)


@dataclass(frozen=True)
class Histories:
    """The distinct histories of a customer table, and whose each is."""

    table: Rfm
    """One row per distinct (frequency, recency, T)."""
    codes: NDArray[np.intp] | None
    """None where each customer is taken as a history of her own."""
    customer_id: "pd.Index[Any]"

    def of_each(self, values: FloatArray) -> FloatArray:
        """One result, or line of results, per customer from one per history."""
        return values if self.codes is None else values[self.codes]

    def series(self, values: FloatArray, name: str) -> "pd.Series[Any]":
        """One result per customer, from one per history."""
        return pd.Series(self.of_each(values), index=self.customer_id, name=name)

    def frame(self, values: FloatArray, columns: "pd.Index[Any]") -> pd.DataFrame:
        """One line of results per customer, from one per history."""
        return pd.DataFrame(self.of_each(values), index=self.customer_id, columns=columns)


def histories(rfm: Rfm) -> Histories:
    """Collapse customers to distinct histories: a model says the same of all who share one.

    A table that tells more of its customers than their history is not collapsed.
    """
    if type(rfm) is not Rfm:
        return Histories(rfm, None, rfm.customer_id)
    distinct = distinct_timing(rfm.frequency, rfm.recency, rfm.T)
    return Histories(rfm.take(distinct.first), distinct.codes, rfm.customer_id)


@dataclass(frozen=True)
class TimingGroups:
    """Distinct (frequency, recency, T), time divided by `scale`, and the customers in each.

    Time is measured in units of the longest T, so that days, weeks and hours give one fit.
    """

    frequency: FloatArray
    recency: FloatArray
    T: FloatArray
    weight: FloatArray
    scale: float

    @property
    def customers(self) -> float:
        """How many customers there are, weights counted."""
        return float(self.weight.sum())

    def digest(self) -> str:
        """Fingerprint of the data, whatever the order of the customers."""
        return rows_digest(self.frequency, self.recency, self.T, self.weight)


def timing_groups(rfm: Rfm, weights: FloatArray) -> TimingGroups:
    """Collapse customers to distinct (frequency, recency, T); rows of weight 0 count for none."""
    found = _on_grid(rfm.frequency, rfm.recency, rfm.T, weights, np.empty(0, dtype=np.intp))
    if found is None:
        distinct = distinct_rows(rfm.frequency, rfm.recency, rfm.T)
        found = distinct.first, np.bincount(distinct.codes, weights).astype(np.float64)
    first, count = found
    if not count.all():
        first, count = first[count > 0], count[count > 0]
    scale = float(rfm.T[first].max())
    return TimingGroups(
        rfm.frequency[first], rfm.recency[first] / scale, rfm.T[first] / scale, count, scale
    )


def rows_digest(*columns: FloatArray) -> str:
    """16 hexadecimal digits that depend on the set of rows, not on their order."""
    from patronage.models.timing_kernels import mix_in, mixed_sum

    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mix_in(mixed, (column + 0.0).view(np.uint64))  # -0 is 0
    return f"{mixed_sum(mixed):016x}"
