"""Checking rows against a contract: Narwhals expressions that name each row's first fault.

They run on any engine that Narwhals knows, on lazy frames, and give every bad row its own reason,
which is what the quarantine needs. The libraries for data contracts (docs/tables.md names them) do
one or the other.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import narwhals as nw

from patronage.data.declaration import NOTHING, Contract, Fault
from patronage.data.tables import TRANSACTIONS

UNDECIDED = "where cannot be decided"


def with_faults(
    rows: nw.LazyFrame[Any],
    *,
    named: Collection[str],
    latest: datetime,
    computed: bool,
    contract: Contract = TRANSACTIONS,
) -> nw.LazyFrame[Any]:
    """Add `fault` and `fault_value` to typed rows: the first rule a row breaks, and on what value.

    Parameters
    ----------
    rows
        Contract columns as read, NULL where they could not be, with the texts they were read from
        in `shown_*` (numbers, times and flags), and `filtered`, `undecided` and `shown_where` as
        `where` has it.
    named
        Optional columns to check; of others a value that cannot be read is no fault.
    latest
        Last possible time of what has happened, on the ledger's clock.
    computed
        Whether the contract's computable column is an expression of the settings.
    contract
        Of the table.
    """
    undecided = Fault(UNDECIDED, nw.col("undecided"), nw.col("shown_where"))
    faults = [undecided, *contract.faults(named=named, latest=latest, computed=computed)]
    reason, value = NOTHING, NOTHING
    for fault in reversed(faults):
        reason = nw.when(fault.found).then(nw.lit(fault.reason)).otherwise(reason)
        value = nw.when(fault.found).then(fault.value).otherwise(value)
    inside = ~nw.col("filtered")
    return rows.with_columns(
        fault=nw.when(inside).then(reason), fault_value=nw.when(inside).then(value)
    )


def ambiguous_keys(
    rows: nw.LazyFrame[Any], *, contract: Contract, columns: Collection[str]
) -> nw.LazyFrame[Any]:
    """Values of the contract's key, as far as `columns` have it, that different rows share.

    Parameters
    ----------
    rows
        Rows that break no other rule.
    contract
        Of the table; with a key.
    columns
        The columns of the checked table: rows equal in all of them are no contradiction.
    """
    key = [name for name in contract.key if name in columns]
    different = rows.group_by(*columns).agg(nw.len().alias("copies"))
    counted = different.group_by(*key).agg(nw.len().alias("versions"))
    return counted.filter(nw.col("versions") > 1).select(*key)
