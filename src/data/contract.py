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
        Optional columns to check; of others a value that cannot be read is no fault, and one that
        breaks a rule is emptied and named in `source_unread`, if the rows have that.
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
    return _without_broken(rows, contract, named).with_columns(
        fault=nw.when(inside).then(reason), fault_value=nw.when(inside).then(value)
    )


def _without_broken(
    rows: nw.LazyFrame[Any], contract: Contract, named: Collection[str]
) -> nw.LazyFrame[Any]:
    present = rows.collect_schema().names()
    for rule in contract.unsettled(named=named, present=present):
        name, broken = rule.columns[0], rule.broken
        emptied = {name: nw.when(broken).then(NOTHING.cast(nw.Float64)).otherwise(nw.col(name))}
        if "source_unread" in present:
            unread = nw.col("source_unread")
            told = broken & unread.is_null()
            emptied["source_unread"] = nw.when(told).then(nw.lit(name)).otherwise(unread)
        rows = rows.with_columns(**emptied)
    return rows


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
