"""Contracts are checked by the same expressions on any engine."""

from datetime import datetime

import narwhals as nw
import polars as pl
import pyarrow as pa
import pytest

from patronage.data import CONTRACTS
from patronage.data.contract import ambiguous_keys, with_faults

LATEST = datetime(2026, 1, 1)
NOW = datetime(2025, 6, 1)
VALUES = {
    "id": ["a", None, "b"],
    "text": ["treat", None, "other"],
    "number": [1.0, None, -1.0, float("inf"), float("nan"), -1e155],
    "flag": [1.0, None],
    "time": [NOW, None, datetime(1899, 1, 1), datetime(2026, 1, 2), datetime(2300, 1, 1)],
}


def typed_rows(contract):
    """Each value of each column beside good ones, with and without a text it was read from."""
    good = {column.name: VALUES[column.kind][0] for column in contract.columns}
    rows = []
    for column in contract.columns:
        for value in VALUES[column.kind]:
            for shown in ("?", None):
                rows.append({**good, column.name: value, f"shown_{column.name}": shown})
    shown = {f"shown_{column.name}": "?" for column in contract.columns}
    base = {**shown, "filtered": False, "undecided": False, "shown_where": None}
    rows = [{**base, **row} for row in rows]
    rows += [{**base, **good, "undecided": True}, {**base, **good, "filtered": True}]
    if "end" in good:
        rows.append({**base, **good, "end": datetime(2025, 1, 1)})
    kinds = {"time": pa.timestamp("us"), "number": pa.float64(), "flag": pa.float64()}
    types = {column.name: kinds.get(column.kind, pa.string()) for column in contract.columns}
    types |= dict.fromkeys(("filtered", "undecided"), pa.bool_())
    return pa.table(
        {
            name: pa.array([row[name] for row in rows], types.get(name, pa.string()))
            for name in rows[0]
        }
    )


def faults_of(frame, contract):
    named = [column.name for column in contract.columns]
    lazy = with_faults(frame, named=named, latest=LATEST, computed=False, contract=contract)
    table = lazy.select("fault", "fault_value").collect("pyarrow")
    return list(zip(table["fault"].to_list(), table["fault_value"].to_list(), strict=True))


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())
def test_every_engine_finds_the_same_faults(contract):
    table = typed_rows(contract)
    duckdb = faults_of(nw.from_native(table).lazy("duckdb"), contract)
    polars = faults_of(nw.from_native(pl.from_arrow(table).lazy()), contract)
    assert duckdb == polars
    found = {fault for fault, _ in duckdb}
    expected = {
        fault.reason
        for fault in contract.faults(
            named=[column.name for column in contract.columns], latest=LATEST, computed=False
        )
    }
    assert found == expected | {None, "where cannot be decided"}


def test_rows_equal_in_all_columns_are_no_contradiction():
    rows = pa.table({"customer_id": ["a", "a", "b", "b"], "x": [1, 1, 1, None]})
    found = ambiguous_keys(
        nw.from_native(rows).lazy("duckdb"),
        contract=CONTRACTS["customers"],
        columns=["customer_id", "x"],
    )
    assert found.collect("pyarrow")["customer_id"].to_list() == ["b"]
