"""Broken, mixed and huge inputs: nothing is lost, and each fault is said."""

import csv
import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from patronage.errors import DataError

HEADER = "customer_id,timestamp,amount\n"
ROWS = 20_000


def write_parquet(path):
    table = pa.table(
        {
            "customer_id": [f"c{place * 7919 % 9973}" for place in range(ROWS)],
            "timestamp": ["2024-01-01"] * ROWS,
            "amount": [place * 31 % 977 / 7 for place in range(ROWS)],
        }
    )
    pq.write_table(table, path, row_group_size=2_000)
    return path.read_bytes()


CUTS = {
    "end": lambda content: content[:-100],
    "half": lambda content: content[: len(content) // 2],
    "middle": lambda content: content[: len(content) // 3] + content[2 * len(content) // 3 :],
    "header alone": lambda content: content[:4],
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS.keys())
def test_a_truncated_parquet_file_is_refused_by_name(read, tmp_path, cut):
    content = write_parquet(tmp_path / "orders.parquet")
    (tmp_path / "orders.parquet").write_bytes(cut(content))
    with pytest.raises(DataError, match=r"orders.parquet.* (is no readable|cannot be read)"):
        read(source="orders.parquet")


@pytest.mark.parametrize("name", ["good.parquet", "events.parquet"])
def test_a_truncated_file_among_others_is_refused_by_name(read, tmp_path, name):
    for file in ("good.parquet", "events.parquet"):
        content = write_parquet(tmp_path / file)
        if file == name:
            (tmp_path / file).write_bytes(content[:-20])
    tables = {"events": {"source": "events.parquet", "kind": "'visit'"}}
    with pytest.raises(DataError, match=rf"{name} is no readable Parquet file"):
        read(source="good.parquet", tables=tables)


def write_mixed(folder, good):
    """Two files in UTF-8, the second with one line in another encoding after `good` lines."""
    (folder / "1.csv").write_text(HEADER + "Müller,2024-01-01,1\n", encoding="utf-8")
    start = (HEADER + "Özil,2024-01-01,1\n" * good).encode()
    (folder / "2.csv").write_bytes(start + "Jürgens,2024-01-01,1\n".encode("cp1252"))


def test_lines_in_another_encoding_are_quarantined_with_their_rows(read, tmp_path):
    write_mixed(tmp_path, good=6_000)
    ledger = read(source="*.csv")
    (reason,) = ledger.reasons
    assert reason.text == "line is not in the encoding of the settings"
    assert (reason.file, reason.row, reason.rows) == ("2.csv", 6_001, 1)
    assert (ledger.counts.rows_read, ledger.counts.rows_kept) == (6_002, 6_001)


def test_a_file_that_begins_in_another_encoding_is_refused(read, tmp_path):
    write_mixed(tmp_path, good=3)
    with pytest.raises(DataError, match=r'2.csv is not utf-8: .* encoding = "cp1252"'):
        read(source="*.csv")


def test_a_table_in_another_encoding_names_its_own_setting(read, tmp_path):
    (tmp_path / "events.csv").write_bytes(
        "customer_id,timestamp,kind\nMüller,2024-01-01,visit\n".encode("utf-16")
    )
    tables = {"events": {"source": "events.csv"}}
    with pytest.raises(DataError, match=r'Try \[events\] encoding = "utf-16"'):
        read(HEADER + "a,2024-01-01,1\n", tables=tables)


def test_rejected_lines_of_one_table_are_not_those_of_another(read, tmp_path):
    (tmp_path / "events.csv").write_text(
        "customer_id,timestamp,kind\na,2024-01-01,visit\na,2024-01-01\n"
    )
    tables = {"events": {"source": "events.csv"}}
    ledger = read(HEADER + "a,2024-01-01,1\nshort\n" * 2, tables=tables)
    assert ledger.counts.reasons == {"line has too few fields": 2}
    events = ledger.tables["events"]
    assert events.counts.reasons == {"line has too few fields": 1}
    assert (events.reasons[0].file, events.reasons[0].row) == ("events.csv", 2)


def test_all_returns_zero_and_negative_quantities_are_kept(read, rows):
    text = "customer_id,timestamp,amount,quantity\na,2024-01-01,-5,-1\na,2024-01-02,-1,0\n"
    ledger = read(text, columns={"quantity": "quantity"})
    assert rows(ledger, "amount", "quantity") == [(-1.0, 0.0), (-5.0, -1.0)]
    assert [warning[:18] for warning in ledger.warnings] == [
        "all 2 rows are ret",
        "one row with quant",
    ]


def bad_lines(count):
    """Rows of which one in a thousand is bad, each in one of four ways."""
    faults = (",2024-01-01,1", "k,2024-13-01,1", "k,2024-01-01,n/a", "k,2024-01-01")
    for place in range(count):
        if place % 1_000 == 500:
            yield faults[place // 1_000 % 4]
        else:
            yield f"{place % 99_991:05d},2024-01-{place % 28 + 1:02d},{place % 1_000}.5"


def check_bad_lines(ledger, count, folder):
    counts = ledger.counts
    assert (counts.rows_read, counts.rows_kept) == (count, count - count // 1_000)
    assert set(counts.reasons.values()) == {count // 4_000}
    (target,) = ledger.write_quarantine(folder)
    with target.open(newline="") as stream:
        found = [int(row["row"]) for row in csv.DictReader(stream)]
    assert found == list(range(501, count, 1_000))
    ledger.refuse_if_bad(0.0011)
    with pytest.raises(DataError, match=rf"{count // 1_000:,} of {count:,} rows of transactions"):
        ledger.refuse_if_bad(0.0009)


def test_one_bad_row_in_a_thousand(read, tmp_path):
    ledger = read(HEADER + "\n".join(bad_lines(8_000)) + "\n", columns={})
    check_bad_lines(ledger, 8_000, tmp_path / "out")


@pytest.mark.slow
def test_one_bad_row_in_a_thousand_of_two_million(read, tmp_path):
    with gzip.open(tmp_path / "orders.csv.gz", "wt", compresslevel=1) as stream:
        stream.write(HEADER)
        stream.writelines(f"{line}\n" for line in bad_lines(2_000_000))
    ledger = read(source="orders.csv.gz")
    check_bad_lines(ledger, 2_000_000, tmp_path / "out")
