from datetime import datetime

import duckdb
import pytest

from patronage.data.values import Reading, SourceColumn, kind_of, number_of, text_of, timestamp_of


def value(sql, text, duckdb_type="VARCHAR"):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        query = f"SELECT {sql} FROM (SELECT CAST(? AS {duckdb_type}) AS c0)"
        return connection.execute(query, [text]).fetchall()[0][0]


NUMBERS = [
    ("1234.5", ".", 1234.5),
    ("1,234.5", ".", 1234.5),
    ("-1,234,567", ".", -1234567),
    ("1 234.5", ".", 1234.5),
    ("1\u00a0234.5", ".", 1234.5),
    ("1\u202f234.5", ".", 1234.5),
    ("1'234.50", ".", 1234.5),
    (" +3 ", ".", 3),
    (".5", ".", 0.5),
    ("1e3", ".", 1000),
    ("1,5", ".", None),
    ("12,34,567", ".", None),
    ("1.234.567", ".", None),
    ("€ 5", ".", None),
    ("5-", ".", None),
    ("", ".", None),
    ("1.234,56", ",", 1234.56),
    ("1 234,56", ",", 1234.56),
    ("1.234.567", ",", 1234567),
    ("1.234", ",", 1234),
    ("3,5", ",", 3.5),
    ("-3", ",", -3),
    ("3.5", ",", None),
    ("1,234.56", ",", None),
    ("1,2,3", ",", None),
]


@pytest.mark.parametrize(("text", "decimal", "number"), NUMBERS)
def test_numbers_in_text(text, decimal, number):
    column = SourceColumn("Price", "c0")
    assert value(number_of(column, Reading(decimal=decimal)), text) == number


TIMES = [
    ("2024-01-31", None, datetime(2024, 1, 31)),
    ("2024/1/5", None, datetime(2024, 1, 5)),
    ("20240131", None, datetime(2024, 1, 31)),
    ("2024-01-31T10:20:30.5", None, datetime(2024, 1, 31, 10, 20, 30, 500_000)),
    ("2024-01-31T23:30Z", None, datetime(2024, 2, 1, 0, 30)),
    ("2024-01-31 23:30:00-05:00", None, datetime(2024, 2, 1, 5, 30)),
    ("2024-07-31 23:30:00+0200", None, datetime(2024, 7, 31, 23, 30)),
    ("2024-01-31 10:00:00 America/New_York", None, datetime(2024, 1, 31, 16)),
    ("31/01/2024", None, None),
    ("2024-01-31 10:00 PM", None, None),
    ("20241331", None, None),
    ("yesterday", None, None),
    ("31/01/2024 10:20", "%d/%m/%Y %H:%M", datetime(2024, 1, 31, 10, 20)),
    ("01/31/2024", "%d/%m/%Y", None),
    ("2024-01-31", "%d/%m/%Y", None),
    ("2024-01-31 12:00 -0500", "%Y-%m-%d %H:%M %z", datetime(2024, 1, 31, 18)),
]


@pytest.mark.parametrize(("text", "date_format", "moment"), TIMES)
def test_times_in_text(text, date_format, moment):
    reading = Reading(date_format=date_format, timezone="Europe/Berlin")
    assert value(timestamp_of(SourceColumn("Date", "c0"), reading), text) == moment


IDS = [
    (" 00012\t", "VARCHAR", "00012"),
    ("\u00a0", "VARCHAR", None),
    ("=1+1", "VARCHAR", "=1+1"),
    (12, "BIGINT", "12"),
    (12.0, "DOUBLE", "12"),
    (12.5, "DOUBLE", "12.5"),
    (-0.0, "DOUBLE", "0"),
    (float("nan"), "DOUBLE", None),
    (float("inf"), "DOUBLE", "inf"),
    (1e300, "DOUBLE", "1e+300"),
]


@pytest.mark.parametrize(("stored", "duckdb_type", "text"), IDS)
def test_ids_are_texts_without_blanks_around(stored, duckdb_type, text):
    column = SourceColumn("id", "c0", kind_of(duckdb_type))
    assert value(text_of(column), stored, duckdb_type) == text
