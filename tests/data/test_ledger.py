import csv
import gzip
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.data import read_ledger
from patronage.errors import DataError

ROOT = Path(__file__).parents[2]
ONLINE_RETAIL = ROOT.parent / "shared" / "data" / "online_retail_ii" / "transactions.parquet"
HEADER = "customer_id,timestamp,amount\n"


def test_a_clean_table_is_kept_whole(read, rows):
    ledger = read(HEADER + "b,2024-01-02 10:30:00,-3.5\n00012,2024-01-01,4\n")
    assert rows(ledger) == [
        ("00012", datetime(2024, 1, 1), 4.0),
        ("b", datetime(2024, 1, 2, 10, 30), -3.5),
    ]
    assert (ledger.first_day, ledger.last_day) == (date(2024, 1, 1), date(2024, 1, 2))
    assert ledger.n_customers == 2
    assert ledger.counts.rows_kept == ledger.counts.rows_read == 2


FAULTS = {
    "no customer": (",2024-01-01,1", "customer_id is missing"),
    "blank customer": ("\u00a0 ,2024-01-01,1", "customer_id is missing"),
    "no timestamp": ("a,,1", "timestamp is missing"),
    "no such day": ("a,2024-02-30,1", "timestamp cannot be read: 2024-02-30"),
    "day first": ("a,13/01/2024,1", "timestamp cannot be read: 13/01/2024"),
    "no such offset": (
        "a,2024-06-01T12:00:00+99:00,1",
        "timestamp cannot be read: 2024-06-01T12:00:00+99:00",
    ),
    "a number as day": ("a,45000,1", "timestamp cannot be read: 45000"),
    "empty date": (
        "a,1970-01-01,1",
        "timestamp is before 1970-01-02, usually an empty date: 1970-01-01",
    ),
    "future": ("a,2026-01-02 00:00:01,1", "timestamp is in the future: 2026-01-02 00:00:01"),
    "endless": ("a,infinity,1", "timestamp is in the future: infinity"),
    "no amount": ("a,2024-01-01,", "amount is missing"),
    "text amount": ("a,2024-01-01,n/a", "amount is not a number: n/a"),
    "decimal comma": ('a,2024-01-01,"1,5"', "amount is not a number: 1,5"),
    "NaN": ("a,2024-01-01,NaN", "amount is not finite: NaN"),
    "infinity": ("a,2024-01-01,-inf", "amount is not finite: -inf"),
    "overflow": ("a,2024-01-01,1e400", "amount is not finite: 1e400"),
    "absurd": ("a,2024-01-01,-1e155", "amount is beyond 1e15: -1e155"),
    "few fields": ("a,2024-01-01", "line has too few fields: a,2024-01-01"),
    "many fields": ("a,2024-01-01,1,2", "line has too many fields: a,2024-01-01,1,2"),
    "stray quote": (
        'a,"2024"-01-01,1',
        'line has a quote that is not closed or not doubled: a,"2024"-01-01,1',
    ),
}


@pytest.mark.parametrize(("line", "reason"), FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_row_is_quarantined_with_reason_and_row(read, tmp_path, line, reason):
    ledger = read(f"{HEADER}k,2024-01-01,1\n{line}\nk,2024-01-02,1\n")
    assert (ledger.counts.rows_read, ledger.counts.rows_kept) == (3, 2)
    (target,) = ledger.write_quarantine(tmp_path / "out")
    with target.open(newline="", encoding="utf-8") as stream:
        (found,) = csv.DictReader(stream)
    assert (found["file"], found["row"], found["reason"]) == ("orders.csv", "2", reason)


def test_the_day_after_reading_is_not_yet_the_future(read):
    assert read(HEADER + "a,2026-01-02 00:00:00,1\n").counts.rows_kept == 1


def test_nothing_is_written_without_quarantine(read, tmp_path):
    assert read(HEADER + "a,2024-01-01,1\n").write_quarantine(tmp_path / "out") == []
    assert not (tmp_path / "out").exists()


def test_rows_are_counted_past_blank_lines_quoted_line_ends_and_rejected_lines(read, tmp_path):
    ledger = read(
        HEADER
        + '"a\nb",2024-01-01,1\n'  # row 1, two lines
        + "\n"
        + "short\n"  # row 2
        + ",2024-01-01,1\n"  # row 3
        + "\n\n"
        + "x,2024-01-01,1,2\n"  # row 4
        + "x,2024-01-01,1,3\n"  # row 5
        + "a,2024-01-01,x\n"  # row 6
    )
    (target,) = ledger.write_quarantine(tmp_path / "out")
    with target.open(newline="", encoding="utf-8") as stream:
        assert [row["row"] for row in csv.DictReader(stream)] == ["2", "3", "4", "5", "6"]
    assert ledger.counts.rows_read == 6


def test_a_quote_never_closed_counts_every_line_it_swallows(read):
    ledger = read(HEADER + 'a,2024-01-01,1\nb,"2024-01-01,1\nc,2024-01-01,1\n\nd,2024-01-01,1\n')
    (reason,) = ledger.reasons
    assert (ledger.counts.rows_read, ledger.counts.rows_quarantined, reason.row) == (4, 3, 2)


def test_a_quote_that_swallows_too_much_is_refused(read):
    tail = "a,2024-01-01,1\n" * 150_000
    with pytest.raises(DataError, match=r"record 3 \(header included\) is longer than 2,000,000"):
        read(HEADER + 'a,2024-01-01,1\nb,"2024-01-01,1\n' + tail)


def test_the_quarantine_keeps_the_source_columns_of_any_name(read, tmp_path):
    ledger = read(
        'customer_id,timestamp,amount,reason,File,"a ""b"".c",Total,total\n'
        "k,2024-01-01,1,,,,,\n=1+1,2024-01-01,x,ü,2,3,4,5\n"
    )
    (target,) = ledger.write_quarantine(tmp_path / "out")
    assert target.read_text(encoding="utf-8").splitlines() == [
        "file,row,reason,customer_id,timestamp,amount,source_reason,source_File,"
        '"a ""b"".c",Total,total',
        "orders.csv,2,amount is not a number: x,=1+1,2024-01-01,x,ü,2,3,4,5",
    ]


def test_too_many_bad_rows_are_refused_with_reasons_and_first_rows(read, tmp_path):
    ledger = read(HEADER + "a,2024-01-01,1\n" * 7 + 'a,2024-01-01,"8,93"\n' * 2 + ",2024-01-01,1\n")
    ledger.refuse_if_bad(0.3)
    with pytest.raises(DataError, match=r"3 of 10 rows of transactions \(30.0%\)") as caught:
        ledger.refuse_if_bad(0.2, tmp_path)
    text = str(caught.value)
    assert "2 x amount is not a number, first in orders.csv row 8: '8,93'" in text
    assert "1 x customer_id is missing, first in orders.csv row 10" in text
    assert 'decimal = ","' in text
    assert str(tmp_path / "transactions.csv") in text


def test_no_row_kept_is_refused(read):
    with pytest.raises(DataError, match=r"none of the 2 rows .*\n  2 x amount is missing"):
        read(HEADER + "a,2024-01-01,\n" * 2)


def test_no_row_let_through_is_refused(read):
    with pytest.raises(DataError, match="where = 'amount > 5' leaves out all 2 rows"):
        read(HEADER + "a,2024-01-01,1\n" * 2, where="amount > 5")


@pytest.mark.parametrize("text", [HEADER, HEADER.strip(), HEADER + "\n\n"])
def test_a_header_alone_is_refused(read, text):
    with pytest.raises(DataError, match="orders.csv has a header but no rows"):
        read(text)


def test_the_digest_knows_rows_but_neither_order_nor_files(read, tmp_path):
    lines = [f"{customer},2024-01-0{day},{day}.5\n" for customer in "abc" for day in (1, 2, 3)]
    whole = read(HEADER + "".join(lines)).digest
    (tmp_path / "1.csv").write_text(HEADER + "".join(lines[5:]))
    with gzip.open(tmp_path / "2.csv.gz", "wt") as stream:
        stream.write(HEADER + "".join(reversed(lines[:5])))
    with pytest.raises(DataError, match=r"cannot be opened|matches no file"):
        read(source="3.csv")
    assert read(source=["2.csv.gz", "1.csv"]).digest == whole
    assert read(HEADER + "".join(lines[1:])).digest != whole
    assert read(HEADER + "".join(lines).replace("1.5", "1.6")).digest != whole
    assert read(HEADER + "".join([*lines, lines[0]])).digest != whole


def test_the_database_goes_when_the_ledger_is_closed_or_refused(tmp_path, settings_for):
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "orders.csv").write_text(HEADER + "a,2024-01-01,1\n")
    with read_ledger(settings_for(), read_at=datetime(2026, 1, 1), work_folder=work):
        assert len(list(work.iterdir())) == 1
    assert list(work.iterdir()) == []
    with pytest.raises(DataError, match="leaves out all 1 rows"):
        read_ledger(settings_for(where="amount>2"), read_at=datetime(2026, 1, 1), work_folder=work)
    assert list(work.iterdir()) == []


def test_the_day_is_that_of_the_ledgers_time_zone(read, rows):
    ledger = read(
        HEADER + "a,2024-06-30T23:30:00Z,1\nb,2024-06-30 23:30,1\nc,2024-07-01 00:30+09:00,1\n",
        timezone="Europe/Berlin",
    )
    assert rows(ledger, "customer_id", "timestamp") == [
        ("a", datetime(2024, 7, 1, 1, 30)),
        ("b", datetime(2024, 6, 30, 23, 30)),
        ("c", datetime(2024, 6, 30, 17, 30)),
    ]


def test_parquet_keeps_its_types(read, rows, tmp_path):
    table = pa.table(
        {
            "customer_id": pa.array([12.0, None, float("nan"), 15.0, 16.0]),
            "timestamp": pa.array([datetime(2024, 6, 30, 23, 30, tzinfo=UTC)] * 5),
            "amount": pa.array([1.25, 2.0, 3.0, float("nan"), float("inf")]),
            "quantity": pa.array([1, 2, None, 4, 5], pa.int32()),
            "channel": pa.array([20240101, 1, 2, 3, 4]),
        }
    )
    pq.write_table(table, tmp_path / "orders.parquet")
    ledger = read(source="*.parquet", timezone="Asia/Tokyo")
    assert rows(ledger) == [("12", datetime(2024, 7, 1, 8, 30), 1.25, 1.0, "20240101")]
    assert ledger.counts.reasons == {"amount is not finite": 2, "customer_id is missing": 2}
    assert [(reason.row, reason.example) for reason in ledger.reasons] == [(4, "nan"), (2, None)]


def orders(folder, **columns):
    rows = len(next(iter(columns.values())))
    days = [datetime(2024, 1, 31)] * rows
    table = {"customer_id": ["a"] * rows, "timestamp": days, "amount": [1.0] * rows, **columns}
    pq.write_table(pa.table(table), folder / "orders.parquet")


def test_ids_that_lost_digits_as_floats_are_set_aside(read, rows, tmp_path):
    ids = [7.0, 8.5, 2.0**53, 1e300, float("inf")]
    orders(tmp_path, customer_id=ids)
    ledger = read(source="orders.parquet")
    assert rows(ledger, "customer_id") == [("7",), ("8.5",)]
    assert ledger.counts.reasons == {
        "customer_id lost digits as a float": 2,
        "customer_id is not finite": 1,
    }
    orders(tmp_path, order_id=[*ids, float("nan"), None])
    ledger = read(source="orders.parquet")
    assert rows(ledger, "order_id") == [("7",), ("8.5",), *[(None,)] * 5]
    assert "left empty: order_id in 3 rows." in ledger.warnings[-1]
    named = read(source="orders.parquet", columns={"order_id": "order_id"})
    assert named.counts.reasons == {
        "order_id lost digits as a float": 2,
        "order_id is not finite": 1,
    }


def test_whole_decimals_are_ids_without_their_zeros(read, rows, tmp_path):
    orders(tmp_path, customer_id=[Decimal("7.00"), Decimal("7.50"), Decimal("100.00")])
    assert rows(read(source="orders.parquet"), "customer_id") == [("100",), ("7",), ("7.50",)]


NO_IDS = {
    "flags": ([True], "BOOLEAN"),
    "days": ([date(2024, 1, 31)], "DATE"),
    "times": ([datetime(2024, 1, 31)], "TIMESTAMP"),
    "lists": ([["a"]], r"VARCHAR\[\]"),
    "structs": ([{"a": 1}], r"STRUCT\(a BIGINT\)"),
}


@pytest.mark.parametrize(("values", "kind"), NO_IDS.values(), ids=NO_IDS.keys())
def test_a_column_that_can_name_nobody_is_refused(read, tmp_path, values, kind):
    orders(tmp_path, customer_id=values)
    with pytest.raises(DataError, match=f"'customer_id' for customer_id is of type {kind}; ids"):
        read(source="orders.parquet")


PARQUET_TIMES = {
    "days": pa.array([date(2024, 1, 31)]),
    "nanoseconds": pa.array([datetime(2024, 1, 31)], pa.timestamp("ns")),
    "seconds": pa.array([datetime(2024, 1, 31)], pa.timestamp("s")),
    "whole numbers": pa.array([20240131]),
    "texts": pa.array(["2024-01-31"]),
    "texts as dictionary": pa.array(["2024-01-31"]).dictionary_encode(),
}


@pytest.mark.parametrize("times", PARQUET_TIMES.values(), ids=PARQUET_TIMES.keys())
def test_parquet_times_of_any_type(read, tmp_path, times):
    table = pa.table({"customer_id": [1], "timestamp": times, "amount": [1]})
    pq.write_table(table, tmp_path / "orders.parquet")
    assert read(source="orders.parquet").first_day == date(2024, 1, 31)


lines = st.lists(
    st.tuples(
        st.sampled_from(["", "a", " b ", "00012", "ü"]),
        st.sampled_from(["", "2024-01-01", "2024-13-01", "1969-01-01", "2030-01-01"]),
        st.sampled_from(["", "1", "-2.5", "x", "nan", "1,000.5"]),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(lines=lines)
def test_every_row_is_kept_or_quarantined_by_the_rule(tmp_path_factory, settings_at, lines):
    folder = tmp_path_factory.mktemp("ledger")
    with (folder / "orders.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([HEADER.strip().split(","), *lines, ("k", "2024-01-01", "1")])
    good = [
        line
        for line in lines
        if line[0].strip() and line[1] == "2024-01-01" and line[2] in ("1", "-2.5", "1,000.5")
    ]
    here = settings_at(folder)
    with read_ledger(here, read_at=datetime(2026, 1, 1)) as ledger:
        assert ledger.counts.rows_kept == len(good) + 1
        assert ledger.counts.rows_quarantined == len(lines) - len(good)
        total = sum(float(line[2].replace(",", "")) for line in good) + 1
        assert sum(ledger.transactions.collect("pyarrow")["amount"].to_list()) == total


@pytest.mark.skipif(not ONLINE_RETAIL.exists(), reason="needs the shared Online Retail II data")
def test_online_retail(read):
    # Counted with pandas: 806,212 rows of 5,895 customers, 16,431,111.347 in all.
    ledger = read(
        source=str(ONLINE_RETAIL),
        amount="Quantity * Price",
        where='"Customer ID" IS NOT NULL AND Price > 0 '
        "AND StockCode NOT IN ('POST', 'D', 'M', 'BANK CHARGES')",
        columns={"customer_id": "Customer ID", "timestamp": "InvoiceDate"},
    )
    assert (ledger.counts.rows_read, ledger.counts.rows_kept) == (1_044_848, 806_212)
    assert ledger.counts.rows_quarantined == 0
    assert ledger.n_customers == 5_895
    spend = ledger.transactions.select(nw.col("amount").sum()).collect("pyarrow").item()
    assert spend == pytest.approx(16_431_111.347)
    assert (ledger.first_day, ledger.last_day) == (date(2009, 12, 1), date(2011, 12, 9))
