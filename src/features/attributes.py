"""Family attributes: the columns of the customers table, as they stood on the day before as_of.

With `valid_from`, the newest row that began before as_of is the one in force; without it a row
holds for all time. Numbers and texts pass through; a day becomes the days from it to as_of, and is
not seen while it lies ahead.
"""

from operator import itemgetter
from typing import TypeVar

import numpy as np

from patronage.features.arrays import FloatArray
from patronage.features.customer_tables import CustomerTables
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.records import Records, Texts

Column = TypeVar("Column")
NEEDS = "customers"
PREFIX = "attribute_"
"""Before the column's name, so that no column can take the name of another feature."""
FEATURES: tuple[Feature, ...] = ()
NO_ROW = "where the customer has no row in force, or no value in it"


def found_in(tables: CustomerTables) -> tuple[Feature, ...]:
    """One feature for each column of the customers table."""
    records = tables.customers
    if records is None:
        return ()
    numbers = tuple(_number(name, records) for name in sorted(records.numbers))
    return numbers + tuple(_text(name) for name in sorted(records.texts))


def compute(grid: Grid) -> dict[str, FloatArray | Texts]:
    """The family's features, one value per row of the grid."""
    known = grid.over("customers")
    numbers = {name: known.latest(values) for name, values in _sorted(known.records.numbers)}
    for name in known.records.times:
        numbers[name] = np.where(numbers[name] < grid.as_of, grid.as_of - numbers[name], np.nan)
    texts = {name: known.latest_text(text) for name, text in _sorted(known.records.texts)}
    found: dict[str, FloatArray | Texts] = {**numbers, **texts}
    return {f"{PREFIX}{name}": column for name, column in found.items()}


def _sorted(columns: dict[str, Column]) -> list[tuple[str, Column]]:
    return sorted(columns.items(), key=itemgetter(0))


def _number(name: str, records: Records) -> Feature:
    if name in records.times:
        return Feature(
            f"{PREFIX}{name}",
            f"Days from {name} of the customers table to as_of.",
            "days",
            "attributes",
            f"days since {name}",
            null=f"{NO_ROW}, or while the day lies ahead",
        )
    return Feature(
        f"{PREFIX}{name}",
        f"{name} of the customers table.",
        "number",
        "attributes",
        name,
        null=NO_ROW,
    )


def _text(name: str) -> Feature:
    return Feature(
        f"{PREFIX}{name}",
        f"{name} of the customers table.",
        "text",
        "attributes",
        name,
        null=NO_ROW,
    )
