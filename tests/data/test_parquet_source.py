import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from patronage.errors import DataError

ROW = {"customer_id": ["a"], "timestamp": ["2024-01-01"], "amount": [1.5]}


def write(folder, name, **columns):
    pq.write_table(pa.table({**ROW, **columns}), folder / name)


def test_columns_that_differ_in_case_or_are_nested_keep_their_place(read, rows, tmp_path):
    nested = pa.array([{"x": 1, "y": [1, 2]}])
    write(tmp_path, "orders.parquet", tags=nested, Total=[2], total=[3], **{"a.b": [4]})
    assert rows(read(source="*.parquet", amount='total * "a.b"'), "amount") == [(12.0,)]


def test_files_may_differ_in_order_and_width_but_not_in_names(read, rows, tmp_path):
    write(tmp_path, "1.parquet", quantity=pa.array([1], pa.int8()))
    pq.write_table(
        pa.table({"quantity": [300], **{name: ROW[name] for name in reversed(ROW)}}),
        tmp_path / "2.parquet",
    )
    assert rows(read(source="*.parquet"), "quantity", "amount") == [(1.0, 1.5), (300.0, 1.5)]
    write(tmp_path, "3.parquet", units=[1])
    with pytest.raises(DataError, match="3.parquet .* lacks 'quantity' and adds 'units'"):
        read(source="*.parquet")


def test_rows_are_counted_in_their_own_file(read, tmp_path):
    write(tmp_path, "1.parquet")
    write(tmp_path, "2.parquet", customer_id=[None])
    (reason,) = read(source="*.parquet").reasons
    assert (reason.file, reason.row) == ("2.parquet", 1)


def test_no_rows_are_refused(read, tmp_path):
    pq.write_table(pa.table(ROW).slice(0, 0), tmp_path / "orders.parquet")
    with pytest.raises(DataError, match="has a header but no rows"):
        read(source="orders.parquet")


def test_a_time_beyond_all_years_stops_the_file_and_as_text_the_row_alone(read, tmp_path):
    far = pa.array([1_700_000_000_000, 9_000_000_000_000_000_000]).cast(pa.timestamp("ms"))
    two = {"customer_id": ["a", "b"], "amount": [1.5, 2.0]}
    write(tmp_path, "orders.parquet", **two, timestamp=far)
    with pytest.raises(DataError, match="beyond the years .* 294,247 AD. Write null .* as text"):
        read(source="*.parquet")
    texts = ["2023-11-14 22:13:20", "285428751-11-12 07:36:40"]
    write(tmp_path, "orders.parquet", **two, timestamp=texts)
    assert read(source="*.parquet").reasons[0].rows == 1
