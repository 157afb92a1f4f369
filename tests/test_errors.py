import pytest

from patronage.errors import SpaceError, refuse_without_space

FULL = {
    "SQLite": "(sqlite3.OperationalError) database or disk is full\n[SQL: INSERT]",
    "SQLite under a limit": "(sqlite3.OperationalError) disk I/O error",
    "DuckDB": 'Failed to commit: Could not write file "ledger.duckdb.wal": File too large',
    "PyArrow": "Error writing bytes to file. Detail: [errno 28] No space left on device",
}


@pytest.mark.parametrize("said", FULL.values(), ids=FULL.keys())
def test_a_full_disk_is_told_as_such(said):
    with pytest.raises(SpaceError, match=r"below /data could not be written .*\. Free space on"):
        refuse_without_space(RuntimeError(said), "/data")


def test_another_error_is_left_to_others():
    refuse_without_space(RuntimeError("no such column"), "/data")
