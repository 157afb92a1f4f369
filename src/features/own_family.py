"""Family own: the features of the user's own modules."""

import traceback
from typing import Any

import numpy as np

from patronage.errors import DataError
from patronage.features.arrays import FloatArray, Places
from patronage.features.customer_tables import CustomerTables
from patronage.features.family import Computed, Family
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.own_feature import FAMILY, OwnFeature
from patronage.features.records import Mask, Texts


def compute(grid: Grid) -> Computed:
    """The user's own features, one value per row of the grid.

    Raises
    ------
    DataError
        If a function fails, or gives another length or kind of values than it declares; the
        message names it and its module.
    """
    return {own.name: _column(own, grid) for own in grid.tables.own}


def found_in(tables: CustomerTables) -> tuple[Feature, ...]:
    """Those that came with the tables."""
    return tuple(own.feature for own in tables.own)


OWN = Family(FAMILY, (), compute, found_in=found_in)


def _column(own: OwnFeature, grid: Grid) -> FloatArray | Texts:
    given = _of_grid(own, grid) if own.table is None else _of_table(own, grid)
    if isinstance(given, Texts) or own.empty is None:
        return given
    return np.where(np.isnan(given), own.empty, given)


def _of_table(own: OwnFeature, grid: Grid) -> FloatArray | Texts:
    """What was computed as of the very same day; null where there was no row."""
    from patronage.features.kernels import positions

    records = grid.tables.expressions
    if records is None:
        raise DataError(f"{own.place} was not computed as of any day: use tables.as_of(cutoffs).")
    place = positions(records.day, records.offsets, grid.customer, grid.as_of)
    known = place < records.offsets[grid.customer + 1]
    place = np.where(known, place, 0)
    if records.day.size:
        known &= records.day[place] == grid.as_of
    if own.feature.unit == "text":
        text = records.text(own.name)
        return Texts(_picked(text.codes, place, known, -1).astype(np.int32), text.values)
    # An expression divides as its engine does: by 0, that may be infinite or null.
    numbers = records.number(own.name)
    return _picked(np.where(np.isinf(numbers), np.nan, numbers), place, known, np.nan)


def _picked(values: Any, place: Places, known: Mask, otherwise: float) -> FloatArray:
    if not values.size:
        return np.full(place.size, otherwise)
    return np.asarray(np.where(known, values[place], otherwise))


def _of_grid(own: OwnFeature, grid: Grid) -> FloatArray | Texts:
    try:
        given = own.function(grid)
    except (Exception, SystemExit) as error:
        raise DataError(
            f"{own.place} failed{_line(own, error)}: {type(error).__name__}: {error}"
        ) from error
    return _text(own, given, grid) if own.feature.unit == "text" else _numbers(own, given, grid)


def _line(own: OwnFeature, error: BaseException) -> str:
    """Where in the user's file."""
    file = own.function.__code__.co_filename
    steps = traceback.extract_tb(error.__traceback__)
    lines = [step.lineno for step in steps if step.filename == file]
    return f" in line {lines[-1]}" if lines else ""


def _text(own: OwnFeature, given: Any, grid: Grid) -> Texts:
    if not isinstance(given, Texts):
        raise DataError(
            f"{own.place} gives {type(given).__name__}, and the unit text asks for Texts, such as "
            'known.latest_text(known.records.text("plan")) with known = grid.over("subscriptions").'
        )
    _refuse_length(own, given.codes.shape, grid)
    return given


def _numbers(own: OwnFeature, given: Any, grid: Grid) -> FloatArray:
    values = np.asarray(given)
    _refuse_length(own, values.shape, grid)
    if values.dtype.kind not in "fiub":
        raise DataError(
            f"{own.place} gives values of the kind {values.dtype}, and the unit "
            f'{own.feature.unit} asks for numbers. Give floats, NaN for null, or unit="text".'
        )
    numbers = values.astype(np.float64)
    infinite = np.flatnonzero(np.isinf(numbers))
    if infinite.size:
        who = grid.table.customer_ids[grid.customer[infinite[0]]]
        raise DataError(
            f"{own.place} is infinite in {infinite.size:,} of {numbers.size:,} rows, first for "
            f"customer {who}. Divide with ratio(top, bottom), which gives null where the bottom "
            "is 0."
        )
    return numbers


def _refuse_length(own: OwnFeature, shape: tuple[int, ...], grid: Grid) -> None:
    wanted = grid.as_of.size
    if shape != (wanted,):
        raise DataError(
            f"{own.place} gives values of shape {shape}, and the grid has {wanted:,} rows: give "
            "one value for each, as grid.total(...) and grid.latest(...) do; "
            "grid.table.measures hold one for each customer day."
        )
