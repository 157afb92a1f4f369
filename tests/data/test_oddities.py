import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from patronage.data import oddities

HEADER = "customer_id,timestamp,amount,note\n"
DAYS = "a,2024-01-01,1,\nb,2024-01-02,2,\n"

COPIES = {
    "none": ("a,2024-01-01,1,x\na,2024-01-01,1,y\n", 0),
    "of one row": ("a,2024-01-01,1,x\n" * 3, 2),
    "of two": ("a,2024-01-01,1,x\nb,2024-01-01,1,\n" * 2, 2),
    "in another writing": ("a,2024-01-01,1,x\na,2024-01-01,1.0,x\n", 0),
    "in quarantine": ("a,2024-01-01,1,\n" + ",2024-01-01,1,\n" * 2, 0),
}


@pytest.mark.parametrize(("lines", "count"), COPIES.values(), ids=COPIES.keys())
def test_rows_equal_in_every_source_column_are_counted_and_kept(read, lines, count):
    counts = read(HEADER + lines).counts
    assert counts.n_duplicates == count
    assert counts.rows_kept == counts.rows_in - counts.rows_quarantined


@pytest.mark.parametrize(("lines", "count"), COPIES.values(), ids=COPIES.keys())
def test_copies_are_the_same_number_counted_share_by_share(read, monkeypatch, lines, count):
    monkeypatch.setattr(oddities, "DISTINCT_AT_ONCE", 1)
    assert read(HEADER + lines).counts.n_duplicates == count


def test_copies_are_found_across_files_and_in_parquet(read, tmp_path):
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text(HEADER + DAYS)
    assert read(source="*.csv").counts.n_duplicates == 2
    table = pa.table({"customer_id": [1, 1], "timestamp": ["2024-01-01"] * 2, "amount": [1.5] * 2})
    pq.write_table(table, tmp_path / "orders.parquet")
    assert read(source="orders.parquet").counts.n_duplicates == 1


LAST_DAYS = {
    "31 days later": ("c,2024-02-02,1,\n", ["one row dated 2024-02-02 comes 31 days after"]),
    "30 days later": ("c,2024-02-01 23:59,1,\n", []),
    "several rows": (
        "c,2024-04-01,1,x\nd,2024-04-01 9:00,1,\n",
        ["2 rows dated 2024-04-01 come 90"],
    ),
    "gap inside": ("c,2024-04-01,1,\nc,2024-04-02,1,\n", []),
    "filtered": ("c,2024-04-01,0,\n", []),
}


@pytest.mark.parametrize(("lines", "starts"), LAST_DAYS.values(), ids=LAST_DAYS.keys())
def test_a_last_day_on_its_own_is_told(read, lines, starts):
    warnings = read(HEADER + DAYS + lines, where="amount > 0").warnings
    assert [
        warning[: len(start)] for warning, start in zip(warnings, starts, strict=True)
    ] == starts


def test_one_day_alone_is_no_isolated_day(read):
    assert read(HEADER + "a,2024-01-01,1,\n").warnings == []


@pytest.mark.parametrize(
    ("amounts", "warnings"),
    [
        (["2"] * 2_000 + ["2001"], 1),
        (["2"] * 2_000 + ["-2001"], 1),
        (["2"] * 2_000 + ["2000"], 0),
        (["2"] * 2_000 + ["9000"] * 10, 0),
        (["0"] * 2_000 + ["5"], 0),
    ],
)
def test_an_amount_of_another_size_is_told(read, amounts, warnings):
    lines = "".join(f"k{place},2024-01-01,{amount},\n" for place, amount in enumerate(amounts))
    assert len(read(HEADER + lines).warnings) == warnings


def test_the_largest_amount_is_shown_with_its_customer(read):
    lines = "".join(f"a,2024-01-01,2,{place}\n" for place in range(2_000))
    (warning,) = read(HEADER + lines + "b,2024-01-02,5000,\nc,2024-01-03,1234567.5,\n").warnings
    assert warning == (
        "2 amounts are more than 1,000 times the 99.9th percentile (2.00): "
        "look at the largest, 1,234,567.50 of customer c on 2024-01-03"
    )
