import json

import pytest

from patronage.data import CONTRACTS, TableProfile

ORDERS = (
    "customer_id,timestamp,amount,order_id,channel\n"
    "a,2024-01-01,1,7,web\na,2024-01-02,2,7,web\nb,2024-01-03 10:00,9,8,\nb,2024-01-03,4,,shop\n"
)


def test_the_profile_of_transactions(read):
    found = read(ORDERS).tables["transactions"].profile
    assert (found.rows, found.customers, found.covered) == (4, 2, 1.0)
    assert (found.first_day, found.last_day) == ("2024-01-01", "2024-01-03")
    columns = {column.name: column for column in found.columns}
    amount = columns["amount"]
    assert (amount.minimum, amount.maximum, amount.quantiles["50"]) == (1.0, 9.0, 3.0)
    assert list(amount.quantiles) == ["1", "25", "50", "75", "99"]
    assert (columns["order_id"].nulls, columns["order_id"].distinct) == (1, 2)
    assert columns["channel"].top == [("web", 2), ("shop", 1)]
    assert columns["channel"].described() == "2 values: web (66.7%), shop (33.3%); 25.0% empty"


def test_the_profile_goes_through_json(read):
    found = read(ORDERS).tables["transactions"].profile
    assert TableProfile.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_rare_values_of_attributes_stay_hidden(read, tmp_path):
    lines = "".join(
        f"c{place},{'x' if place < 6 else f'Ms {place}'},{place}\n" for place in range(9)
    )
    (tmp_path / "customers.csv").write_text("customer_id,name,age\n" + lines)
    ledger = read(ORDERS, tables={"customers": {"source": "customers.csv"}})
    name, age = ledger.tables["customers"].profile.columns
    assert (name.distinct, name.top) == (4, [("x", 6)])
    assert (age.kind, age.minimum, age.maximum) == ("number", 0.0, 8.0)


@pytest.mark.parametrize("table", [name for name in CONTRACTS if name != "transactions"])
def test_a_table_without_rows_has_a_profile(read, tmp_path, table):
    required = [column.name for column in CONTRACTS[table].columns if column.required]
    (tmp_path / "empty.csv").write_text(",".join(required) + "\n")
    found = read(ORDERS, tables={table: {"source": "empty.csv"}}).tables[table].profile
    assert (found.rows, found.customers, found.first_day, found.covered) == (0, 0, None, 0.0)
    assert {column.described() for column in found.columns} <= {"no rows"}


YEARS = {
    "years": ("1945", "2004", "1945 to 2004, median 2004"),
    "amounts": ("5", "2004", "5 to 2,004, median 2,004"),
    "parts": ("1945.5", "2004", "1,945.5 to 2,004, median 2,004"),
}


@pytest.mark.parametrize(("low", "high", "text"), YEARS.values(), ids=YEARS.keys())
def test_years_are_written_without_a_mark_for_thousands(read, tmp_path, low, high, text):
    (tmp_path / "customers.csv").write_text(f"customer_id,born\na,{low}\nb,{high}\nc,{high}\n")
    ledger = read(ORDERS, tables={"customers": {"source": "customers.csv"}})
    (born,) = ledger.tables["customers"].profile.columns
    assert born.described().startswith(text)


@pytest.mark.parametrize(
    ("days", "date_format"),
    [(("31.12.2024", "01.02.1950"), "%d.%m.%Y"), (("2024-12-31", "1950-02-01"), "%d.%m.%Y")],
)
def test_an_attribute_of_days_is_one(read, rows, tmp_path, days, date_format):
    lines = "".join(f"{name},{day}\n" for name, day in zip("ab", days, strict=True))
    (tmp_path / "customers.csv").write_text("customer_id,joined\n" + lines + "c,\n")
    section = {"source": "customers.csv", "date_format": date_format}
    table = read(ORDERS, tables={"customers": section}).tables["customers"]
    (joined,) = table.profile.columns
    assert (joined.kind, joined.minimum, joined.maximum) == ("time", "1950-02-01", "2024-12-31")
    assert table.profile.first_day is None


def test_an_attribute_is_text_where_one_value_is_no_day_or_the_settings_say_so(read, tmp_path):
    (tmp_path / "customers.csv").write_text(
        "customer_id,joined,born\na,2024-12-31,1999-01-01\nb,soon,1999-01-02\n"
    )
    section = {"source": "customers.csv", "texts": ["born"]}
    found = read(ORDERS, tables={"customers": section}).tables["customers"].profile
    assert [column.kind for column in found.columns] == ["text", "text"]


@pytest.mark.parametrize(("values", "said"), [(200, False), (201, True)])
def test_texts_of_very_many_values_are_told(read, tmp_path, values, said):
    lines = "".join(f"c{place},x{place}\n" for place in range(values))
    (tmp_path / "customers.csv").write_text("customer_id,postcode\n" + lines)
    table = read(ORDERS, tables={"customers": {"source": "customers.csv"}}).tables["customers"]
    text = "attribute postcode is a text with 201 values"
    assert any(text in one for one in table.warnings) is said
