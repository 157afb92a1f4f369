from datetime import datetime

import pytest

from patronage.errors import DataError

HEADER = "customer_id,timestamp,amount\n"
GERMAN = "Kunde;Datum;Betrag\nMüller;31.01.2024;1.234,56\n"
MAPPED = {
    "columns": {"customer_id": "Kunde", "timestamp": "Datum", "amount": "Betrag"},
    "decimal": ",",
    "date_format": "%d.%m.%Y",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_german_export(read, rows, encoding, end):
    ledger = read(GERMAN.replace("\n", end), written_in=encoding, encoding=encoding, **MAPPED)
    assert rows(ledger) == [("Müller", datetime(2024, 1, 31), 1234.56)]


def test_a_byte_order_mark_is_no_part_of_the_first_name(read, rows):
    ledger = read(HEADER + "a,2024-01-01,1\n", written_in="utf-8-sig")
    assert rows(ledger, "customer_id") == [("a",)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read, rows, delimiter):
    text = 'customer_id,timestamp,amount,"a,b;c|d\te"\na,2024-01-01,1,x\n'
    head, _, rest = text.partition(',"')
    ledger = read(
        head.replace(",", delimiter)
        + delimiter
        + '"'
        + rest.replace(",2", delimiter + "2").replace("1,1,x", f"1{delimiter}1{delimiter}x")
    )
    assert rows(ledger, "amount") == [(1.0,)]


@pytest.mark.parametrize("delimiter", ["^", "||"])
def test_any_delimiter_may_be_said(read, rows, delimiter):
    text = HEADER + "a,2024-01-01,1\n"
    ledger = read(text.replace(",", delimiter), delimiter=delimiter)
    assert rows(ledger, "amount") == [(1.0,)]


def test_latin_1_read_as_utf_8_is_refused_in_the_header_and_set_aside_in_rows(read):
    with pytest.raises(DataError, match='is not utf-8.*encoding = "cp1252"'):
        read(HEADER + "Müller,2024-01-01,1\n", written_in="latin-1")
    plain = "a,2024-01-01,1\n" * 6_000
    ledger = read(HEADER + plain + "Müller,2024-01-01,1\n" + plain, written_in="latin-1")
    assert ledger.counts.reasons == {"line is not in the encoding of the settings": 1}
    assert ledger.reasons[0].row == 6_001


REFUSED = {
    "twice": ("a,b,a\n1,2,3\n", "names 'a' more than once"),
    "blank": ("   \n\n", "is empty"),
    "blank first line": ("\n" + HEADER, "begins with a blank line"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_unfit_headers_are_refused(read, text, message):
    with pytest.raises(DataError, match=f"orders.csv {message}"):
        read(text)


def test_files_must_have_the_same_header(read, tmp_path):
    (tmp_path / "1.csv").write_text(HEADER + "a,2024-01-01,1\n")
    (tmp_path / "2.csv").write_text(HEADER.replace("amount", "total") + "a,2024-01-01,1\n")
    with pytest.raises(DataError, match=r"2.csv has other .* lacks 'amount' and adds 'total'"):
        read(source="*.csv")
    (tmp_path / "2.csv").write_text("timestamp,customer_id,amount\n2024-01-01,a,1\n")
    with pytest.raises(DataError, match="has the order timestamp, customer_id, amount"):
        read(source="*.csv")


def test_each_file_counts_its_own_rows(read, tmp_path):
    for name, bad in {
        "1.csv": "x\n",
        "2.csv": "b,,1\n",
        "3.csv": "b,2024-01-01,1,1\nb,,1\n",
    }.items():
        (tmp_path / name).write_text(HEADER + "a,2024-01-01,1\n" * 3 + bad)
    ledger = read(source="*.csv")
    (target,) = ledger.write_quarantine(tmp_path / "out")
    found = [line.split(",")[:2] for line in target.read_text().splitlines()[1:]]
    assert found == [["1.csv", "4"], ["2.csv", "4"], ["3.csv", "4"], ["3.csv", "5"]]
    assert [reason.file for reason in ledger.reasons] == ["2.csv", "1.csv", "3.csv"]


def test_empty_files_among_others_add_nothing(read, tmp_path):
    (tmp_path / "1.csv").write_text(HEADER)
    (tmp_path / "2.csv").write_text(HEADER + "a,2024-01-01,1\n")
    assert read(source="*.csv").counts.rows_read == 1


def test_commas_after_the_last_name_are_columns_without_a_name(read):
    assert read("customer_id,timestamp,amount,,\na,2024-01-01,1,,\n").counts.rows_kept == 1


def test_line_ends_may_be_mixed(read, rows):
    ledger = read(
        HEADER.replace("\n", "\r\n")
        + 'a,2024-01-01,1\nb,"2024-01-01",2\r\n\nc,2024-01-01\n'
        + 'd,2024-01-01,x\r\n"e\r\n",2024-01-01,3\n'
    )
    assert rows(ledger, "customer_id", "amount") == [("a", 1.0), ("b", 2.0), ("e", 3.0)]
    assert [(reason.text, reason.row) for reason in ledger.reasons] == [
        ("amount is not a number", 4),
        ("line has too few fields", 3),
    ]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_files_may_differ_in_their_line_ends(read, tmp_path, ends):
    (tmp_path / "1.csv").write_text(HEADER + "a,2024-01-01,1\n" * 3)
    (tmp_path / "2.csv").write_text(
        (HEADER + "a,2024-01-01,1\n" * 4).replace("\n", ends), newline=""
    )
    assert read(source="*.csv").counts.rows_kept == 7


def test_utf_16_is_recognised_by_its_mark(read):
    with pytest.raises(DataError, match='is not utf-8.*encoding = "utf-16"'):
        read(HEADER + "a,2024-01-01,1\n", written_in="utf-16")
    with pytest.raises(DataError, match='is not utf-16.*encoding = "utf-8"'):
        read(HEADER + "a,2024-01-01,1\n", encoding="utf-16")
