"""Charts, HTML page and workbook."""

from patronage.report.alive_chart import alive_chart
from patronage.report.conditional_chart import conditional_chart, conditional_purchases
from patronage.report.csv_list import write_at_risk_csv
from patronage.report.decile_chart import decile_chart
from patronage.report.frequency_recency_chart import (
    frequency_recency_chart,
    frequency_recency_matrix,
)
from patronage.report.page import write_report
from patronage.report.period_chart import period_transactions, period_transactions_chart
from patronage.report.quality import gate_sentence, quality_sentence
from patronage.report.report_data import ReportData
from patronage.report.tracking_chart import tracking_chart
from patronage.report.workbook import write_at_risk_xlsx

__all__ = [
    "ReportData",
    "alive_chart",
    "conditional_chart",
    "conditional_purchases",
    "decile_chart",
    "frequency_recency_chart",
    "frequency_recency_matrix",
    "period_transactions",
    "period_transactions_chart",
    "gate_sentence",
    "quality_sentence",
    "tracking_chart",
    "write_at_risk_csv",
    "write_at_risk_xlsx",
    "write_report",
]
