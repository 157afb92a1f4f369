"""The panel: every feature of every customer at every cutoff."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from patronage.errors import DataError
from patronage.features.arrays import FloatArray, calendar_day
from patronage.features.catalogue import families_of
from patronage.features.customer_tables import CustomerTables, as_customer_tables
from patronage.features.day_table import DayTable
from patronage.features.family import Family
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.own_feature import OwnFeature
from patronage.features.own_tables import as_of_days, with_features
from patronage.features.records import Texts

Levels = dict[str, tuple[str, ...]]


def build_panel(
    days: Any,
    *,
    cutoffs: Sequence[date],
    active_days: int | None = None,
    eligible_only: bool = False,
    chunk_customers: int = 5_000,
    features: Sequence[OwnFeature] = (),
) -> pd.DataFrame:
    """One row per customer and cutoff with a purchase before it: see `FEATURES`.

    A feature sees the days before `as_of` and nothing later. Rows are ordered by customer, then
    cutoff.

    Parameters
    ----------
    days
        `CustomerTables`; or customer days alone, a `DayTable` or the output of `customer_days`.
    cutoffs
        The days `as_of`, in any order.
    active_days
        A customer is eligible whose last purchase day is not before `as_of - active_days`;
        without it everyone is.
    eligible_only
        Leave out the others.
    chunk_customers
        Customers computed at a time: a bound on working memory that changes no value.
    features
        Features of your own besides those that came with the tables; see `feature`.

    Returns
    -------
    DataFrame
        customer_id, as_of (datetime64[s]), eligible (bool), then the features of the families
        that the tables allow: float64, NaN where one is undefined; of the unit "text" a
        category, its categories sorted.

    Raises
    ------
    DataError
        If no customer has a purchase before any cutoff, an own feature cannot be computed, or see
        `day_table`.
    """
    tables = as_of_days(with_features(as_customer_tables(days), features), cutoffs)
    return panel_of(
        tables,
        families_of(tables),
        cutoffs=cutoffs,
        active_days=active_days,
        eligible_only=eligible_only,
        chunk_customers=chunk_customers,
    )


def panel_of(
    tables: CustomerTables,
    families: Sequence[Family],
    *,
    cutoffs: Sequence[date],
    active_days: int | None = None,
    eligible_only: bool = False,
    chunk_customers: int = 5_000,
) -> pd.DataFrame:
    """As `build_panel`, of these families only; own expressions have been computed."""
    grids = [
        panel_grid(chunk, cutoffs, active_days, eligible_only)
        for chunk in tables.chunks(chunk_customers)
    ]
    n_rows = sum(grid.as_of.size for grid in grids)
    if not n_rows:
        raise DataError(nobody(tables.days, cutoffs))
    names = [one.name for family in families for one in family.features_of(tables)]
    values = np.empty((len(names), n_rows))
    levels: Levels = {}
    filled = _filled(grids, families, values, levels, active_days)
    keys = pd.concat(list(filled), ignore_index=True)
    columns = pd.DataFrame(values.T, columns=names, copy=False)
    for name, categories in levels.items():
        columns[name] = _categorical(columns[name], categories)
    return pd.concat([keys, columns], axis=1)


def _categorical(codes: pd.Series, categories: tuple[str, ...]) -> pd.Categorical:
    places = codes.fillna(-1).to_numpy().astype(np.int32)
    return pd.Categorical.from_codes(places, categories=pd.Index(categories, dtype="str"))


def panel_grid(
    tables: CustomerTables, cutoffs: Sequence[date], active_days: int | None, eligible_only: bool
) -> Grid:
    """The rows of the panel."""
    grid = Grid.of(tables, cutoffs)
    return grid.where(grid.bought_within(active_days)) if eligible_only else grid


def _filled(
    grids: list[Grid],
    families: Sequence[Family],
    values: FloatArray,
    levels: Levels,
    active_days: int | None,
) -> Iterator[pd.DataFrame]:
    """Fill in the features chunk by chunk, and drop each chunk's look-ups when it is done."""
    start = 0
    while grids:
        grid = grids.pop(0)
        stop = start + grid.as_of.size
        _fill(grid, families, values[:, start:stop], levels)
        start = stop
        yield _keys(grid, active_days)


def _fill(grid: Grid, families: Sequence[Family], values: FloatArray, levels: Levels) -> None:
    """Write every feature of the grid, in order, into values of shape (features, rows).

    A text is written as its place among its categories, which go into `levels`.
    """
    for place, (feature, column) in enumerate(feature_columns(grid, families)):
        if isinstance(column, Texts):
            levels[feature.name] = column.values
            column = np.where(column.codes < 0, np.nan, column.codes)
        values[place] = column


def feature_columns(
    grid: Grid, families: Sequence[Family]
) -> Iterator[tuple[Feature, FloatArray | Texts]]:
    """Every feature of the grid with its values, in order."""
    for family in families:
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = family.compute(grid)
        for feature in family.features_of(grid.tables):
            yield feature, columns[feature.name]


def _keys(grid: Grid, active_days: int | None) -> pd.DataFrame:
    """customer_id, as_of and eligible of each row of the grid."""
    return pd.DataFrame(
        {
            "customer_id": grid.table.customer_ids[grid.customer],
            "as_of": grid.as_of.astype("datetime64[D]").astype("datetime64[s]"),
            "eligible": grid.bought_within(active_days),
        }
    )


def nobody(table: DayTable, cutoffs: Sequence[date]) -> str:
    """What is said of a panel without rows."""
    wanted = ", ".join(str(cutoff) for cutoff in sorted(cutoffs)) or "none given"
    return (
        f"no customer has a purchase before a cutoff ({wanted}); the data cover "
        f"{calendar_day(table.first_day)} to {calendar_day(table.last_day)}. Choose a later as_of, "
        "or a longer active_days."
    )
