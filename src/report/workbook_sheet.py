"""One sheet of customers in the workbook: header, typed cells, filter, widths."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from patronage.report.columns import Kind, ListColumn
from patronage.retention.wording import currency_decimals

MAX_ROWS = 1_048_576 - 1
"""Excel's rows, less the header."""
MAX_TEXT = 32_767
"""Characters that Excel takes in a cell."""
OUTCOMES = ("reached", "offer accepted", "saved", "left", "wrong number")

INK, RULE, BAND, WARM = "#1F2933", "#CBD2D9", "#E8EDF2", "#F5C6A5"


def cell_formats(book: xlsxwriter.Workbook, currency: str) -> dict[str, Format]:
    """The workbook's formats: one per kind of column, and those of the headings."""
    decimals = currency_decimals(currency)
    amount = "#,##0" + (f".{'0' * decimals}" if decimals else "")
    numbers: dict[Kind, str] = {
        "text": "@",
        "money": f'{amount} "{currency}"',
        "chance": '[>=0.9995]">99.9%";[<0.0005]"<0.1%";0.0%',
        "percent": "0.0%",
        "whole": "#,##0",
        "decimal": "#,##0.0#",
        "date": "yyyy-mm-dd",
    }
    kinds: dict[str, Format] = {
        kind: book.add_format({"num_format": code, "valign": "top", "text_wrap": kind == "text"})
        for kind, code in numbers.items()
    }
    head = {"bold": True, "font_color": INK, "text_wrap": True, "valign": "vcenter"}
    return {
        **kinds,
        "header": book.add_format({**head, "bg_color": BAND, "bottom": 1, "bottom_color": RULE}),
        "title": book.add_format({"bold": True, "font_size": 16, "font_color": INK}),
        "heading": book.add_format({"bold": True, "font_size": 12, "font_color": INK}),
        "name": book.add_format({"bold": True, "valign": "top"}),
        "prose": book.add_format({"text_wrap": True, "valign": "top"}),
    }


def write_customers(
    sheet: Worksheet,
    table: pd.DataFrame,
    columns: Sequence[ListColumn],
    formats: dict[str, Format],
) -> None:
    """Write the rows, at most as many as Excel takes, under a frozen header with a filter.

    Every cell is written by its column's kind: a text is never taken for a formula or an address.
    """
    table = table.head(MAX_ROWS)
    _lay_out(sheet, [_fitted(column, table) for column in columns], formats, len(table))
    for position, column in enumerate(columns):
        sheet.write_string(0, position, column.header, formats["header"])
    cells = [_cells(table[column.name], column.kind) for column in columns]
    writers = [_writer(sheet, column.kind) for column in columns]
    for row, values in enumerate(zip(*cells, strict=True), start=1):
        for position, value in enumerate(values):
            if value is not None:
                writers[position](row, position, value, formats[columns[position].kind])


def _fitted(column: ListColumn, table: pd.DataFrame) -> ListColumn:
    """The column of ids, as wide as they are within reason."""
    if column.name != "customer_id" or table.empty:
        return column
    longest = int(table["customer_id"].astype("str").str.len().max())
    return replace(column, width=min(max(longest + 2, 12), 40))


def _lay_out(
    sheet: Worksheet, columns: Sequence[ListColumn], formats: dict[str, Format], rows: int
) -> None:
    sheet.freeze_panes(1, 2)
    sheet.set_row(0, 48)
    sheet.autofilter(0, 0, max(rows, 1), len(columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for position, column in enumerate(columns):
        options = {"hidden": column.hidden}
        sheet.set_column(position, position, column.width, formats[column.kind], options)
        if column.name == "p_churn" and rows:
            sheet.conditional_format(1, position, rows, position, _scale())
        if column.name == "outcome" and rows:
            sheet.data_validation(1, position, rows, position, _choice())


def _scale() -> dict[str, object]:
    ends = {"min_type": "num", "min_value": 0, "max_type": "num", "max_value": 1}
    return {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": WARM, **ends}


def _choice() -> dict[str, object]:
    return {
        "validate": "list",
        "source": list(OUTCOMES),
        "error_title": "Outcome",
        "error_message": f"Choose one of: {', '.join(OUTCOMES)}.",
    }


def _cells(values: pd.Series, kind: Kind) -> list[Any]:
    """Values as Excel takes them; None where the cell stays blank."""
    if kind == "text":
        texts = values.astype("str").fillna("").str.slice(0, MAX_TEXT)
        return [text or None for text in texts]
    if kind == "date":
        days: list[date | None] = [
            None if pd.isna(day) else day.date() for day in pd.to_datetime(values)
        ]
        return days
    numbers = values.to_numpy(np.float64, na_value=np.nan).tolist()
    return [number if isfinite(number) else None for number in numbers]


def _writer(sheet: Worksheet, kind: Kind) -> Callable[..., Any]:
    if kind == "text":
        return sheet.write_string  # type: ignore[no-any-return]
    return sheet.write_datetime if kind == "date" else sheet.write_number  # type: ignore[no-any-return]
