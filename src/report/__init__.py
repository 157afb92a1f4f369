"""Charts, HTML page and workbook."""

from patronage.report.csv_list import write_at_risk_csv
from patronage.report.workbook import write_at_risk_xlsx

__all__ = ["write_at_risk_csv", "write_at_risk_xlsx"]
