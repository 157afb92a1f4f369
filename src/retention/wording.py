"""Amounts and counts as a person says them."""

_NO_DECIMALS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW")
    + ("PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF")
)
_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def currency_decimals(currency: str) -> int:
    """Digits after the decimal point of an amount in the currency, by ISO 4217.

    Examples
    --------
    >>> currency_decimals("EUR"), currency_decimals("JPY")
    (2, 0)
    """
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def money(amount: float, currency: str) -> str:
    """The amount with its currency code.

    Examples
    --------
    >>> money(1234.5, "EUR")
    '1,234.50 EUR'
    """
    decimals = currency_decimals(currency)
    return f"{round(amount, decimals) + 0.0:,.{decimals}f} {currency}"


def plain_number(number: float) -> str:
    """A number that has no unit, as short as it can be understood.

    Examples
    --------
    >>> plain_number(12), plain_number(70.355), plain_number(1234.5), plain_number(0.0125)
    ('12', '70.4', '1,234', '0.0125')
    """
    if number == int(number) or abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:,.3g}"


def chance(share: float) -> str:
    """The share in whole per cent; what is not quite none or all is not said to be.

    Examples
    --------
    >>> chance(0.4), chance(0.999), chance(0.001), chance(1)
    ('40%', '>99%', '<1%', '100%')
    """
    text = f"{share:.0%}"
    if text == "100%" and share < 1:
        return ">99%"
    return "<1%" if text == "0%" and share > 0 else text


def counted(number: int, one: str, many: str | None = None) -> str:
    """The number with its noun.

    Examples
    --------
    >>> counted(1, "day"), counted(2500, "day"), counted(2, "customer leaves", "customers leave")
    ('1 day', '2,500 days', '2 customers leave')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
