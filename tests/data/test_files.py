import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from patronage.data.files import format_of, source_files
from patronage.errors import DataError


def test_globs_are_sorted_and_each_file_is_read_once(tmp_path, settings_for):
    for name in ("b.csv", "a.csv", "c[1].csv"):
        (tmp_path / name).write_text("x")
    settings = settings_for(source=["b.csv", "*.csv", "c[1].csv"])
    found = source_files(settings.transactions, settings.folder)
    assert [file.name for file in found] == ["b.csv", "a.csv", "c[1].csv"]


REFUSED = {
    "no match": ({"source": "june-*.csv"}, r"'june-\*.csv' matches no file"),
    "folder": ({"source": "folder/"}, r"'folder/' is a folder; name its files: folder/\*.csv"),
    "no entry": ({"source": []}, "source is empty"),
    "no name": ({"source": ""}, "source is empty; name a file"),
    "bucket": ({"source": "s3://shop/orders.csv"}, "s3://.* such addresses are not read here"),
    "web": ({"source": ["http://shop.com/orders.csv"]}, "http://.* only files of this machine"),
    "delimiter": ({"source": "good.csv", "delimiter": "ab"}, "delimiter = 'ab' is not in the hea"),
    "unknown suffix": ({"source": "orders.dat"}, "format cannot be told from the name"),
    "Excel": ({"source": "book.xlsx"}, r"book.xlsx is a workbook; save it as CSV"),
    "empty": ({"source": "empty.csv"}, "empty.csv is empty"),
    "workbook": ({"source": "book.csv"}, "is an Excel workbook or a zip archive; save it as CSV"),
    "not gzip": ({"source": "plain.csv.gz"}, "named .gz but not compressed"),
    "gzip": ({"source": "zipped.csv"}, "is compressed; name it .csv.gz"),
    "cut gzip": ({"source": "cut.csv.gz"}, "cannot be unpacked: .* Is it complete"),
    "no Parquet": ({"source": "text.parquet"}, "does not begin with PAR1"),
    "cut Parquet": ({"source": "cut.parquet"}, "cut.parquet is no readable Parquet file"),
    "Parquet as CSV": ({"source": "cut.parquet", "format": "csv"}, 'format = "parquet"'),
    "mixed": ({"source": ["good.csv", "cut.parquet"]}, "good.csv is csv and cut.parquet is parq"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_unfit_files_are_named(read, tmp_path, options, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "orders.dat").write_text("x")
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04rest")
    (tmp_path / "book.csv").write_bytes(b"PK\x03\x04rest")
    (tmp_path / "plain.csv.gz").write_text("customer_id,timestamp,amount\n")
    zipped = gzip.compress(b"customer_id,timestamp,amount\n" + b"a,2024-01-01,1\n" * 9)
    (tmp_path / "zipped.csv").write_bytes(zipped)
    (tmp_path / "cut.csv.gz").write_bytes(zipped[:-12])
    (tmp_path / "text.parquet").write_text("customer_id,timestamp,amount\n")
    (tmp_path / "good.csv").write_text("customer_id,timestamp,amount\n")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-6])
    with pytest.raises(DataError, match=message):
        read(**options)


def test_a_gzip_file_cut_past_its_first_part_is_refused(read, tmp_path):
    text = "customer_id,timestamp,amount\n" + "".join(
        f"{place * 7919 % 99991},2024-01-01,{place}\n" for place in range(100_000)
    )
    whole = gzip.compress(text.encode())
    (tmp_path / "orders.csv.gz").write_bytes(whole[: len(whole) * 9 // 10])
    with pytest.raises(DataError, match="orders.csv.gz"):
        read(source="orders.csv.gz")


def test_the_format_may_be_said(tmp_path):
    (tmp_path / "orders.dat").write_text("x")
    assert format_of([tmp_path / "orders.dat"], "csv") == "csv"
