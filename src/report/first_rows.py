"""The first customers of a list, as the cells of a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from patronage.report.customers_table import MAX_TEXT
from patronage.retention.at_risk import REASONS
from patronage.retention.wording import chance, money

FIRST_ROWS = 15


@dataclass(frozen=True)
class FirstCell:
    """A cell: the column's heading, its style class and what it says, line by line."""

    header: str
    look: str
    lines: list[str]


def first_rows(at_risk: pd.DataFrame, currency: str) -> list[list[FirstCell]]:
    """The first customers of those to contact, or likeliest to leave; a cell for what is known.

    Parameters
    ----------
    at_risk
        In order; `reason_1` ... and `p_churn`, and whatever else the list has.
    currency
        ISO 4217 code of the amounts.
    """
    return [_cells(row, currency) for row in at_risk.head(FIRST_ROWS).to_dict("records")]


def _cells(row: Mapping[Any, Any], currency: str) -> list[FirstCell]:
    reasons = [row[name] for name in REASONS if row[name]]
    cells = [FirstCell("Customer", "id", [str(row["customer_id"])[:MAX_TEXT]])]
    if "action" in row:
        cells += [
            FirstCell("What to do", "", [str(row["action"])]),
            FirstCell("Do by", "day", [f"{row['do_by']:%Y-%m-%d}"]),
        ]
    cells += [
        FirstCell("Why", "why", reasons),
        FirstCell("Chance to leave", "number", [chance(row["p_churn"])]),
    ]
    if "p_alive" in row:
        cells.append(FirstCell("Chance still a customer", "number", [chance(row["p_alive"])]))
    amounts = {
        "value_if_kept": "Value if kept",
        "value_at_risk": "Value at risk",
        "expected_net_value": "Expected net value",
    }
    if "expected_net_value" in row:
        del amounts["value_at_risk"]
    return cells + [
        FirstCell(header, "number", [money(row[name], currency)])
        for name, header in amounts.items()
        if name in row
    ]
