import csv

import pandas as pd
import pytest

from patronage.report import write_at_risk_csv
from patronage.report.csv_list import restored_text
from patronage.retention.at_risk import AT_RISK_COLUMNS


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_columns_are_those_of_the_list(tmp_path, at_risk):
    write_at_risk_csv(at_risk, tmp_path / "at_risk.csv")
    rows = rows_of(tmp_path / "at_risk.csv")
    assert tuple(rows[0]) == AT_RISK_COLUMNS
    assert len(rows) == len(at_risk)


def test_dates_are_iso_and_missing_ones_empty(tmp_path, at_risk):
    write_at_risk_csv(at_risk, tmp_path / "at_risk.csv")
    rows = rows_of(tmp_path / "at_risk.csv")
    assert {row["as_of"] for row in rows} == {"1998-07-01"}
    assert {row["do_by"] for row in rows} == {"1998-07-08", ""}
    assert {row["do_by"] != "" for row in rows if row["selected"] == "true"} == {True}


def test_numbers_stay_numbers_negative_ones_too(tmp_path, at_risk):
    write_at_risk_csv(at_risk, tmp_path / "at_risk.csv")
    back = pd.read_csv(tmp_path / "at_risk.csv", dtype={"customer_id": "str"})
    assert back["expected_net_value"].min() < 0
    for name in ("expected_net_value", "p_churn", "action_cost", "usual_gap_days"):
        pd.testing.assert_series_equal(back[name], at_risk[name], atol=1e-6, rtol=0)


def test_no_cell_runs_as_a_formula(tmp_path, hostile_list):
    write_at_risk_csv(hostile_list, tmp_path / "at_risk.csv")
    ids = [row["customer_id"] for row in rows_of(tmp_path / "at_risk.csv")]
    assert [one for one in ids if one[0] in "=+-@\t\r\n"] == []
    assert "'=cmd|' /C calc'!A0" in ids


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))
def test_every_start_of_a_formula_is_neutralised(tmp_path, at_risk, start):
    write_at_risk_csv(at_risk.head(1).assign(owner=f"{start}1+1"), tmp_path / "at_risk.csv")
    assert rows_of(tmp_path / "at_risk.csv")[0]["owner"] == f"'{start}1+1"


def test_every_id_comes_back_as_it_was(tmp_path, hostile_list, hostile_ids):
    write_at_risk_csv(hostile_list, tmp_path / "at_risk.csv")
    ids = pd.Series([row["customer_id"] for row in rows_of(tmp_path / "at_risk.csv")])
    assert sorted(restored_text(ids)) == sorted(hostile_ids)


def test_categories_are_texts_too(tmp_path, at_risk):
    table = at_risk.head(1).assign(action=pd.Categorical(["=1+1"]))
    write_at_risk_csv(table, tmp_path / "at_risk.csv")
    assert rows_of(tmp_path / "at_risk.csv")[0]["action"] == "'=1+1"


def test_an_empty_list_has_a_header(tmp_path, at_risk):
    write_at_risk_csv(at_risk.head(0), tmp_path / "at_risk.csv")
    assert (tmp_path / "at_risk.csv").read_text().count("\n") == 1
