"""Customers that are the same to a model are worked once: distinct rows and their counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patronage.models.rfm_input import FloatArray, Rfm


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


def _factorize(values: NDArray[Any]) -> tuple[NDArray[np.intp], int]:
    codes, found = pd.factorize(values)
    return codes, len(found)


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
    distinct = distinct_rows(rfm.frequency, rfm.recency, rfm.T)
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
