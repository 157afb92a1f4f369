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
