"""The contractual models' input: how long each contract ran, or how many survived each renewal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from patronage.errors import DataError
from patronage.models.groups import rows_digest
from patronage.models.rfm_input import (
    FloatArray,
    read_customer_ids,
    read_numbers,
    read_table,
    refuse_values,
)

PERIODS = (
    "recency is the last period with a contract and T the last one seen, both 1 for the period of "
    "the first contract"
)
MOST_PERIODS = 100_000
"""Daily renewals of 270 years: a longer T is a date or a time of another unit."""


@dataclass(frozen=True, kw_only=True)
class Contracts:
    """Checked columns, one value per customer."""

    customer_id: "pd.Index[Any]"
    recency: FloatArray
    T: FloatArray

    @property
    def active(self) -> FloatArray:
        """1 for who has a contract in the last period seen, else 0."""
        active: FloatArray = (self.recency == self.T).astype(np.float64)
        return active


@dataclass(frozen=True)
class Renewals:
    """Customers who renewed and who did not, at renewal 1, 2, ..., and how many were seen."""

    kept: FloatArray
    lost: FloatArray
    customers: float

    def digest(self) -> str:
        """Fingerprint of the counts."""
        number = np.arange(1.0, len(self.kept) + 1)
        return rows_digest(number, self.kept, self.lost)


def read_contracts(frame: Any, *, may_lack_customers: bool = False) -> Contracts:
    """Read and check `customer_id`, `recency` and `T` of a pandas, Polars or Arrow frame.

    Raises
    ------
    DataError
        If a column is missing, is no number, or holds a value that no contract can have.
    """
    table = read_table(frame)
    ids = read_customer_ids(table, may_lack_customers)
    recency, T = (read_numbers(table, name, ids) for name in ("recency", "T"))
    for name, values in (("recency", recency), ("T", T)):
        fraction = values != np.floor(values)
        refuse_values(name, fraction, values, ids, "is not a whole number", f"{PERIODS}.")
        refuse_values(name, values < 1, values, ids, "is below 1", f"{PERIODS}.")
    unit = f"{PERIODS}; give no date and no time in another unit."
    refuse_values("T", T > MOST_PERIODS, T, ids, f"exceeds {MOST_PERIODS:,}", unit)
    refuse_values("recency", recency > T, recency, ids, "exceeds T", f"{PERIODS}.")
    return Contracts(customer_id=ids, recency=recency, T=T)


def count_renewals(contracts: Contracts, weight: FloatArray) -> Renewals:
    """Collapse customers to who renewed and who did not at each renewal: all a model needs."""
    passed = (contracts.recency - 1).astype(np.intp)
    size = int(contracts.T.max())
    lost = np.bincount(passed, weight * (1 - contracts.active), size).astype(np.float64)
    seen = np.bincount(passed, weight, size).astype(np.float64)
    kept: FloatArray = np.cumsum(seen[::-1])[::-1] - seen
    return Renewals(kept[: size - 1], lost[: size - 1], float(weight.sum()))


def survivor_table(*cohorts: Sequence[float]) -> pd.DataFrame:
    """One row per way a contract ran, with its `weight`, from counts of survivors.

    Parameters
    ----------
    *cohorts
        For each cohort its size, then how many were left after each renewal that was seen.

    Returns
    -------
    DataFrame
        `cohort` (0, 1, ... in the order given), `recency`, `T` and `weight`: what the models'
        `fit` takes, with `weights=table["weight"]`.

    Raises
    ------
    DataError
        If a cohort has no renewal, a count is negative or not finite, or counts rise.
    """
    if not cohorts:
        raise DataError("0 cohorts were given. Pass the survivors of one or more, e.g. [100, 87].")
    return pd.concat([_cohort(i, counts) for i, counts in enumerate(cohorts)], ignore_index=True)


def _cohort(number: int, survivors: Sequence[float]) -> pd.DataFrame:
    counts = np.asarray(survivors, dtype=np.float64)
    _check_survivors(number, counts)
    recency = np.arange(1, len(counts) + 1)
    weight = np.append(-np.diff(counts), counts[-1])
    return pd.DataFrame({"cohort": number, "recency": recency, "T": len(counts), "weight": weight})


def _check_survivors(number: int, counts: FloatArray) -> None:
    if counts.ndim != 1 or len(counts) < 2:
        raise DataError(
            f"Cohort {number} has survivors {counts.tolist()}: give its size and then how many "
            "were left after each renewal, two numbers or more."
        )
    bad = ~(np.isfinite(counts) & (counts >= 0))
    rises = np.append(False, np.diff(counts) > 0)
    for wrong, what in ((bad, "is negative or not finite"), (rises, "is more than before it")):
        if wrong.any():
            first = int(np.argmax(wrong))
            raise DataError(
                f"Cohort {number}'s survivors: {int(wrong.sum())} of {len(counts)} {what}, first "
                f"after renewal {first} ({counts[first]:g}). Survivors of one cohort only fall; "
                "count returning customers as new ones."
            )
