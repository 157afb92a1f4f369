import pytest

from patronage.errors import DataError

HEADER = "Kunde;Datum;Menge;Einzelpreis\n"
MAPPED = {
    "columns": {"customer_id": "Kunde", "timestamp": "Datum"},
    "amount": "Menge * Einzelpreis",
}

HINTS = {
    "decimal comma in an expression": (
        "a;2024-01-31;2;8,93",
        {},
        'Try [transactions] decimal = "," (now ".")',
    ),
    "thousands and decimal comma": ("a;2024-01-31;2;1.008,93", {}, 'decimal = ","'),
    "decimal point where a comma is said": (
        "a;2024-01-31;2;8.93",
        {"decimal": ","},
        'Try [transactions] decimal = "." (now ",")',
    ),
    "dots": (
        "a;31.01.2024 18:05;2;8",
        {},
        'Try [transactions] date_format = "%d.%m.%Y %H:%M" (now ISO 8601)',
    ),
    "undecided": (
        "a;1/2/2024;2;8",
        {"date_format": "%d.%m.%Y"},
        'date_format = "%d/%m/%Y" or "%m/%d/%Y" (now "%d.%m.%Y")',
    ),
    "no known form": (
        "a;soon;2;8",
        {},
        'Say how times are written: [transactions] date_format = "%d/%m/%Y %H:%M" (now ISO 8601)',
    ),
}


@pytest.mark.parametrize(("line", "options", "hint"), HINTS.values(), ids=HINTS.keys())
def test_the_hint_comes_from_the_value(read, line, options, hint):
    with pytest.raises(DataError, match="none of the 1 rows") as told:
        read(f"{HEADER}{line}\n", **MAPPED, **options)
    last = str(told.value).splitlines()[-1]
    assert hint in last
    assert "null" not in last
    assert ("date_format" in hint) == ("date_format" in str(told.value))


def test_words_give_no_hint_about_the_decimal_mark(read):
    with pytest.raises(DataError, match="amount cannot be computed") as told:
        read(f"{HEADER}a;2024-01-31;2;free\n", **MAPPED)
    assert "Try" not in str(told.value)


def test_the_hint_of_an_encoding_is_another_one(read):
    plain = "a;2024-01-01;2;3\n" * 6_000
    ledger = read(f"{HEADER}{plain}Müller;2024-01-01;2;3\n", written_in="cp1252", **MAPPED)
    with pytest.raises(
        DataError, match=r'Try \[transactions\] encoding = "cp1252" \(now "utf-8"\)'
    ):
        ledger.refuse_if_bad(0)


def test_a_format_that_reads_most_times_is_not_to_be_changed(read):
    good = "".join(f"{place};31.12.2024;2;3\n" for place in range(9))
    ledger = read(f"{HEADER}{good}x;2024-01-31;2;3\n", **{**MAPPED, "date_format": "%d.%m.%Y"})
    with pytest.raises(DataError, match="1 x timestamp cannot be read") as refused:
        ledger.refuse_if_bad(0.01)
    assert "date_format" not in str(refused.value)
