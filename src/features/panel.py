"""The panel: every feature of every customer at every cutoff."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from patronage.errors import DataError
from patronage.features.arrays import FloatArray, calendar_day
from patronage.features.catalogue import FAMILIES, FEATURES
from patronage.features.collect import day_table
from patronage.features.day_table import DayTable
from patronage.features.grid import Grid

NAMES = [feature.name for feature in FEATURES]


def build_panel(
    days: Any,
    *,
    cutoffs: Sequence[date],
    active_days: int | None = None,
    eligible_only: bool = False,
    chunk_customers: int = 5_000,
) -> pd.DataFrame:
    """One row per customer and cutoff with a purchase before it: see `FEATURES`.

    A feature sees the days before `as_of` and nothing later. Rows are ordered by customer, then
    cutoff.

    Parameters
    ----------
    days
        Customer days: a `DayTable`, or the output of `customer_days`.
    cutoffs
        The days `as_of`, in any order.
    active_days
        A customer is eligible whose last purchase day is not before `as_of - active_days`;
        without it everyone is.
    eligible_only
        Leave out the others.
    chunk_customers
        Customers computed at a time: a bound on working memory that changes no value.

    Returns
    -------
    DataFrame
        customer_id, as_of (datetime64[s]), eligible (bool), then the features as float64, NaN
        where one is undefined.

    Raises
    ------
    DataError
        If no customer has a purchase before any cutoff, or see `day_table`.
    """
    table = day_table(days)
    grids = [
        _grid(chunk, cutoffs, active_days, eligible_only) for chunk in table.chunks(chunk_customers)
    ]
    n_rows = sum(grid.as_of.size for grid in grids)
    if not n_rows:
        raise DataError(_nobody(table, cutoffs))
    values = np.empty((len(FEATURES), n_rows))
    keys = pd.concat(list(_filled(grids, values, active_days)), ignore_index=True)
    features = pd.DataFrame(values.T, columns=NAMES, copy=False)
    return pd.concat([keys, features], axis=1)


def _grid(
    table: DayTable, cutoffs: Sequence[date], active_days: int | None, eligible_only: bool
) -> Grid:
    grid = Grid.of(table, cutoffs)
    return grid.where(grid.bought_within(active_days)) if eligible_only else grid


def _filled(
    grids: list[Grid], values: FloatArray, active_days: int | None
) -> Iterator[pd.DataFrame]:
    """Fill in the features chunk by chunk, and drop each chunk's look-ups when it is done."""
    start = 0
    while grids:
        grid = grids.pop(0)
        stop = start + grid.as_of.size
        _fill(grid, values[:, start:stop])
        start = stop
        yield _keys(grid, active_days)


def _fill(grid: Grid, values: FloatArray) -> None:
    """Write every feature of the grid, in order, into values of shape (features, rows)."""
    place = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        for family in FAMILIES:
            columns = family.compute(grid)
            for feature in family.FEATURES:
                values[place] = columns[feature.name]
                place += 1


def _keys(grid: Grid, active_days: int | None) -> pd.DataFrame:
    """customer_id, as_of and eligible of each row of the grid."""
    return pd.DataFrame(
        {
            "customer_id": grid.table.customer_ids[grid.customer],
            "as_of": grid.as_of.astype("datetime64[D]").astype("datetime64[s]"),
            "eligible": grid.bought_within(active_days),
        }
    )


def _nobody(table: DayTable, cutoffs: Sequence[date]) -> str:
    wanted = ", ".join(str(cutoff) for cutoff in sorted(cutoffs)) or "none given"
    return (
        f"no customer has a purchase before a cutoff ({wanted}); the data cover "
        f"{calendar_day(table.first_day)} to {calendar_day(table.last_day)}. Choose a later as_of, "
        "or a longer active_days."
    )
