"""The at-risk list as CSV, for a CRM to import and a spreadsheet to open."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

_STARTS_LIKE_A_FORMULA = r"\A([=+\-@\t\r\n＝＋－＠'])"
_DECIMALS = 6


def write_at_risk_csv(at_risk: pd.DataFrame, path: Path) -> None:
    r"""Write the at-risk list: UTF-8, comma-separated, ISO dates, numbers to six decimals.

    A spreadsheet runs a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break
    as a formula, quoted or not. In every text column, ids included, such a cell gets a leading
    apostrophe, and so does one that begins with an apostrophe: taking one leading apostrophe
    off restores every text, see `restored_text`. Numbers are left alone, negative ones included.
    A missing value is an empty cell.

    Parameters
    ----------
    at_risk
        As made by `patronage.retention.at_risk_list`; all columns are written in their order.
    path
        The file; its folder exists.
    """
    table = pa.Table.from_pandas(at_risk, preserve_index=False)
    cells = {name: _cells(table.column(name)) for name in table.column_names}
    csv.write_csv(pa.table(cells), path)


def neutral_text(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts, each that a spreadsheet would run as a formula with an apostrophe before it."""
    return pc.replace_substring_regex(texts, _STARTS_LIKE_A_FORMULA, r"'\1")


def restored_text(texts: pd.Series) -> pd.Series:
    """Texts read back from the list's CSV, as they were before it was written.

    Examples
    --------
    >>> restored_text(pd.Series(["'=1+1", "''quoted", "plain"])).tolist()
    ['=1+1', "'quoted", 'plain']
    """
    return texts.str.removeprefix("'")


def _cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return _cells(column.cast(column.type.value_type))
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.date32())
    if pa.types.is_floating(column.type):
        return pc.round(column, ndigits=_DECIMALS)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return neutral_text(column)
    return column
