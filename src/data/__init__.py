"""Reading tables, checking them against their contract, setting aside what breaks it."""

from patronage.data.check_report import check_report
from patronage.data.counts import TableCounts
from patronage.data.ledger import Ledger, read_ledger

__all__ = ["Ledger", "TableCounts", "check_report", "read_ledger"]
