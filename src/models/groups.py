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


def distinct_timing(frequency: FloatArray, recency: FloatArray, T: FloatArray) -> Distinct:
    """The same for frequency, recency, T: in one pass where times are whole days, or days / 7."""
    from patronage.models.timing_kernels import grid_keys, key_codes

    per_unit = _grid(recency[:SAMPLE], T[:SAMPLE])
    if per_unit is None:
        return distinct_rows(frequency, recency, T)
    keys, exact = grid_keys(frequency, recency, T, per_unit)
    if not exact:
        return distinct_rows(frequency, recency, T)
    size, fits = 1 << max(len(keys) // 4, 512).bit_length(), False
    while not fits:
        first, codes, fits = key_codes(keys, size)
        size *= 8
    return Distinct(first, codes)


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
    codes: NDArray[np.intp]
    customer_id: "pd.Index[Any]"

    def series(self, values: FloatArray, name: str) -> "pd.Series[Any]":
        """One result per customer, from one per history."""
        return pd.Series(values[self.codes], index=self.customer_id, name=name)

    def frame(self, values: FloatArray, columns: "pd.Index[Any]") -> pd.DataFrame:
        """One line of results per customer, from one per history."""
        return pd.DataFrame(values[self.codes], index=self.customer_id, columns=columns)


def histories(rfm: Rfm) -> Histories:
    """Collapse customers to distinct histories: a model says the same of all who share one.

    A table that tells more of its customers than their history is not collapsed.
    """
    if type(rfm) is not Rfm:
        return Histories(rfm, np.arange(len(rfm.T)), rfm.customer_id)
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
    distinct = distinct_timing(rfm.frequency, rfm.recency, rfm.T)
    count = np.bincount(distinct.codes, weights).astype(np.float64)
    first, count = distinct.first[count > 0], count[count > 0]
    scale = float(rfm.T[first].max())
    return TimingGroups(
        rfm.frequency[first], rfm.recency[first] / scale, rfm.T[first] / scale, count, scale
    )


def rows_digest(*columns: FloatArray) -> str:
    """16 hexadecimal digits that depend on the set of rows, not on their order."""
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + pd.util.hash_array(column)
    return f"{int(np.sum(pd.util.hash_array(mixed), dtype=np.uint64)):016x}"
