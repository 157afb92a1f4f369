"""Customer days, panel, one file per feature family, labels."""

from patronage.features.activity import purchases_between, weekly_purchases
from patronage.features.arrays import ratio
from patronage.features.catalogue import FEATURES, catalogue_markdown, features_of
from patronage.features.collapse import collapse, collapse_parts
from patronage.features.collect import day_table
from patronage.features.customer_tables import (
    CustomerTables,
    customer_table_parts,
    customer_tables,
)
from patronage.features.cutoffs import mature_cutoffs, monthly_cutoffs
from patronage.features.day_table import DayTable
from patronage.features.days import customer_days
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.labels import ChurnLabels, churn_labels
from patronage.features.own_feature import feature
from patronage.features.panel import build_panel
from patronage.features.panel_files import write_panel
from patronage.features.panel_reading import read_panel
from patronage.features.summary import rfm_summary

__all__ = [
    "FEATURES",
    "ChurnLabels",
    "CustomerTables",
    "DayTable",
    "Feature",
    "Grid",
    "build_panel",
    "catalogue_markdown",
    "churn_labels",
    "collapse",
    "collapse_parts",
    "customer_days",
    "customer_table_parts",
    "customer_tables",
    "day_table",
    "feature",
    "features_of",
    "mature_cutoffs",
    "monthly_cutoffs",
    "purchases_between",
    "read_panel",
    "ratio",
    "rfm_summary",
    "weekly_purchases",
    "write_panel",
]
