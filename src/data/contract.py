"""What a row of `transactions` must be: Narwhals expressions that name each row's first fault."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import narwhals as nw

from patronage.data.columns import NUMBER_COLUMNS

EARLIEST = datetime(1970, 1, 2)
"""An empty date often comes out of other programs as 1970-01-01 or as a day before it."""

UNDECIDED = "where cannot be decided"


@dataclass(frozen=True)
class _Fault:
    reason: str
    found: nw.Expr
    value: nw.Expr


def with_faults(
    rows: nw.LazyFrame[Any], *, named: Collection[str], latest: datetime, computed: bool
) -> nw.LazyFrame[Any]:
    """Add `fault` and `fault_value` to typed rows: the first rule a row breaks, and on what value.

    Parameters
    ----------
    rows
        Contract columns as read, NULL where they could not be, with the texts they were read from
        in `shown_*`, and `filtered` and `undecided` as `where` has it.
    named
        Optional number columns that the settings name; only of these a value that cannot be read is
        a fault.
    latest
        Last possible timestamp, on the ledger's clock.
    computed
        Whether the amount is an expression of the settings.
    """
    reason: nw.Expr = nw.lit(None, dtype=nw.String)
    value: nw.Expr = nw.lit(None, dtype=nw.String)
    for fault in reversed(_faults(named, latest, computed)):
        reason = nw.when(fault.found).then(nw.lit(fault.reason)).otherwise(reason)
        value = nw.when(fault.found).then(fault.value).otherwise(value)
    inside = ~nw.col("filtered")
    return rows.with_columns(
        fault=nw.when(inside).then(reason), fault_value=nw.when(inside).then(value)
    )


def _faults(named: Collection[str], latest: datetime, computed: bool) -> list[_Fault]:
    nothing = nw.lit(None, dtype=nw.String)
    customer, when, when_text = (
        nw.col("customer_id"),
        nw.col("timestamp"),
        nw.col("shown_timestamp"),
    )
    amount, amount_text = nw.col("amount"), nw.col("shown_amount")
    numbers = [fault for name in NUMBER_COLUMNS if name in named for fault in _number_faults(name)]
    return [
        _Fault(UNDECIDED, nw.col("undecided"), nw.col("shown_where")),
        _Fault("customer_id is missing", customer.is_null(), nothing),
        _Fault("timestamp is missing", when_text.is_null(), nothing),
        _Fault("timestamp cannot be read", when.is_null(), when_text),
        _Fault("timestamp is before 1970-01-02, usually an empty date", when < EARLIEST, when_text),
        _Fault("timestamp is in the future", when > latest, when_text),
        *([] if computed else [_Fault("amount is missing", amount_text.is_null(), nothing)]),
        _Fault(
            "amount cannot be computed" if computed else "amount is not a number",
            amount.is_null(),
            amount_text,
        ),
        _Fault("amount is not finite", ~amount.is_finite(), amount_text),
        *numbers,
    ]


def _number_faults(name: str) -> list[_Fault]:
    """Faults of an optional number; a discount may be negative only where a sale is taken back."""
    number, text = nw.col(name), nw.col(f"shown_{name}")
    faults = [
        _Fault(f"{name} is not a number", number.is_null() & ~text.is_null(), text),
        _Fault(f"{name} is not finite", ~number.is_finite(), text),
    ]
    if name == "discount":
        below = (number < 0) & (nw.col("amount") > 0)
        faults.append(_Fault("discount of a sale is negative", below, text))
    return faults
