import pandas as pd
import pytest

from patronage.data.snapshot import read_snapshot, read_to_score
from patronage.errors import DataError, SettingsError
from patronage.snapshot_settings import SnapshotSection

ROWS = {
    "id": ["a", "b", "c", "d"],
    "age": ["30", None, "50", "50"],
    "plan": ["gold", "", "basic", "gold"],
    "left": ["yes", "no", "NO", ""],
}


@pytest.fixture
def read(tmp_path):
    def reading(table, more=None, **section):
        for name, rows in {"customers": table, **(more or {})}.items():
            pd.DataFrame(rows).to_csv(tmp_path / f"{name}.csv", index=False)
        asked = {"source": "customers.csv", "churned": "left", "customer_id": "id", **section}
        return read_snapshot(SnapshotSection(**asked), folder=tmp_path)

    return reading


def test_label_ids_and_features_are_read(read):
    snapshot = read(ROWS)
    assert snapshot.features == ("age", "plan")
    assert snapshot.rows["churned"].tolist()[:3] == [1.0, 0.0, 0.0]
    assert snapshot.labelled["customer_id"].tolist() == ["a", "b", "c"]
    assert snapshot.unlabelled["customer_id"].tolist() == ["d"]
    assert snapshot.rows["age"].tolist()[::2] == [30.0, 50.0]
    assert snapshot.rows["plan"].isna().tolist() == [False, True, False, False]


def test_other_words_are_told_and_taken_from_the_settings(read):
    table = ROWS | {"left": ["Churned", "Stayed", "Joined", "Stayed"]}
    with pytest.raises(DataError, match=r"left holds 'churned', 'joined', 'stayed'; say which"):
        read(table)
    assert read(table, yes=["Churned"]).rows["churned"].tolist() == [1, 0, 0, 0]
    with pytest.raises(DataError, match=r"say which of them means"):
        read(table, yes=["Gone"])


@pytest.mark.parametrize("values", [[1, 0, 0, 1], [1.0, 0.0, 0.0, 1.0], [True, False, False, True]])
def test_numbers_and_flags_are_labels_too(read, values):
    assert read(ROWS | {"left": values}).rows["churned"].tolist() == [1, 0, 0, 1]
    assert read(ROWS | {"left": values}, yes=[values[1]]).rows["churned"].tolist() == [0, 1, 1, 0]


def test_without_an_id_rows_are_numbered(read):
    snapshot = read(ROWS, customer_id=None, leave_out=["id"])
    assert snapshot.rows["customer_id"].tolist() == ["1", "2", "3", "4"]
    assert snapshot.left_out == {"id": "named in the settings"}


def test_columns_of_no_use_are_left_out_with_the_reason(read):
    numbers = list(range(40))
    table = {
        "id": [f"c{number}" for number in numbers],
        "left": ["yes", "no"] * 20,
        "row": [number + 7 for number in numbers],
        "name": [f"n{number}" for number in numbers],
        "country": ["AT"] * 40,
        "empty": [None] * 40,
        "city": ["Wien", "Graz", "Linz", "Wels"] * 10,
        "spend": [number**2 for number in numbers],
    }
    snapshot = read(table)
    assert snapshot.features == ("city", "spend")
    assert snapshot.left_out == {
        "row": "numbers the rows",
        "name": "names rows: nearly every value is another",
        "country": "the same in all rows",
        "empty": "empty",
    }


def test_no_column_left_is_told(read):
    with pytest.raises(DataError, match="no column is left to learn from; 2 are left out: age, pl"):
        read(ROWS, leave_out=["age", "plan"])


def test_codes_stay_texts_and_numbers_can_be_asked_for(read):
    codes = ROWS | {"zip": ["01234", "1010", "1020", "1030"], "age": ["30", "n/a", "50", "50"]}
    snapshot = read(codes)
    assert snapshot.rows["zip"].tolist() == ["01234", "1010", "1020", "1030"]
    assert snapshot.rows["age"].tolist()[1] == "n/a"
    with pytest.raises(DataError, match="age holds 1 values that are no number, first 'n/a' in ro"):
        read(codes, numbers=["age"])
    assert read(ROWS, texts=["age"]).rows["age"].tolist()[::2] == ["30", "50"]


def test_decimal_commas_and_conditions(read):
    table = ROWS | {"fee": ["1,5", "2,5", "1.000,5", "4"]}
    snapshot = read(table, decimal=",", where="id <> 'd'")
    assert snapshot.rows["fee"].tolist() == [1.5, 2.5, 1000.5]
    with pytest.raises(SettingsError, match="is no condition"):
        read(ROWS, where="age + 1")


def test_a_named_column_that_is_not_there_is_told(read):
    with pytest.raises(DataError, match="has no column 'lefft'. Did you mean 'left'"):
        read(ROWS, churned="lefft")
    with pytest.raises(DataError, match="has no column 'agee'"):
        read(ROWS, leave_out=["agee"])


def test_a_customer_twice_is_refused_unless_on_another_day(read):
    table = ROWS | {
        "id": ["a", "b", "a", "c"],
        "day": ["2024-01-01", "2024-01-01"] + ["2024-02-01"] * 2,
    }
    with pytest.raises(DataError, match="1 rows have a customer seen before, first customer 'a'"):
        read(table)
    snapshot = read(table, as_of="day")
    assert snapshot.rows["as_of"].dt.month.tolist() == [1, 1, 2, 2]
    assert "day" not in snapshot.features


def test_days_count_back_from_the_day_of_the_row(tmp_path):
    table = pd.DataFrame(ROWS).assign(
        day=pd.Timestamp("2024-03-01"), joined=pd.date_range("2024-02-01", periods=4, freq="2D")
    )
    table.to_parquet(tmp_path / "customers.parquet")
    section = {"source": "customers.parquet", "churned": "left", "customer_id": "id"}
    snapshot = read_snapshot(SnapshotSection(**section, as_of="day"), folder=tmp_path)
    assert snapshot.rows["joined"].tolist() == [29, 27, 25, 23]
    plain = read_snapshot(SnapshotSection(**section, leave_out=["day"]), folder=tmp_path)
    assert plain.rows["joined"].diff().dropna().tolist() == [2, 2, 2]


def test_files_are_joined_by_their_keys(read):
    more = {"cities": {"zip": [1010, 1020], "people": [16, 105], "age": [0, 0]}}
    table = ROWS | {"zip": ["1010", "1020", "1030", "1010"]}
    join = {"source": "cities.csv", "on": "zip"}
    snapshot = read(table, more, joins=[join], texts=["zip"])
    assert snapshot.rows["people"].tolist()[::3] == [16, 16]
    assert snapshot.rows["people"].isna().tolist() == [False, False, True, False]
    assert snapshot.rows["age"].tolist()[0] == 30  # the first table's
    twice = {"cities": {"zip": [1010, 1010], "people": [16, 105]}}
    with pytest.raises(DataError, match=r"1 rows have a zip seen before, first \['1010'\]"):
        read(table, twice, joins=[join])
    with pytest.raises(DataError, match="there is no column 'plz' to join by"):
        read(table, more, joins=[join | {"on": "plz"}])


def test_a_value_is_a_column_or_an_amount(read):
    assert read(ROWS, value=12.5).rows["value"].tolist() == [12.5] * 4
    snapshot = read(ROWS | {"age": [1, 2, 2, 4]}, value="age")
    assert snapshot.rows["value"].tolist() == [1, 2, 2, 4]
    assert "age" in snapshot.features
    with pytest.raises(DataError, match="value: age is no number in 1 of 4 rows, first in row 2"):
        read(ROWS, value="age")


def test_a_column_with_a_name_of_ours_keeps_apart(read):
    snapshot = read(ROWS | {"value": [1, 2, 2, 9]}, value=5)
    assert snapshot.features == ("age", "plan", "value of the snapshot")
    assert snapshot.rows["value of the snapshot"].tolist() == [1, 2, 2, 9]


def test_a_broken_record_is_told_with_its_line(tmp_path):
    (tmp_path / "c.csv").write_text("id,left,age\na,yes,1\nb,no,2,3\n")
    section = SnapshotSection(source="c.csv", churned="left", customer_id="id")
    with pytest.raises(DataError, match="1 records cannot be read, the first in line 3"):
        read_snapshot(section, folder=tmp_path)


def test_what_is_to_be_scored_needs_no_label(tmp_path):
    pd.DataFrame(ROWS).drop(columns="left").to_csv(tmp_path / "new.csv", index=False)
    section = SnapshotSection(source="x.csv", churned="left", customer_id="id", to_score="new.csv")
    rows = read_to_score(section, folder=tmp_path)
    assert list(rows) == ["customer_id", "age", "plan"]


def test_columns_named_as_what_a_run_leaves_are_features_of_another_name(tmp_path):
    """A score that the firm made before would otherwise be taken for the run's own."""
    names = ("p_churn", "eligible", "p_no_purchase")
    table = pd.DataFrame({"left": ["yes", "no"] * 20, "plan": ["a", "b", "c", "d"] * 10})
    table = table.assign(**dict.fromkeys(names, table.index % 7))
    table.to_csv(tmp_path / "table.csv", index=False)
    section = SnapshotSection(source="table.csv", churned="left")
    found = read_snapshot(section, folder=tmp_path)
    assert found.features == ("plan", *(f"{name} of the snapshot" for name in names))
