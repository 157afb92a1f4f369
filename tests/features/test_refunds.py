import re
from datetime import date

import pytest

from patronage.errors import DataError, SettingsError
from patronage.features import rfm_summary

AS_OF = date(2026, 2, 1)
LINES = [
    ("a", 0, 100),
    ("a", 5, -30),
    ("a", 10, 50),
    ("a", 12, -20),
    ("a", 20, 10),
    ("b", 1, 40),
    ("b", 8, 40),
    ("b", 9, -15),
    ("b", 9, -25),
    ("c", 3, 5),
    ("c", 90, -5),
]
SETTINGS = {
    "net": ("D", [20.0, 0.0, 0.0]),
    # a's return of 30 falls in the week of her purchase of 50.
    "net, by week": ("W", [5.0, 0.0, 0.0]),
    "drop": ("D", [30.0, 40.0, 0.0]),
    "drop, by week": ("W", [30.0, 40.0, 0.0]),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_returns_are_netted_or_dropped(days_of, case):
    period, means = SETTINGS[case]
    setting = case.split(",")[0]
    summary = rfm_summary(days_of(*LINES), as_of=AS_OF, returns=setting, period=period)
    assert summary["monetary_value"].tolist() == means
    assert summary["frequency"].tolist() == [2, 1, 0]


def test_netting_is_the_default(days_of):
    table = days_of(*LINES)
    net = rfm_summary(table, as_of=AS_OF, returns="net")
    assert rfm_summary(table, as_of=AS_OF).equals(net)


@pytest.mark.parametrize(("setting", "empty"), [("net", 1), ("drop", 0)])
def test_what_was_touched_is_reported(days_of, setting, empty):
    # Customer c returns after as_of: not seen.
    touched = rfm_summary(days_of(*LINES), as_of=AS_OF, returns=setting).attrs["returns"]
    assert touched == {
        "setting": setting,
        "lines": 4,
        "amount": 90.0,
        "customers": 2,
        "without_net_spend": empty,
    }


def test_returns_can_be_refused(days_of):
    text = "amount is negative in 4 lines of 2 of 3 customers (90.00 in all), first customer a."
    with pytest.raises(DataError, match=re.escape(text)):
        rfm_summary(days_of(*LINES), as_of=AS_OF, returns="refuse")


def test_none_is_nothing_to_refuse(days_of):
    table = days_of(*(line for line in LINES if line[2] > 0 or line[1] > 60))
    refused = rfm_summary(table, as_of=AS_OF, returns="refuse")
    assert refused.attrs["returns"]["lines"] == 0
    assert refused.equals(rfm_summary(table, as_of=AS_OF))


def test_another_setting_is_refused(days_of):
    with pytest.raises(SettingsError, match='returns=\'ignore\' must be "net", "drop" or'):
        rfm_summary(days_of(*LINES), as_of=AS_OF, returns="ignore")
