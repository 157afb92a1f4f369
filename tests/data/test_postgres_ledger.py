"""What PostgreSQL reads, refuses and collapses is what DuckDB does, row for row."""

from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from odd_tables import COLUMNS, TYPED, assert_same, texts, typed, without_file

from patronage.data import check_report, read_ledger
from patronage.errors import DataError, SettingsError
from patronage.features import customer_days
from patronage.table_settings import EventsSection

READ_AT = datetime(2026, 1, 1)


@pytest.fixture
def both(tmp_path, settings_at, sql, postgres_address):
    """Read a table from Parquet by DuckDB and from PostgreSQL; the two ledgers."""
    opened = []

    def read(table, types, **options):
        pq.write_table(table, tmp_path / "orders.parquet")
        columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
        texts = pa.table(
            {
                name: column.cast(pa.string())
                for name, column in zip(table.column_names, table.columns, strict=True)
            }
        )
        sql(
            "DROP TABLE IF EXISTS orders, raw_orders",
            f"CREATE TABLE orders ({columns})",
            "CREATE TABLE raw_orders (" + ", ".join(f'"{name}" text' for name in types) + ")",
        )
        sql(table=texts, name="raw_orders")
        cast = ", ".join(f'CAST("{name}" AS {kind})' for name, kind in types.items())
        sql(f"INSERT INTO orders SELECT {cast} FROM raw_orders")
        for source in (
            {"source": "orders.parquet"},
            {"source": postgres_address, "relation": "orders"},
        ):
            settings = settings_at(tmp_path, max_bad_share=1, **source, **options)
            opened.append(read_ledger(settings, read_at=READ_AT, work_folder=tmp_path))
        return opened

    yield read
    for ledger in opened:
        ledger.close()


def _columns(table):
    return zip(table.column_names, table.columns, strict=True)


ALL_TEXT = dict.fromkeys(texts(1).column_names, "text")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_texts_are_read_alike(both, tmp_path, zone):
    assert_same(both(texts(), ALL_TEXT, columns=COLUMNS, timezone=zone), tmp_path)


@pytest.mark.parametrize("seed", range(1, 4))
def test_any_texts_are_read_alike(both, tmp_path, seed):
    assert_same(both(texts(80, seed), ALL_TEXT, columns=COLUMNS), tmp_path)


def test_a_decimal_comma_is_read_alike(both, tmp_path):
    assert_same(both(texts(seed=9), ALL_TEXT, columns=COLUMNS, decimal=","), tmp_path)


FORMATS = {
    "%d.%m.%Y %H:%M": ["31.01.2024 10:05", "1.2.2024 1:5", "31.02.2024 10:00", "1.2.24 10:00"],
    "%m/%d/%y": ["01/31/24", "1/2/70", "1/2/68", "13/2/24", "1/2/2024", "2/29/23"],
    "%b %d, %Y": ["jan 2, 2024", "Feb 30, 2024", "January 2, 2024", "xyz 2, 2024"],
    "%d %B %Y %I:%M %p": ["2 January 2024 12:30 AM", "2 May 2024 12:30 pm", "2 May 2024 13:30 pm"],
    "%Y-%m-%dT%H:%M:%S%z": ["2024-01-31T10:00:00+0100", "2024-03-31T01:30:00+00:00"],
    "%Y%m%d%H%M%S": ["20240131100000", "20240231100000", "2024013110000"],
    "%d/%m/%Y %H:%M:%S.%f": ["31/01/2024 10:00:00.5", "31/01/2024 10:00:00.1234567"],
}


@pytest.mark.parametrize(("form", "times"), FORMATS.items(), ids=FORMATS.keys())
def test_a_date_format_is_read_alike(both, tmp_path, form, times):
    table = pa.table(
        {"customer_id": ["a"] * len(times), "timestamp": times, "amount": [1.0] * len(times)}
    )
    types = {"customer_id": "text", "timestamp": "text", "amount": "float8"}
    ledgers = both(table, types, date_format=form, timezone="Europe/Berlin")
    here, there = (
        sorted(ledger.transactions.collect("pyarrow")["timestamp"].to_list()) for ledger in ledgers
    )
    assert there == here
    assert [without_file(r) for r in ledgers[1].reasons] == [
        without_file(r) for r in ledgers[0].reasons
    ]


TYPES = {
    "customer": "bigint",
    "at": "timestamptz",
    "net": "float8",
    "margin": "numeric(12, 2)",
    "units": "int",
    "basket": "float8",
    "web": "boolean",
}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_typed_columns_are_read_alike(both, tmp_path, zone):
    assert_same(both(typed(), TYPES, columns=TYPED, timezone=zone), tmp_path)


EXPRESSIONS = [
    {"where": "units > 0"},
    {"where": "units > 0 AND \"group\" <> 'POST'"},
    {"where": "\"group\" IN ('a', 'POST') OR sku LIKE 'p1%'"},
    {"where": "at >= '2024-06-01' AND at < '2025-02-03 12:00'"},
    {"where": "CAST(at AS DATE) <> DATE '2024-05-05'"},
    {"where": "year(at) = 2024 AND month(at) BETWEEN 2 AND 9"},
    {"where": "NOT (net < 0) AND net IS NOT NULL"},
    {"where": "starts_with(sku, 'p') AND NOT contains(basket, '9')"},
    {"where": "ends_with(basket, '1') OR regexp_matches(sku, '[2-5]$')"},
    {"where": "CAST(basket AS INTEGER) % 2 = 0"},
    {"where": "length(sku) = 2 AND upper(\"group\") = 'A' AND left(sku, 1) = 'p'"},
    {"where": "coalesce(units, 1) > 0"},
    {"amount": "net * units"},
    {"amount": "net / units"},
    {"amount": "round(net * 1.19, 2)"},
    {"amount": "net - coalesce(off, 0)"},
    {"amount": "CASE WHEN \"group\" = 'POST' THEN 0 ELSE net END"},
    {"amount": "abs(net) * sign(units)"},
    {"amount": "floor(net) + ceil(units) + net % 7"},
    {"amount": "greatest(net, 1) + least(units, 2)"},
    {"amount": "TRY_CAST(net AS DOUBLE) + CAST(units AS INTEGER)"},
    {"amount": "nullif(net, 0) / 3 - -units"},
]


@pytest.mark.parametrize("option", EXPRESSIONS, ids=lambda option: next(iter(option.values())))
def test_expressions_mean_the_same(both, tmp_path, option):
    assert_same(both(texts(200, 5), ALL_TEXT, columns=COLUMNS, **option), tmp_path)


def orders(sql, *rows):
    sql(
        "DROP TABLE IF EXISTS orders",
        "CREATE TABLE orders (customer_id text, timestamp timestamp, amount numeric)",
        *(f"INSERT INTO orders VALUES {row}" for row in rows),
    )


@pytest.fixture
def read_there(tmp_path, settings_at, postgres_address):
    def read(**options):
        source = {"source": postgres_address, "relation": "orders"} | options
        settings = settings_at(tmp_path, **source)
        return read_ledger(settings, read_at=READ_AT, work_folder=tmp_path)

    return read


def test_all_queries_of_a_run_see_one_moment(sql, read_there):
    orders(sql, "('a', '2024-01-01', 5)")
    with read_there() as ledger:
        sql(
            "INSERT INTO orders VALUES ('b', '2024-01-02', 7)",
            "DELETE FROM orders WHERE amount = 5",
        )
        assert ledger.counts.rows_kept == 1
        assert ledger.collect(customer_days)["customer_id"].to_pylist() == ["a"]
    with read_there() as ledger:
        assert ledger.collect(customer_days)["spend"].to_pylist() == [7.0]


def test_other_tables_come_here_with_the_same_moment(sql, tmp_path, settings_at, postgres_address):
    orders(sql, "('a', '2024-01-01', 5)")
    sql(
        "DROP TABLE IF EXISTS contacts",
        "CREATE TABLE contacts (customer_id text, timestamp timestamptz, kind text, value numeric)",
        "INSERT INTO contacts VALUES ('a', '2024-01-01 23:30+00', 'visit', 1.5)",
        "INSERT INTO contacts VALUES ('a', NULL, 'x', 0)",
    )
    settings = settings_at(
        tmp_path, timezone="Europe/Berlin", source=postgres_address, relation="orders"
    )
    events = EventsSection(source=postgres_address, relation="contacts")
    settings = settings.model_copy(update={"events": events})
    with read_ledger(settings, read_at=READ_AT, work_folder=tmp_path) as ledger:
        rows = ledger.table("events").collect("pyarrow").to_native().to_pylist()
        assert ledger.tables["events"].counts.reasons == {"timestamp is missing": 1}
    when = datetime(2024, 1, 2, 0, 30)
    assert rows == [{"customer_id": "a", "timestamp": when, "kind": "visit", "value": 1.5}]


def test_a_query_is_a_source(sql, read_there):
    orders(sql, "('a', '2024-01-01', 5)", "('a', '2024-01-02', 6)")
    query = "SELECT customer_id, timestamp, amount * 2 AS amount FROM orders WHERE amount > 5;"
    with read_there(relation=None, query=query) as ledger:
        assert ledger.collect(customer_days)["spend"].to_pylist() == [12.0]
        assert "files             query" in check_report(ledger)


def test_the_digest_knows_the_rows_but_not_their_order(sql, read_there):
    digests = []
    for rows in (("('a', '2024-01-01', 5)", "('b', '2024-01-02', 6)"),) * 2:
        orders(sql, *rows[:: 1 - 2 * len(digests)])
        with read_there() as ledger:
            digests.append(ledger.digest)
    orders(sql, "('a', '2024-01-01', 5)", "('b', '2024-01-02', 7)")
    with read_there() as ledger:
        assert len({*digests, ledger.digest}) == 2


def test_a_table_that_is_not_there_is_named_with_the_nearest(sql, read_there):
    orders(sql, "('a', '2024-01-01', 5)")
    with pytest.raises(
        DataError, match=r"relation = 'ordres' is not in the database. Did you mean"
    ):
        read_there(relation="ordres")


def test_a_bad_query_is_refused_in_the_servers_words(read_there):
    with pytest.raises(DataError, match=r'query: .*relation "nowhere" does not exist'):
        read_there(relation=None, query="SELECT * FROM nowhere")


def test_a_query_cannot_write(sql, read_there):
    orders(sql, "('a', '2024-01-01', 5)")
    body = "DELETE FROM orders; SELECT 1"
    sql(f"CREATE OR REPLACE FUNCTION wipe() RETURNS int LANGUAGE sql AS '{body}'")
    with pytest.raises(DataError, match="read-only transaction"):
        read_there(relation=None, query="SELECT o.*, wipe() FROM orders o")
    assert sql("SELECT count(*) FROM orders") == [(1,)]


def test_a_division_that_engines_understand_differently_is_refused(sql, read_there):
    orders(sql, "('a', '2024-01-01', 5)")
    with pytest.raises(SettingsError, match=r"// is not known in PostgreSQL; write floor"):
        read_there(amount="amount // 2")


def test_an_expression_that_the_server_refuses_is_named(sql, read_there):
    orders(sql, "('a', '2024-01-01', 5)")
    with pytest.raises(SettingsError, match=r"where = .*customer_id \+ 1 > 'x'"):
        read_there(where="customer_id + 1 > 'x'")


def test_a_server_that_is_away_is_said_without_the_password(monkeypatch, read_there):
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    with pytest.raises(DataError, match="PostgreSQL cannot be reached") as raised:
        read_there(source="postgresql://someone@127.0.0.1:9/shop")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:hunter2@host/db",
        "postgres://host/db?user=u&password=hunter2",
        "s3a://key:hunter2@bucket/orders.parquet",
    ],
)
def test_a_password_in_the_settings_is_refused_unseen(read_there, address):
    with pytest.raises(ValueError, match="source holds a password") as raised:
        read_there(source=address)
    assert "hunter2" not in str(raised.value)
