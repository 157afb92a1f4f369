import pytest

from patronage.data import TableCounts
from patronage.errors import PatronageError

GOOD = {"rows_read": 6, "rows_filtered": 1, "rows_in": 5, "rows_kept": 3, "rows_quarantined": 2}


@pytest.mark.parametrize("name", GOOD)
def test_counts_must_add_up(name):
    assert TableCounts(**GOOD, reasons={"a": 2}).bad_share == 0.4
    with pytest.raises(PatronageError, match=rf"do not add up: .*{name}={GOOD[name] + 1}"):
        TableCounts(**{**GOOD, name: GOOD[name] + 1}, reasons={"a": 2})


def test_no_rows_are_no_bad_rows():
    assert TableCounts(1, 1, 0, 0, 0).bad_share == 0
