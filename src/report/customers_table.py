"""The at-risk list as a table to read as it stands, and to sort and search without a network."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from patronage.report.columns import ALL_COLUMNS, Kind
from patronage.report.templates import template
from patronage.retention.at_risk import REASONS
from patronage.retention.wording import chance, currency_decimals

MAX_TEXT, MAX_REASON = 80, 240
_LOOKS = {"customer_id": "id", "why": "why", "status": "short", "action": "short"}
_SHOWN = (
    *("rank", "customer_id", "action", "why", "p_churn", "p_alive", "value_if_kept"),
    *("value_at_risk", "action_cost", "expected_net_value", "status"),
)
_OWN_HEADERS = {"why": "Why", "status": "Group, and why not now"}


@dataclass(frozen=True)
class _Column:
    """`look` is its style class."""

    name: str
    header: str
    kind: Kind
    look: str


@dataclass(frozen=True)
class _Cell:
    """What is shown, line by line, and what to sort by, where that is another thing."""

    lines: list[str]
    order: float | None = None


def customers_table(at_risk: pd.DataFrame, *, currency: str, of: int) -> Markup:
    """HTML of the table, with the library that sorts and searches it inside.

    Without JavaScript, and until it has run, all rows are there to be read.

    Parameters
    ----------
    at_risk
        The rows to show, in their order; texts are escaped, and an endless one is cut.
    currency
        ISO 4217 code of the amounts.
    of
        Customers in the whole list: where there are more, the search says that it is of the rows
        shown.
    """
    columns = [one for one in _columns() if one.name in _OWN_HEADERS or one.name in at_risk]
    if "risk_band" not in at_risk:
        columns = [one for one in columns if one.name != "status"]
    cells = [_cells(at_risk, column, currency) for column in columns]
    script, style = _library()
    html = template("customers_table.html.j2").render(
        columns=columns,
        rows=(list(zip(row, columns, strict=True)) for row in zip(*cells, strict=True)),
        css=style,
        library=b64encode(script).decode("ascii"),
        search=f"Search these {len(at_risk):,} of {of:,}:" if of > len(at_risk) else "Search:",
    )
    return Markup(html)  # noqa: S704 - escaped by the template


def _library() -> tuple[bytes, Markup]:
    """DataTables as itables ships it: script and style."""
    from itables.options import dt_bundle

    path = Path(dt_bundle)
    style = path.with_suffix(".css").read_text(encoding="utf-8")
    return path.read_bytes(), Markup(style)  # noqa: S704 - the library's own


def _columns() -> Iterator[_Column]:
    known = {column.name: column for column in ALL_COLUMNS}
    for name in _SHOWN:
        header, kind = _OWN_HEADERS.get(name), known[name].kind if name in known else "text"
        look = _LOOKS.get(name, "" if kind == "text" else "number")
        yield _Column(name, header or known[name].header, kind, look)


def _cells(at_risk: pd.DataFrame, column: _Column, currency: str) -> list[_Cell]:
    if column.name == "why":
        return _lines(at_risk, REASONS, MAX_REASON)
    if column.name == "status":
        return _lines(at_risk, ("risk_band", "do_not_contact_reason"))
    if column.kind == "text":
        return _lines(at_risk, (column.name,))
    numbers = pd.to_numeric(at_risk[column.name]).to_numpy(float, na_value=float("nan"))
    return [_number(number, column.kind, currency) for number in numbers.tolist()]


def _lines(at_risk: pd.DataFrame, names: tuple[str, ...], longest: int = MAX_TEXT) -> list[_Cell]:
    """The texts of the columns that are not empty, a line each."""
    texts = [at_risk[name].astype("str").fillna("").str.slice(0, longest) for name in names]
    return [_Cell([text for text in row if text]) for row in zip(*texts, strict=True)]


def _number(number: float, kind: Kind, currency: str) -> _Cell:
    if not isfinite(number):
        return _Cell([], -1.0)
    if kind == "chance":
        return _Cell([chance(number)], number)
    decimals = currency_decimals(currency) if kind == "money" else 0
    return _Cell([f"{round(number, decimals) + 0.0:,.{decimals}f}"], number)
