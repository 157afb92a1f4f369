"""What returns do to a customer's spend: net it, leave it alone, or are refused."""

from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from patronage.errors import DataError, SettingsError
from patronage.features.day_table import DayTable

Returns: TypeAlias = Literal["net", "drop", "refuse"]
CHOICES = ("net", "drop", "refuse")


def apply_returns(table: DayTable, returns: Returns, as_of: int) -> tuple[DayTable, dict[str, Any]]:
    """The table with spend as `returns` has it, and what was touched before day `as_of`.

    Returns
    -------
    DayTable
        Net spend for "net"; spend without the lines of negative amount for "drop".
    dict
        `setting`; `lines` of negative amount, their `amount` (> 0), and the `customers` who have
        some.

    Raises
    ------
    SettingsError
        If `returns` is not known.
    DataError
        If it is "refuse" and there are some.
    """
    if returns not in CHOICES:
        raise SettingsError(f'returns={returns!r} must be "net", "drop" or "refuse".')
    rows = np.flatnonzero(table.measures["return_lines"])
    rows = rows[table.day[rows] < as_of]
    customer = np.searchsorted(table.offsets, rows, side="right") - 1
    touched = _counts(table, customer, rows)
    if returns == "refuse" and touched["lines"]:
        raise DataError(
            f"amount is negative in {touched['lines']:,} lines of {touched['customers']:,} of "
            f"{len(table):,} customers ({touched['amount']:,.2f} in all), first customer "
            f'{table.customer_ids[customer[0]]}. Take returns="net" to set them against '
            'what was spent, "drop" to pass over them, or leave them out: [transactions] where = '
            '"amount >= 0"'
        )
    if returns == "drop":
        table = replace(table, measures=table.measures | {"spend": table.measures["gross"]})
    return table, {"setting": returns} | touched


def _counts(table: DayTable, customer: NDArray[np.intp], rows: NDArray[np.intp]) -> dict[str, Any]:
    return {
        "lines": int(table.measures["return_lines"][rows].sum()),
        "amount": float(table.measures["returned"][rows].sum()),
        "customers": len(np.unique(customer)),
    }
