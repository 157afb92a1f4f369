"""The panel read from its files is the panel in memory."""

from datetime import date

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from patronage.errors import DataError, SettingsError
from patronage.features import (
    ChurnLabels,
    build_panel,
    churn_labels,
    customer_tables,
    features_of,
    panel_files,
    read_panel,
    write_panel,
)

CUTOFFS = [date(2026, 9, 1), date(2026, 3, 1), date(2026, 5, 1)]
END = date(2026, 11, 1)
LABELS = ChurnLabels(horizons_days=(30, 90), lead_days=5, data_end=END)


@pytest.fixture(scope="module")
def tables(ledger_of_all_tables):
    ledger = ledger_of_all_tables(11)
    return customer_tables(ledger.pop("transactions"), **ledger)


@pytest.fixture(scope="module")
def folder(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("panel") / "p"
    write_panel(tables, folder, cutoffs=CUTOFFS, active_days=60, labels=LABELS)
    return folder


def in_memory(tables, **rule):
    """`build_panel` with texts that know only the categories that occur."""
    panel = build_panel(tables, cutoffs=CUTOFFS, **rule)
    for name in panel.select_dtypes("category"):
        panel[name] = panel[name].cat.remove_unused_categories()
    return panel


@pytest.mark.parametrize("chunk", [1, 3, 1000])
@pytest.mark.parametrize("rule", [{}, {"active_days": 40, "eligible_only": True}])
def test_it_is_the_panel_in_memory_to_the_last_bit(tables, tmp_path, monkeypatch, chunk, rule):
    monkeypatch.setattr(panel_files, "GROUP_ROWS", 3)
    write_panel(tables, tmp_path / "p", cutoffs=CUTOFFS, chunk_customers=chunk, **rule)
    assert_frame_equal(read_panel(tmp_path / "p"), in_memory(tables, **rule), check_exact=True)


def test_texts_are_categories(folder, tables):
    panel = read_panel(folder)
    assert panel["attribute_region"].cat.categories.tolist() == ["north", "south"]
    assert panel["attribute_region"].isna().any()


def test_labels_are_those_of_the_eligible(folder, tables):
    panel = read_panel(folder)
    expected = churn_labels(
        tables.days,
        cutoffs=CUTOFFS,
        horizons_days=(30, 90),
        lead_days=5,
        data_end=END,
        active_days=60,
    )
    eligible = panel[panel["eligible"]].reset_index(drop=True)
    assert_frame_equal(eligible[list(expected)], expected)
    assert panel.loc[~panel["eligible"], "churned_30"].isna().all()
    assert set(panel.loc[panel["churned_30"].notna(), "churned_30"]) == {0, 1}
    unknown = panel["churned_90"].isna() & panel["eligible"]
    assert set(panel.loc[unknown, "as_of"].dt.date) == {date(2026, 9, 1)}


def test_columns_and_cutoffs_can_be_chosen(folder):
    names = ["churned_30", "attribute_region", "frequency"]
    panel = read_panel(folder, columns=names, cutoffs=[date(2026, 5, 1)])
    assert list(panel) == ["customer_id", "as_of", "eligible", *names]
    assert set(panel["as_of"].dt.date) == {date(2026, 5, 1)}
    whole = read_panel(folder)
    rows = whole[whole["as_of"] == "2026-05-01"].reset_index(drop=True)
    assert_frame_equal(panel, rows[list(panel)])


def test_the_fields_say_what_they_mean(folder, tables):
    schema = pq.read_schema(next(folder.rglob("*.parquet")))
    for feature in features_of(tables):
        said = {
            key.decode(): text.decode() for key, text in schema.field(feature.name).metadata.items()
        }
        assert said["meaning"] == feature.meaning
        assert said["unit"] == feature.unit
        assert said["null"] == (feature.null or "never")
    assert schema.field("churned_30").metadata[b"meaning"] == (
        b"1: no purchase in the 30 days from 5 days after as_of on; 0: one or more."
    )
    assert schema.field("spend_30").metadata[b"window"] == b"30 days"


def test_engines_see_null_for_what_is_not_known(folder):
    asked = (
        f"SELECT count(*), count(churned_90), count(attribute_region) FROM '{folder}/*/*.parquet'"
    )
    rows, known, regions = duckdb.sql(asked).fetchall()[0]
    assert rows > known > 0
    assert rows > regions > 0


@pytest.mark.parametrize("sample", [0.5, 4])
def test_a_sample_holds_its_customers_whole(folder, tables, tmp_path, sample):
    write_panel(
        tables,
        tmp_path / "p",
        cutoffs=CUTOFFS,
        active_days=60,
        labels=LABELS,
        sample=sample,
        seed=3,
    )
    some, whole = read_panel(tmp_path / "p"), read_panel(folder)
    kept = whole["customer_id"].isin(set(some["customer_id"]))
    assert 0 < kept.sum() < len(whole)
    assert some["customer_id"].nunique() <= (4 if sample == 4 else 8)
    assert_frame_equal(some, whole[kept].reset_index(drop=True), check_categorical=False)


def test_parts_give_the_same_share_of_customers(tables, tmp_path):
    write_panel(tables, tmp_path / "one", cutoffs=CUTOFFS, sample=0.5, seed=3)
    write_panel(list(tables.chunks(3)), tmp_path / "many", cutoffs=CUTOFFS, sample=0.5, seed=3)
    assert_frame_equal(read_panel(tmp_path / "one"), read_panel(tmp_path / "many"))


def test_a_number_of_customers_cannot_be_drawn_of_parts(tables, tmp_path):
    with pytest.raises(SettingsError, match="sample=4 customers cannot be drawn of tables"):
        write_panel(list(tables.chunks(3)), tmp_path / "p", cutoffs=CUTOFFS, sample=4)
    assert list(tmp_path.iterdir()) == []


def test_a_sample_of_nobody_is_refused(tables, tmp_path):
    with pytest.raises(DataError, match="sample=1e-09 has drawn none of the customers"):
        write_panel(tables, tmp_path / "p", cutoffs=CUTOFFS, sample=1e-9)
    assert list(tmp_path.iterdir()) == []


def test_labels_not_known_yet_are_refused_before_anything_is_written(tables, tmp_path):
    with pytest.raises(DataError, match=r"2026-10-01 \(known from 2026-11-05\)"):
        write_panel(tables, tmp_path / "p", cutoffs=[date(2026, 10, 1)], labels=LABELS)
    assert list(tmp_path.iterdir()) == []


def test_numbers_as_ids_are_in_their_order(tmp_path):
    log = pd.DataFrame({"customer_id": [10, 9, 100, 9], "timestamp": "2026-01-01", "amount": 1.0})
    tables = customer_tables(log.assign(timestamp=pd.to_datetime(log["timestamp"])))
    write_panel(tables, tmp_path / "p", cutoffs=CUTOFFS)
    assert_frame_equal(read_panel(tmp_path / "p"), build_panel(tables, cutoffs=CUTOFFS))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"columns": ["frequenzy"]}, "has no column frequenzy. Did you mean frequency"),
        (
            {"cutoffs": [date(2026, 5, 2)]},
            "no cutoff 2026-05-02; it has 2026-03-01, 2026-05-01, 2026-09-01",
        ),
    ],
)
def test_what_the_panel_lacks_is_named(folder, asked, message):
    with pytest.raises(DataError, match=message):
        read_panel(folder, **asked)


def test_no_panel_says_how_to_write_one(tmp_path):
    with pytest.raises(DataError, match="holds no panel. Write one: patronage panel --to"):
        read_panel(tmp_path)
