import dataclasses
from datetime import datetime

import openpyxl
import pytest

from patronage.report import workbook, workbook_sheet, write_at_risk_xlsx

SUMMARY = {"Model quality": "The model ranks well.", "Data": "1997-01-01 to 1998-06-30"}


@pytest.fixture
def written(tmp_path, policy):
    def write(at_risk, currency="USD", policy=policy):
        path = tmp_path / "at_risk.xlsx"
        write_at_risk_xlsx(at_risk, path, currency=currency, policy=policy, summary=SUMMARY)
        return openpyxl.load_workbook(path)

    return write


def column(sheet, header):
    names = [cell.value for cell in sheet[1]]
    return [row[names.index(header)] for row in sheet.iter_rows(min_row=2)]


def guide(book):
    return {name: text for name, text in book["How to read"].values if name}


def test_act_now_holds_the_selected_in_order(written, at_risk):
    sheet = written(at_risk)["Act now"]
    chosen = at_risk[at_risk["selected"]]
    assert [cell.value for cell in column(sheet, "Customer")] == chosen["customer_id"].tolist()
    assert [cell.value for cell in column(sheet, "Rank")] == chosen["rank"].tolist()


def test_watch_holds_the_next_ones_and_why_not(written, at_risk, policy):
    sheet = written(at_risk)["Watch"]
    assert len(column(sheet, "Customer")) == policy.watch_rows
    assert {cell.value for cell in column(sheet, "Group")} == {"worth it, over budget"}
    assert {cell.value for cell in column(sheet, "Why not now")} == {"does not fit the budget"}
    ranks = [cell.value for cell in column(sheet, "Rank")]
    assert ranks == sorted(ranks)


def test_cells_have_types_and_formats(written, at_risk):
    sheet = written(at_risk)["Act now"]
    assert column(sheet, "Customer")[0].data_type == "s"
    assert column(sheet, "Assumed acceptance")[0].number_format == "0.0%"
    assert column(sheet, "Value if kept")[0].number_format == '#,##0.00 "USD"'
    assert column(sheet, "Do by")[0].value == datetime(1998, 7, 8)
    assert column(sheet, "Do by")[0].number_format == "yyyy-mm-dd"


@pytest.mark.parametrize("header", ["Chance to leave", "Chance still a customer"])
def test_a_chance_is_never_shown_as_certain(written, at_risk, header):
    sheet = written(at_risk)["Act now"]
    shown = '[>=0.9995]">99.9%";[<0.0005]"<0.1%";0.0%'
    assert column(sheet, header)[0].number_format == shown
    letter = column(sheet, header)[0].column_letter
    assert not sheet.column_dimensions[letter].hidden


def test_a_currency_without_cents_has_none(written, at_risk):
    sheet = written(at_risk, currency="JPY")["Act now"]
    assert column(sheet, "Value if kept")[0].number_format == '#,##0 "JPY"'


def test_the_header_stays_and_filters(written, at_risk):
    sheet = written(at_risk)["Act now"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == sheet.dimensions


def test_outcomes_are_chosen_from_a_list(written, at_risk):
    sheet = written(at_risk)["Act now"]
    (choice,) = sheet.data_validations.dataValidation
    assert choice.formula1 == '"reached,offer accepted,saved,left,wrong number"'
    cells = [cell.coordinate for cell in column(sheet, "Outcome")]
    assert str(choice.sqref) == f"{cells[0]}:{cells[-1]}"
    assert {cell.value for cell in column(sheet, "Outcome")} == {None}


def test_technical_columns_are_hidden(written, at_risk):
    sheet = written(at_risk)["Act now"]
    hidden = [name for name in ("Run", "Model version") if column(sheet, name)]
    letters = [column(sheet, name)[0].column_letter for name in hidden]
    dimensions = sheet.column_dimensions
    groups = {letter: dimensions[letter].hidden for letter in letters if letter in dimensions}
    assert groups
    assert all(groups.values())


def test_no_text_is_a_formula_or_a_link(written, hostile_list, hostile_ids):
    book = written(hostile_list)
    cells = [cell for name in ("Act now", "Watch") for cell in column(book[name], "Customer")]
    assert {cell.value for cell in cells} <= set(hostile_ids)
    assert len(cells) > 10
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.hyperlink for cell in cells} == {None}


def test_how_to_read_says_what_was_done(written, at_risk):
    texts = guide(written(at_risk))
    chosen = at_risk[at_risk["selected"]]
    assert texts["Day of the list"] == "1998-07-01"
    assert texts["Selected"] == (
        f"{len(chosen)} customers of 200, at an expected cost of "
        f"{chosen['action_cost'].sum():.2f} USD; the budget is 60.00 USD."
    )
    assert texts["Model quality"] == "The model ranks well."
    assert texts["Action: call"].startswith("A contact costs 4.00 USD; 30% of those about to leave")
    assert "an offer 10.00 USD when redeemed; 25% of" in texts["Action: voucher"]


def test_every_column_is_explained(written, at_risk):
    book = written(at_risk)
    headers = {cell.value for name in ("Act now", "Watch") for cell in book[name][1]}
    assert headers - set(guide(book)) == set()


def test_nobody_selected_is_said(written, at_risk):
    book = written(at_risk.assign(selected=False, risk_band="no action"))
    assert book["Act now"].max_row == 1
    assert guide(book)["Selected"].startswith("0 customers of 200")
    assert guide(book)["Selected"].endswith("Nobody is to be contacted: no action pays.")


def test_who_is_left_alone_is_said(written, at_risk, policy):
    assert "with a chance below 5% is not" in guide(written(at_risk))["Ranking"]
    all_of_them = dataclasses.replace(policy, min_p_alive=0)
    assert "gone" not in guide(written(at_risk, policy=all_of_them))["Ranking"]


def test_watch_names_who_is_gone_but_would_be_worth_it(written, customers, list_of):
    is_gone = customers.index.isin(customers.nlargest(1, "value_at_risk").index)
    listed = list_of(customers.assign(p_alive=customers["p_alive"].mask(is_gone, 0.001)))
    customer = customers.loc[is_gone, "customer_id"].item()
    sheet = written(listed)["Watch"]
    assert len(column(sheet, "Customer")) == 10
    assert column(sheet, "Customer")[-1].value == customer
    assert column(sheet, "Why not now")[-1].value == "most likely gone for good"
    assert column(sheet, "Rank")[-1].value == len(listed)


def test_nothing_is_promised_that_is_not_done(written, at_risk):
    assert guide(written(at_risk))["Outcome"] == "For you to fill in: choose what came of it."


def test_an_empty_list_is_a_workbook(written, at_risk):
    book = written(at_risk.head(0))
    assert [sheet.max_row for sheet in book][:2] == [1, 1]
    assert guide(book)["Day of the list"] == "Nobody is listed."


def test_what_excel_cannot_hold_is_cut_and_said(written, at_risk, monkeypatch):
    for module in (workbook, workbook_sheet):
        monkeypatch.setattr(module, "MAX_ROWS", 3)
    book = written(at_risk)
    selected = at_risk["selected"].sum()
    assert book["Act now"].max_row == 4
    assert guide(book)["Cut"] == (
        f"Excel takes 3 rows: the sheet Act now holds the first of {selected} selected customers. "
        "at_risk.csv holds all."
    )


def test_a_long_list_is_written_alike(written, at_risk, monkeypatch):
    usual = list(written(at_risk)["Act now"].values)
    monkeypatch.setattr(workbook, "_IN_MEMORY_ROWS", 0)
    assert list(written(at_risk)["Act now"].values) == usual
