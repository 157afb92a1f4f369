"""The at-risk list as a table to sort and search, without a network."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from itables import to_html_datatable
from itables.javascript import generate_init_offline_itables_html
from itables.options import dt_bundle
from itables.typing import JavascriptFunction
from markupsafe import Markup

from patronage.report.columns import ALL_COLUMNS, Kind, ListColumn
from patronage.retention.at_risk import REASONS
from patronage.retention.wording import currency_decimals

MAX_TEXT, MAX_WHY = 80, 240
WHY = ListColumn("why", "Why", "text", 60, "The reasons in one cell.")
SHOWN = (
    *("rank", "customer_id", "action", "why", "p_churn", "value_if_kept", "value_at_risk"),
    *("action_cost", "expected_net_value", "days_since_last", "usual_gap_days", "risk_band"),
    "do_not_contact_reason",
)
_CLASSES = {"customer_id": "id", "risk_band": "short", "action": "short", "why": "why"}


def customers_table(at_risk: pd.DataFrame, *, currency: str) -> Markup:
    """HTML of the table, with the library that sorts and searches it inside.

    Parameters
    ----------
    at_risk
        The rows to show, in their order; texts are escaped, and an endless one is cut.
    currency
        ISO 4217 code of the amounts.
    """
    columns = [column for name in SHOWN for column in (*ALL_COLUMNS, WHY) if column.name == name]
    rows = at_risk.assign(why=_why(at_risk))
    table = pd.DataFrame({column.header: _values(rows[column.name], column) for column in columns})
    html = to_html_datatable(
        table,
        table_id="at-risk",
        connected=False,
        allow_html=False,
        showIndex=False,
        show_dtypes=False,
        maxBytes=0,
        maxRows=0,
        maxColumns=0,
        pageLength=25,
        classes="display compact",
        style="width:100%",
        scrollX=True,
        display_logo_when_loading=False,
        columnDefs=_definitions(columns, currency),
    )
    return Markup(generate_init_offline_itables_html(dt_bundle) + html)  # noqa: S704 - escaped by itables


def _values(values: pd.Series, column: ListColumn) -> pd.Series:
    if column.kind != "text":
        return pd.Series(values.to_numpy(np.float64, na_value=np.nan), index=values.index)
    longest = MAX_WHY if column is WHY else MAX_TEXT
    return values.astype("str").fillna("").str.slice(0, longest)


def _why(at_risk: pd.DataFrame) -> list[str]:
    rows = zip(*(at_risk[name] for name in REASONS), strict=True)
    return ["; ".join(filter(None, row)) for row in rows]


def _definitions(columns: Sequence[ListColumn], currency: str) -> list[dict[str, object]]:
    """How DataTables shows each column; it sorts by the numbers themselves."""
    shown = [
        {"targets": position, "className": "number", "render": _number(column.kind, currency)}
        for position, column in enumerate(columns)
        if column.kind != "text"
    ]
    texts = [
        {"targets": position, "className": _CLASSES.get(column.name, ""), "type": "string"}
        for position, column in enumerate(columns)
        if column.kind == "text"
    ]
    return [*shown, *texts]


def _number(kind: Kind, currency: str) -> JavascriptFunction:
    cents = currency_decimals(currency)
    least, most = {"money": (cents, cents), "percent": (1, 1), "decimal": (1, 2)}.get(kind, (0, 0))
    style = "style: 'percent', " if kind == "percent" else ""
    options = f"{{{style}minimumFractionDigits: {least}, maximumFractionDigits: {most}}}"
    return JavascriptFunction(
        "function (data, type) { if (type !== 'display') { return data; } "
        f"return Number.isFinite(data) ? data.toLocaleString('en', {options}) : ''; }}"
    )
