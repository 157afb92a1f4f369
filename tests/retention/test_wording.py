import pytest

from patronage.retention.wording import chance, counted, currency_decimals, money


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (12, "EUR", "12.00 EUR"),
        (1234567.891, "USD", "1,234,567.89 USD"),
        (-0.001, "EUR", "0.00 EUR"),
        (-3.5, "GBP", "-3.50 GBP"),
        (1999.6, "JPY", "2,000 JPY"),
        (1.2345, "KWD", "1.234 KWD"),
    ],
)
def test_money_is_said_with_its_currency(amount, currency, text):
    assert money(amount, currency) == text


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("KRW", 0), ("TND", 3)])
def test_decimals_follow_iso_4217(currency, digits):
    assert currency_decimals(currency) == digits


def test_one_is_not_plural():
    assert counted(1, "day") == "1 day"
    assert counted(0, "day") == "0 days"
    assert counted(1200, "customer leaves", "customers leave") == "1,200 customers leave"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.0004, "<1%"), (0.006, "1%"), (0.994, "99%"), (0.9951, ">99%"), (1, "100%")],
)
def test_what_is_nearly_certain_is_not_certain(share, text):
    assert chance(share) == text
