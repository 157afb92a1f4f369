"""Records of a CSV file that have not the shape of its header, as DuckDB's reader rejects them."""

import re
from pathlib import Path

import duckdb
import pyarrow as pa

from patronage.data.csv_source import LONGEST_LINE
from patronage.data.csv_texts import CsvTexts, open_text
from patronage.errors import DataError

_BLANK_LINE = re.compile(r"\n(?=\r?\n)")

_REASONS = """CASE e.error_type
    WHEN 'MISSING COLUMNS' THEN 'line has too few fields'
    WHEN 'TOO MANY COLUMNS' THEN 'line has too many fields'
    WHEN 'UNQUOTED VALUE' THEN 'line has a quote that is not closed or not doubled'
    WHEN 'INVALID ENCODING' THEN 'line is not in the encoding of the settings'
    WHEN 'LINE SIZE OVER MAXIMUM' THEN 'line is too long'
    ELSE lower(e.error_type) END"""

# DuckDB counts records, the header and blank lines included, and reports a line once per fault.
# A quote that is never closed swallows the lines up to the next one: each counts.
_REJECTED = f"""
CREATE TABLE rejected AS
WITH single AS (
    SELECT s.file_path AS source_file, e.line, e.line_byte_position AS position,
        arg_min({_REASONS}, e.column_idx) AS fault, any_value(e.csv_line) AS text,
        any_value(CASE WHEN e.error_type = 'UNQUOTED VALUE' OR
            len(string_split(e.csv_line, '"')) % 2 = 0 THEN greatest(1, len(list_filter(
            string_split(e.csv_line, chr(10)), lambda part: trim(part, ' ' || chr(13)) <> '')))
            ELSE 1 END) AS lines
    FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id) GROUP BY ALL
), placed AS (
    SELECT *, line - 1 - (SELECT count(*) FROM blank_lines b
        WHERE b.source_file = single.source_file AND b.position < single.position
            + length(single.text) - length(ltrim(single.text, chr(13) || chr(10)))
        ) - row_number() OVER (PARTITION BY source_file ORDER BY line) AS good_before,
        sum(lines) OVER (PARTITION BY source_file ORDER BY line) AS lines_so_far
    FROM single
)
SELECT source_file, good_before, lines_so_far, good_before + lines_so_far - lines + 1 AS source_row,
    lines, fault, trim(text, chr(13) || chr(10)) AS fault_value
FROM placed
"""


def collect_rejected(connection: duckdb.DuckDBPyConnection, texts: CsvTexts) -> None:
    """Fill table `rejected`: file, data row, lines lost, reason and text of each rejected record.

    Raises
    ------
    DataError
        If a quote stays open for so long that what follows cannot be counted.
    """
    files = connection.execute(
        "SELECT DISTINCT s.file_path FROM reject_errors e "
        "JOIN reject_scans s USING (scan_id, file_id) ORDER BY ALL"
    ).fetchall()
    _refuse_endless_quote(connection, texts)
    pairs = [
        (file, place) for (file,) in files for place in _blank_lines(Path(file), texts.encoding)
    ]
    blank = pa.table(
        {
            "source_file": pa.array([file for file, _ in pairs], pa.string()),
            "position": pa.array([place for _, place in pairs], pa.int64()),
        }
    )
    connection.register("blank_lines", blank)
    connection.execute(_REJECTED)
    connection.unregister("blank_lines")
    if texts.originals:
        connection.execute(f"UPDATE rejected SET source_file = {texts.original_sql('source_file')}")


def _refuse_endless_quote(connection: duckdb.DuckDBPyConnection, texts: CsvTexts) -> None:
    found = connection.execute(
        "SELECT s.file_path, e.line FROM reject_errors e "
        "JOIN reject_scans s USING (scan_id, file_id) "
        f"WHERE strlen(e.csv_line) >= {LONGEST_LINE} ORDER BY ALL LIMIT 1"
    ).fetchone()
    if found:
        raise DataError(
            f"{texts.original(Path(found[0]))}: record {found[1]:,} (header included) is longer "
            f"than {LONGEST_LINE:,} bytes, most likely for a quote that is never closed, so the "
            "rest of the file cannot be read. Close or double the quote."
        )


def _blank_lines(file: Path, encoding: str) -> list[int]:
    """Positions of blank lines in the file's text, in UTF-8 bytes."""
    places, offset, carry = [], 0, ""
    with open_text(file, encoding, "surrogateescape") as text:
        while chunk := text.read(1 << 20):
            piece = carry + chunk
            for match in _BLANK_LINE.finditer(piece):
                places.append(offset + len(piece[: match.end()].encode(errors="surrogateescape")))
            keep = 2
            carry = piece[-keep:]
            offset += len(piece[:-keep].encode(errors="surrogateescape"))
    return sorted(set(places))
