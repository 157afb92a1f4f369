"""What is known of transactions that stay where they are: by counts, not column by column."""

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from patronage.data.counts import TableCounts
from patronage.data.profile import TableProfile
from patronage.data.quarantine import Reason


def remote_profile(
    connection: duckdb.DuckDBPyConnection, facts: Mapping[str, Any], customers: pa.Table
) -> TableProfile:
    """The profile without columns; `customers`, their ids, are kept for the other tables'."""
    connection.register("brought_ids", customers)
    connection.execute("CREATE TABLE ids AS SELECT customer_id FROM brought_ids")
    connection.unregister("brought_ids")
    return TableProfile(
        table="transactions",
        rows=facts["kept"],
        customers=customers.num_rows,
        first_day=str(facts["first_day"]),
        last_day=str(facts["last_day"]),
        unknown_customers=0,
        unknown_rows=0,
        covered=1.0,
        columns=[],
    )


def remote_counts(facts: Mapping[str, Any], found: list[Reason]) -> TableCounts:
    """The counts of the transactions, from those of the engine and the reasons of the bad rows."""
    read, filtered, kept = facts["read"] or 0, facts["filtered"], facts["kept"]
    return TableCounts(
        rows_read=read,
        rows_filtered=filtered,
        rows_in=read - filtered,
        rows_kept=kept,
        rows_quarantined=sum(reason.rows for reason in found),
        reasons={reason.text: reason.rows for reason in found},
        n_duplicates=kept - facts["different"],
        table="transactions",
    )
