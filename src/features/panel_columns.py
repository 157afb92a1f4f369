"""The columns of the panel for the rows of one grid, as they go into files and Spark frames."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from patronage.features.arrays import FloatArray
from patronage.features.family import Family
from patronage.features.grid import Grid
from patronage.features.labels import ChurnLabels
from patronage.features.panel import feature_columns
from patronage.features.records import Texts


def panel_columns(
    grid: Grid,
    ids: pa.Array,
    families: Sequence[Family],
    labels: ChurnLabels | None,
    active_days: int | None,
) -> Iterator[pa.Array | FloatArray]:
    """In the order of `panel_schema`: numbers of features as an array of NumPy, others of Arrow.

    Parameters
    ----------
    grid
        The rows.
    ids
        The customer of each.
    families
        Whose features; own expressions have been computed.
    labels
        Null for who is not eligible, and where the data do not decide them yet; None for none.
    active_days
        As for `build_panel`.
    """
    of_all = grid.bought_within(active_days)
    eligible = of_all if labels is None else labels.eligible(grid, active_days)
    yield ids
    yield pa.array(eligible)
    for _, column in feature_columns(grid, families):
        yield _texts(column) if isinstance(column, Texts) else column
    if labels is not None:
        for label in labels.of(grid).values():
            yield pa.array(label, mask=(label < 0) | ~eligible)


def customer_ids(grid: Grid) -> pa.Array:
    """The customer of each row."""
    return pa.array(grid.table.customer_ids).take(pa.array(grid.customer))


def _texts(column: Texts) -> pa.Array:
    used, places = np.unique(column.codes, return_inverse=True)
    values = [None if code < 0 else column.values[code] for code in used]
    return pa.array(values, type=pa.string()).take(pa.array(places))
