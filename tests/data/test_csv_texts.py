import csv
import gzip
from typing import get_args

import pytest

from patronage.data.csv_texts import guess_encoding
from patronage.errors import DataError
from patronage.table_settings import Encoding

HEADER = "customer_id,timestamp,amount\n"


def test_windows_text_is_read_and_quarantined_with_its_own_file_and_rows(read, rows, tmp_path):
    text = f"{HEADER}Müller,2024-01-01,1\n\n\u20acuro,2024-01-02\nœuf,x,2\n"
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode("cp1252")))
    (tmp_path / "a.csv").write_bytes(f"{HEADER}Straße,2024-01-01,3\nà,y,3\n".encode("cp1252"))
    ledger = read(source=["b.csv.gz", "a.csv"], encoding="cp1252")
    assert rows(ledger, "customer_id") == [("Müller",), ("Straße",)]
    assert ledger.files == [tmp_path / "b.csv.gz", tmp_path / "a.csv"]
    assert {(reason.file, reason.row) for reason in ledger.reasons} == {
        ("b.csv.gz", 2),
        ("b.csv.gz", 3),
    }
    (target,) = ledger.write_quarantine(tmp_path / "out")
    with target.open(newline="", encoding="utf-8") as stream:
        found = [(row["file"], row["row"], row["customer_id"]) for row in csv.DictReader(stream)]
    assert found == [("a.csv", "2", "à"), ("b.csv.gz", "2", ""), ("b.csv.gz", "3", "œuf")]


def test_a_byte_that_windows_does_not_have_sets_its_line_aside(read, tmp_path):
    good = b"a,2024-01-01,1\n" * 6_000
    whole = HEADER.encode() + good + b"\x81,2024-01-01,1\n" + good
    (tmp_path / "orders.csv").write_bytes(whole)
    ledger = read(encoding="cp1252")
    assert ledger.counts.reasons == {"line is not in the encoding of the settings": 1}
    assert (ledger.reasons[0].file, ledger.reasons[0].row) == ("orders.csv", 6_001)


def test_an_endless_quote_names_the_file_and_not_its_copy(read):
    tail = "a,2024-01-01,1\n" * 150_000
    with pytest.raises(DataError, match=r"orders.csv: record 3 \(header included\)"):
        read(HEADER + 'a,2024-01-01,1\nb,"2024-01-01,1\n' + tail, encoding="cp1252")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz"])
def test_the_encoding_is_guessed(tmp_path, encoding, name):
    whole = (HEADER + "a,2024-01-01,1\n" * 9_000 + "Müller,2024-01-01,1\n").encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(whole) if name.endswith("gz") else whole)
    assert guess_encoding([tmp_path / name]) == encoding


def test_one_file_of_windows_decides_for_all(tmp_path):
    for name, encoding in {"1.csv": "utf-8", "2.csv": "cp1252"}.items():
        (tmp_path / name).write_bytes((HEADER + "ü,2024-01-01,1\n").encode(encoding))
    assert guess_encoding([tmp_path / "1.csv", tmp_path / "2.csv"]) == "cp1252"


def test_a_file_of_another_alphabet_keeps_its_rows_in_quarantine(read, rows, tmp_path):
    text = f"{HEADER}Łódź,2024-01-01,1\nŻywiec,x,2\n"
    (tmp_path / "orders.csv").write_bytes(text.encode("cp1250"))
    ledger = read(encoding="cp1250")
    assert rows(ledger, "customer_id") == [("Łódź",)]
    assert [(reason.file, reason.row) for reason in ledger.reasons] == [("orders.csv", 2)]


@pytest.mark.parametrize("encoding", get_args(Encoding))
def test_every_encoding_of_the_settings_is_read(read, rows, tmp_path, encoding):
    (tmp_path / "orders.csv").write_bytes(f"{HEADER}a,2024-01-01,1\n".encode(encoding))
    assert rows(read(encoding=encoding), "customer_id") == [("a",)]


def test_a_refused_encoding_names_the_likely_one(read, tmp_path):
    (tmp_path / "orders.csv").write_bytes(
        "Łódź,timestamp,amount\na,2024-01-01,1\n".encode("cp1250")
    )
    with pytest.raises(DataError, match='is not utf-8.*encoding = "cp1250"'):
        read()
