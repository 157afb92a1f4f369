from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from patronage.data.guessing import guess
from patronage.errors import DataError

GERMAN = "Bestell-Nr;Kunde;Rechnungsdatum;Artikelnr;Menge;Einzelpreis\n"


def lines(*days):
    return "".join(f"{place};Müller;{day};X1;2;1.008,93\n" for place, day in enumerate(days))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_german_export_is_read_off(tmp_path, encoding):
    text = GERMAN + lines("31.12.2024 10:00", "01.12.2024 11:30")
    (tmp_path / "sales.csv").write_bytes(text.encode(encoding))
    guessed = guess("sales.csv", tmp_path)
    assert guessed.names == GERMAN.strip().split(";")
    assert guessed.amount == "Menge * Einzelpreis"
    assert (guessed.encoding, guessed.decimal) == (encoding, ",")
    assert (guessed.date.format, guessed.date.other) == ("%d.%m.%Y %H:%M", None)
    assert guessed.columns == {
        "timestamp": "Rechnungsdatum",
        "customer_id": "Kunde",
        "order_id": "Bestell-Nr",
        "product_id": "Artikelnr",
        "quantity": "Menge",
    }


DECIMALS = {
    "points": (["1.5", "2.25", "1000"], "."),
    "commas": (['"1,5"', '"2,25"', "1000"], ","),
    "whole numbers": (["1", "2", "3"], "."),
    "grouped by commas": (['"1,500"', '"22,250"', "1.5"], "."),
    "grouped by points": (["1.500", "22.250", '"1,5"'], ","),
    "mostly commas": (['"1,5"', '"2,25"', "1.5"], ","),
}


@pytest.mark.parametrize(("amounts", "decimal"), DECIMALS.values(), ids=DECIMALS.keys())
def test_the_decimal_mark_is_that_of_most_numbers(tmp_path, amounts, decimal):
    rows = "".join(f"a,2024-01-01,{amount}\n" for amount in amounts)
    (tmp_path / "orders.csv").write_text("customer,date,amount\n" + rows)
    assert guess("orders.csv", tmp_path).decimal == decimal


def test_every_part_of_a_large_file_is_looked_at(tmp_path):
    """The days past the 12th, which tell the order, may come late and sort late."""
    days = [f"{1 + place % 12:02d}/{1 + place % 9:02d}/2024 {place:05d}" for place in range(8_000)]
    days = [f"{day[:-5]}{int(day[-5:]) // 60 % 24:02d}:{int(day[-5:]) % 60:02d}" for day in days]
    rows = "".join(f"a,{day},1\n" for day in [*days, "13/01/2024 10:00"])
    (tmp_path / "orders.csv").write_text("customer,date,amount\n" + rows)
    guessed = guess("orders.csv", tmp_path)
    assert (guessed.date.format, guessed.date.other) == ("%d/%m/%Y %H:%M", None)


def test_columns_whose_values_do_not_fit_are_not_taken(tmp_path):
    (tmp_path / "orders.csv").write_text("customer,day,date,total,value\na,Monday,2024-01-01,x,3\n")
    columns = guess("orders.csv", tmp_path).columns
    assert (columns["timestamp"], columns["amount"]) == ("date", "value")


def test_line_ends_may_be_mixed(tmp_path):
    text = "customer,date,amount\r\na,31/01/2024,1\nb,30/01/2024,2\r\n\nc,1/02/2024,3\n"
    (tmp_path / "orders.csv").write_bytes(text.encode())
    assert guess("orders.csv", tmp_path).date.format == "%d/%m/%Y"


def test_a_header_alone_is_guessed_by_its_names(tmp_path):
    (tmp_path / "orders.csv").write_text("client,date,montant\n")
    guessed = guess("orders.csv", tmp_path)
    assert guessed.columns == {"timestamp": "date", "customer_id": "client", "amount": "montant"}
    assert (guessed.decimal, guessed.date.format) == (".", None)


def test_parquet_needs_neither_format_nor_mark(tmp_path):
    table = pa.table({"Kunde": [1.0], "Datum": [datetime(2024, 1, 31)], "Umsatz": [1.5]})
    pq.write_table(table, tmp_path / "orders.parquet")
    guessed = guess("*.parquet", tmp_path)
    assert (guessed.encoding, guessed.decimal, guessed.date.format) == ("utf-8", ".", None)
    assert guessed.columns == {"timestamp": "Datum", "customer_id": "Kunde", "amount": "Umsatz"}


def test_a_workbook_is_refused(tmp_path):
    (tmp_path / "orders.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="orders.xlsx is a workbook; save it as CSV"):
        guess("orders.xlsx", tmp_path)


def test_a_polish_export_is_read_off(tmp_path):
    text = "Nr klienta;Data zakupu;Nr paragonu;Grupa towarowa;Ilość;Wartość netto;Rabat;Kanał\n"
    rows = "007;31.12.2024 10:00;1;Rośliny;2;8,93;0,5;sklep\n"
    (tmp_path / "sprzedaż.csv").write_bytes((text + rows).encode("cp1250"))
    guessed = guess("sprzedaż.csv", tmp_path)
    assert (guessed.encoding, guessed.decimal) == ("cp1250", ",")
    assert guessed.date.format == "%d.%m.%Y %H:%M"
    assert guessed.columns == {
        "customer_id": "Nr klienta",
        "timestamp": "Data zakupu",
        "order_id": "Nr paragonu",
        "category": "Grupa towarowa",
        "quantity": "Ilość",
        "amount": "Wartość netto",
        "discount": "Rabat",
        "channel": "Kanał",
    }


def test_days_are_found_under_an_unknown_name(tmp_path):
    text = "code;Päivä;n\n20240101;31.12.2024;5\n20240102;n/a;1.2\n"
    rows = "".join(f"2024{place};{place}.12.2024;5\n" for place in range(10, 29))
    (tmp_path / "orders.csv").write_text(text + rows)
    guessed = guess("orders.csv", tmp_path)
    assert guessed.columns["timestamp"] == "Päivä"
    assert guessed.date.format == "%d.%m.%Y"
