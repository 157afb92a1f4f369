import pytest

from patronage.config import load_settings
from patronage.errors import SettingsError
from patronage.snapshot_settings import (
    is_snapshot,
    load_any_settings,
    load_snapshot_settings,
)

LEAST = '[snapshot]\nsource = "c.csv"\nchurned = "left"\n[churn]\nlabel = "snapshot"\n'


@pytest.fixture
def write(tmp_path):
    def writing(text):
        (tmp_path / "s.toml").write_text(text)
        return tmp_path / "s.toml"

    return writing


def test_the_least_that_has_to_be_said(write):
    settings = load_any_settings(write(LEAST))
    assert settings.snapshot.leaks == "warn"
    assert settings.churn.test_share == 0.2
    assert settings.path("x") == settings.folder / "x"


CASES = {
    "day without horizon": ('as_of = "day"\n', "as_of needs .churn. horizon_days"),
    "value without currency": ("value = 5\n", "value is money and needs .ledger. currency"),
    "label as id": ('customer_id = "left"\n', "churned = 'left' is named twice"),
    "unknown key": ('leave = ["a"]\n', r"\[snapshot\] leave is not known. Did you mean leave_out"),
    "query": ('query = "select 1"\n', "query needs a source postgresql"),
    "odd value": ("value = []\n", r"\[snapshot\] value = \[\]"),
}


@pytest.mark.parametrize(("line", "fault"), CASES.values(), ids=CASES.keys())
def test_what_cannot_be_is_refused(write, line, fault):
    path = write(LEAST.replace("[churn]", f"{line}[churn]"))
    with pytest.raises(SettingsError, match=fault):
        load_snapshot_settings(path)


def test_a_list_needs_a_value(write):
    retention = '[ledger]\ncurrency = "EUR"\n[retention]\nbudget = 1\n[[retention.actions]]\n'
    action = 'name = "call"\ncontact_cost = 1\noffer_cost = 1\naccept_rate = 0.5\n'
    with pytest.raises(SettingsError, match="retention. needs .snapshot. value"):
        load_snapshot_settings(write(LEAST + retention + action))


def test_a_project_with_transactions_is_no_snapshot(write):
    path = write("[churn]\nhorizon_days = 90\n")
    assert not is_snapshot(path)
    with pytest.raises(SettingsError, match="holds a .snapshot., a table of customers without"):
        load_settings(write(LEAST))
