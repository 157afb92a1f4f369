import duckdb
import pytest

from patronage.data.expressions import ExpressionReader
from patronage.data.values import Reading, SourceColumn
from patronage.errors import DataError, SettingsError

NAMES = ["Customer ID", "Date", "Price", "Quantity", "Code", "price.net", 'say "x"', "paid"]
TEXTS = ["00012", "31.01.2024", "1.234,50", "2", "D1", "7,5", "q", "true"]
COLUMNS = [SourceColumn(name, f"c{place}") for place, name in enumerate(NAMES)]
READING = Reading(decimal=",", date_format="%d.%m.%Y")


def reader(columns=COLUMNS):
    return ExpressionReader("[transactions] where = '...'", columns, READING, [columns[1]])


def evaluate(expression, texts=TEXTS):
    values = ", ".join(f"CAST(? AS VARCHAR) AS c{place}" for place in range(len(texts)))
    with duckdb.connect() as connection:
        query = f"SELECT {expression.sql}, {expression.unreadable}, {expression.shown} "
        return connection.execute(f"{query} FROM (SELECT {values})", texts).fetchall()[0]


TRUE = [
    "Price > 0",
    "price > 1234 AND PRICE < 1235",
    "0 < Price",
    "Price BETWEEN 1234 AND 1235",
    "Quantity IN (1, 2)",
    "-Price < 0",
    "Quantity * Price = 2469",
    "(Price) - (1) > 1233",
    "abs(Price) > 1 AND round(Price, 0) >= 1234",
    "coalesce(Price, 0) > 100",
    "CASE WHEN Quantity > 1 THEN Price ELSE 0 END > 100",
    "CAST(Price AS INTEGER) >= 1234",
    "CAST(Price AS DOUBLE) = 1234.5",
    "length(Code) = 2",
    "Code NOT IN ('POST', 'M')",
    "Code LIKE 'D%' AND NOT Code LIKE '%2'",
    "lower(Code) = 'd1'",
    "left(Code, 1) = 'D'",
    "Code || Quantity = 'D12'",
    "starts_with(Code, 'D')",
    "regexp_matches(Code, '^D[0-9]$')",
    '"Customer ID" IS NOT NULL',
    "\"Customer ID\" = '00012'",
    '"price.net" < 8',
    '"say ""x""" = \'q\'',
    "Date >= '2024-01-31'",
    "Date BETWEEN '2024-01-01' AND '2024-01-31 12:00'",
    "Date < DATE '2024-02-01'",
    "CAST(Date AS DATE) = '2024-01-31'",
    "year(Date) = 2024 AND month(Date) = 1",
    "paid = true",
    "TRUE",
]


@pytest.mark.parametrize("text", TRUE)
def test_columns_are_read_by_their_place(text):
    assert evaluate(reader().condition(text))[0] is True


def test_a_text_that_is_no_number_makes_a_condition_unreadable():
    expression = reader().condition("Price > 0 AND Code = 'D1'")
    texts = [*TEXTS[:2], "n/a", *TEXTS[3:]]
    assert evaluate(expression, texts) == (None, True, "Price = 'n/a', Code = 'D1'")
    assert evaluate(expression, [*TEXTS[:2], " ", *TEXTS[3:]])[:2] == (None, False)


AMOUNTS = {"Price": 1234.5, "Quantity * Price": 2469.0, "Price / 0": None, "Code": None}


@pytest.mark.parametrize(("text", "amount"), AMOUNTS.items())
def test_amounts(text, amount):
    found = evaluate(reader().number(text))[0]
    assert found == amount or found == float("inf") and amount is None


REFUSED = {
    "subquery": "Price > (SELECT 1)",
    "IN subquery": "Price IN (SELECT 1)",
    "EXISTS": "EXISTS (SELECT 1)",
    "aggregate": "sum(Price) > 1",
    "star": "count(*) > 1",
    "window": "row_number() OVER () > 1",
    "file": "read_text('/etc/passwd') = ''",
    "table function": "read_csv('x')",
    "environment": "getenv('HOME') = ''",
    "setting": "current_setting('threads') > 1",
    "unknown function": "no_such(Price) > 1",
    "list": "Price = ANY([1])",
    "lambda": "list_filter([1], x -> x > 1) = [1]",
    "second statement": "Price > 0; DROP TABLE rows",
    "query": "SELECT 1",
    "copy": "COPY rows TO 'x'",
    "today": "Date < current_date",
    "parameter": "Price > $1",
    "attach": "ATTACH 'x'",
    "random": "random() > 0.5",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_more_than_a_rows_own_values_is_refused(text):
    with pytest.raises(SettingsError, match="must not contain|no SQL expression"):
        reader().condition(text)


WRONG = {
    "typo": ("Prise > 0", DataError, "no column by 'Prise'. Did you mean 'Price'"),
    "dot": ("price.net > 0", SettingsError, 'double quotes: "price.net"'),
    "no condition": ("Price", SettingsError, "is no condition"),
    "cut off": ("Price >", SettingsError, "cannot be read from character 7 on"),
    "empty": ("", SettingsError, "no SQL expression"),
    "open quote": ("Code = 'x", SettingsError, "no SQL expression"),
    "no time": ("Date > '31.01.2024'", SettingsError, "compares a time with '31.01.2024'"),
}


@pytest.mark.parametrize(("text", "error", "message"), WRONG.values(), ids=WRONG.keys())
def test_messages(text, error, message):
    with pytest.raises(error, match=message):
        reader().condition(text)


def test_a_condition_is_no_amount():
    with pytest.raises(SettingsError, match='Example: amount = "Quantity'):
        reader().number("Price > 0")


def test_names_that_differ_in_case_must_be_written_exactly():
    columns = list(COLUMNS[:2])
    columns += [SourceColumn("Total", "c2"), SourceColumn("total", "c3")]
    assert evaluate(reader(columns).condition("total = 'b'"), ["", "", "a", "b"])[0] is True
    with pytest.raises(DataError, match="fits several columns by 'TOTAL'"):
        reader(columns).condition("TOTAL = 'b'")


def test_typed_columns_keep_their_type():
    columns = [
        SourceColumn("Quantity", "c0", "integer"),
        SourceColumn("Date", "c1", "time"),
        SourceColumn("Code", "c2", "integer"),
    ]
    expression = reader(columns).condition(
        "Quantity * 2 > 3 AND Code NOT IN ('POST') AND Date > '2024-01-01'"
    )
    with duckdb.connect() as connection:
        query = f"SELECT {expression.sql} FROM (SELECT 2147483647 c0, now()::TIMESTAMP c1, 5 c2)"
        assert connection.execute(query).fetchall() == [(True,)]
