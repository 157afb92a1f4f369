"""The panel as files is the panel in memory."""

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from patronage.errors import DataError, SettingsError
from patronage.features import build_panel, collapse, collapse_parts, panel_files, write_panel

CUTOFFS = [date(2026, 8, 1), date(2026, 3, 1), date(2026, 5, 1)]


@pytest.fixture(scope="module")
def transactions():
    rng = np.random.default_rng(7)
    n_lines = 900
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:02d}" for number in rng.zipf(1.3, n_lines) % 60],
            "timestamp": pd.Timestamp("2026-01-01")
            + pd.to_timedelta(rng.integers(0, 250 * 24, n_lines), unit="h"),
            "amount": rng.normal(20, 15, n_lines).round(2),
            "product_id": rng.integers(0, 30, n_lines),
            "quantity": rng.integers(1, 4, n_lines),
        }
    )


def read(folder):
    """The files as `build_panel` gives them."""
    rows = ds.dataset(folder, partitioning="hive").to_table().to_pandas()
    rows["as_of"] = pd.to_datetime(rows["as_of"]).astype("datetime64[s]")
    names = ["customer_id", "as_of", *rows.columns.drop(["customer_id", "as_of"])]
    return rows[names].sort_values(["customer_id", "as_of"], ignore_index=True)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize("rule", [{}, {"active_days": 40, "eligible_only": True}])
def test_files_hold_the_panel_to_the_last_bit(transactions, tmp_path, monkeypatch, chunk, rule):
    monkeypatch.setattr(panel_files, "GROUP_ROWS", 10)
    table = collapse(transactions)
    expected = build_panel(table, cutoffs=CUTOFFS, **rule)
    rows = write_panel(table, tmp_path / "p", cutoffs=CUTOFFS, chunk_customers=chunk, **rule)
    assert_frame_equal(read(tmp_path / "p"), expected, check_exact=True)
    assert rows == expected.groupby(expected["as_of"].dt.date).size().to_dict()
    assert list(rows) == sorted(CUTOFFS)


@pytest.mark.parametrize("max_lines", [50, 400, 10_000])
def test_parts_of_the_customers_change_nothing(transactions, tmp_path, max_lines):
    expected = build_panel(collapse(transactions), cutoffs=CUTOFFS)
    parts = collapse_parts(transactions, max_lines=max_lines)
    write_panel(parts, tmp_path / "p", cutoffs=CUTOFFS)
    assert_frame_equal(read(tmp_path / "p"), expected, check_exact=True)


def test_each_cutoff_is_a_folder_of_its_own_that_engines_know(transactions, tmp_path):
    rows = write_panel(collapse(transactions), tmp_path / "p", cutoffs=CUTOFFS)
    files = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.parquet"))
    assert files == [f"p/as_of={day}/part-0.parquet" for day in sorted(CUTOFFS)]
    counted = duckdb.sql(
        f"SELECT as_of, count(*) FROM '{tmp_path}/p/*/*.parquet' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert counted == list(rows.items())


def test_what_is_undefined_is_null_and_never_nan(days_of, tmp_path):
    table = days_of(("a", 0, 1), ("b", 0, 1), ("b", 9, 1))
    write_panel(table, tmp_path / "p", cutoffs=CUTOFFS[:1])
    table = pq.ParquetFile(next(tmp_path.rglob("*.parquet"))).read()
    assert table["margin_share"].null_count == table.num_rows
    assert table["usual_gap_days"].to_pylist() == [None, 9]
    found = [np.isnan(table[name].drop_null().to_numpy()).any() for name in table.column_names[2:]]
    assert not any(found)


def test_rows_of_a_file_are_written_in_groups(transactions, tmp_path, monkeypatch):
    monkeypatch.setattr(panel_files, "GROUP_ROWS", 16)
    rows = write_panel(collapse(transactions), tmp_path / "p", cutoffs=CUTOFFS, chunk_customers=8)
    for day, n_rows in rows.items():
        file = pq.ParquetFile(tmp_path / "p" / f"as_of={day}" / "part-0.parquet")
        groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        assert sum(groups) == n_rows
        assert max(groups) <= 16


def test_a_folder_that_exists_is_left_alone(transactions, tmp_path):
    with pytest.raises(SettingsError, match="exists. Remove it, or name another folder"):
        write_panel(collapse(transactions), tmp_path, cutoffs=CUTOFFS)


def test_cutoffs_before_the_first_purchase_are_refused_and_leave_nothing(days_of, tmp_path):
    with pytest.raises(DataError, match=r"before a cutoff \(2025-12-01\); the data cover 2026"):
        write_panel(days_of(("a", 0, 1)), tmp_path / "p", cutoffs=[date(2025, 12, 1)])
    assert list(tmp_path.iterdir()) == []


def test_what_fails_half_way_leaves_nothing(days_of, tmp_path):
    def parts():
        yield days_of(("a", 0, 1))
        raise DataError("the second part is lost")

    (tmp_path / ".p.partial").mkdir()
    (tmp_path / ".p.partial" / "left by a run that was killed").touch()
    with pytest.raises(DataError, match="the second part is lost"):
        write_panel(parts(), tmp_path / "p", cutoffs=CUTOFFS)
    assert list(tmp_path.iterdir()) == []
