"""Reading tables, checking them against their contract, setting aside what breaks it."""

from patronage.data.check_report import check_report
from patronage.data.counts import TableCounts
from patronage.data.ledger import Ledger, read_ledger
from patronage.data.profile import ColumnProfile, TableProfile
from patronage.data.tables import CONTRACTS

__all__ = [
    "CONTRACTS",
    "ColumnProfile",
    "Ledger",
    "TableCounts",
    "TableProfile",
    "check_report",
    "read_ledger",
]
