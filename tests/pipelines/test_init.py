import tomllib
from datetime import datetime

import pytest

from patronage.config import load_settings
from patronage.data import read_ledger
from patronage.errors import SettingsError
from patronage.pipelines.init import write_settings_for
from patronage.table_settings import TransactionColumns

HEADER = "Bestell-Nr;Kunde;Rechnungsdatum;Menge;Einzelpreis\n"
REQUIRED = {
    '# currency = "EUR"': 'currency = "EUR"',
    "# active_days": "active_days",
    "# horizon_days": "horizon_days",
    "# margin = 0.30": "margin = 0.30",
    "# annual_discount_rate": "annual_discount_rate",
    "# budget": "budget",
    "# name": "name",
    "# contact_cost": "contact_cost",
    "# offer_cost": "offer_cost",
    "# accept_rate": "accept_rate",
}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Runs `init` on a text; gives what it says and the settings file's text."""
    monkeypatch.chdir(tmp_path)

    def write(text, encoding="utf-8"):
        (tmp_path / "sales.csv").write_bytes(text.encode(encoding))
        said = write_settings_for("sales.csv", tmp_path / "patronage.toml")
        return said, (tmp_path / "patronage.toml").read_text(encoding="utf-8")

    return write


def test_a_windows_export_is_read_with_the_settings_as_written(written, tmp_path):
    rows = "1;Müller;31.12.2024 10:00;2;8,93\n2;Özil;01.12.2024 11:00;1;1.000,50\n"
    said, text = written(HEADER + rows, "cp1252")
    for old, new in REQUIRED.items():
        text = text.replace(old, new)
    (tmp_path / "patronage.toml").write_text(text, encoding="utf-8")
    settings = load_settings(tmp_path / "patronage.toml")
    with read_ledger(settings, read_at=datetime(2026, 1, 1)) as ledger:
        kept = ledger.transactions.sort("amount").collect("pyarrow")
    assert kept["customer_id"].to_list() == ["Müller", "Özil"]
    assert kept["amount"].to_list() == [17.86, 1000.5]
    assert "check" in said.splitlines()[-1]
    assert "date_format" not in said


def test_all_columns_are_listed_also_odd_ones(written):
    _, text = written('a "b";Kunde;"c\nd"\n1;2;3\n')
    assert '# columns of the source: "a \\"b\\"", "Kunde", "c\\nd"\n' in text
    assert tomllib.loads(text)["transactions"]["columns"] == {"customer_id": "Kunde"}


def test_an_undecided_day_is_said_and_written(written):
    said, text = written("customer,date,amount\na,01/02/2024,1\n")
    assert 'date_format = "%d/%m/%Y"  # check: "%m/%d/%Y" would fit the values as well\n' in text
    assert 'check date_format: days fit "%d/%m/%Y" and "%m/%d/%Y"' in said


def test_what_differs_in_nothing_stays_commented_out(written):
    said, text = written("customer,date,amount\na,2024-01-02,1.5\n")
    for key in ("decimal", "encoding", "date_format", "where"):
        assert f"\n# {key} = " in text
    assert said.count("\n") == 1


def test_optional_columns_are_mapped_and_money_is_to_be_checked(written):
    header = "Kunde;Datum;Umsatz;Warengruppe;Kanal;Rabatt;Menge;Artikelnr\n"
    said, text = written(f"{header}1;2024-01-02;9,5;Tee;Web;0,5;2;A7\n")
    assert tomllib.loads(text)["transactions"]["columns"] == {
        "customer_id": "Kunde",
        "timestamp": "Datum",
        "amount": "Umsatz",
        "product_id": "Artikelnr",
        "quantity": "Menge",
        "category": "Warengruppe",
        "channel": "Kanal",
        "discount": "Rabatt",
    }
    assert '# margin = "margin"  # optional: contribution margin of the row' in text
    assert 'check that "Rabatt" (discount) is in money, not per cent' in said


def test_a_discount_below_zero_is_left_to_the_user(written):
    _, text = written("customer,date,amount,discount\na,2024-01-02,9,-1\n")
    assert "discount" not in tomllib.loads(text)["transactions"]["columns"]


def test_every_column_of_a_transaction_has_a_line(written):
    _, text = written("customer,date,amount\na,2024-01-02,9\n")
    lines = text.split("[transactions.columns]")[1].split("\n# Further")[0]
    for name in TransactionColumns.model_fields:
        assert f"\n{name} = " in lines or f"\n# {name} = " in lines


def test_missing_columns_are_named(written):
    assert "name the columns for timestamp, amount" in written("Kunde;x\n1;2\n")[0]


def test_another_settings_file_is_to_be_named(written, tmp_path):
    (tmp_path / "patronage.toml").write_text("mine")
    with pytest.raises(SettingsError, match="or name another file: --config FILE"):
        written("customer,date,amount\na,2024-01-02,1.5\n")
    assert (tmp_path / "patronage.toml").read_text() == "mine"


def test_an_encoding_that_is_no_unicode_is_said_to_be_a_guess(written):
    said, text = written("Nr klienta;Ilość;Łódź\n1;2;3\n", "cp1250")
    assert 'encoding = "cp1250"' in text
    assert 'encoding = "cp1250" is a guess: the file is not UTF-8' in said
    assert 'such as "Ilość", "Łódź": if letters are wrong' in said
    assert said.index("is a guess") < said.index("name the columns")


def test_a_column_found_by_its_days_is_to_be_checked(written):
    said, text = written("customer;Päivä;amount\na;31.12.2024;1\n")
    assert tomllib.loads(text)["transactions"]["columns"]["timestamp"] == "Päivä"
    assert 'check that "Päivä" is when: its values are days' in said
