"""Charts, HTML page and workbook."""

from patronage.report.csv_list import write_at_risk_csv
from patronage.report.page import write_report
from patronage.report.quality import gate_sentence, quality_sentence
from patronage.report.report_data import ReportData
from patronage.report.workbook import write_at_risk_xlsx

__all__ = [
    "ReportData",
    "gate_sentence",
    "quality_sentence",
    "write_at_risk_csv",
    "write_at_risk_xlsx",
    "write_report",
]
