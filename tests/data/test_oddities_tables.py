"""What is said of ids, clocks, currencies, units and signs; nothing of it loses a row."""

import tomllib

import pytest

from patronage.errors import DataError

HEADER = "customer_id,timestamp,amount\n"
DAY = "a,2024-01-01,1\n"


def test_ids_that_collide_when_blanks_are_cut_are_told(read):
    ledger = read(
        HEADER + '" 7",2024-01-01,1\n7,2024-01-01,1\n"7\t",2024-01-01,1\n" 8",2024-01-01,1\n'
    )
    assert ledger.n_customers == 2
    assert ledger.warnings == [
        "one customer_id is written in several ways that differ only in blanks, such as ' 7' and "
        "'7'; they are taken as one customer each (3 rows)"
    ]


@pytest.mark.parametrize("ids", [["007", "7"], ["a", "A"], ["7", "7.0"], ["7", "07"]])
def test_ids_that_differ_in_more_than_blanks_stay_apart(read, ids):
    ledger = read(HEADER + "".join(f"{customer},2024-01-01,1\n" for customer in ids))
    assert ledger.n_customers == 2
    assert ledger.warnings == []


def test_customers_without_a_transaction_are_told_and_kept(read, tmp_path):
    (tmp_path / "events.csv").write_text(
        "customer_id,timestamp,kind\n" + "".join(f"{one},2024-01-01,visit\n" for one in "axyyz")
    )
    ledger = read(HEADER + DAY, tables={"events": {"source": "events.csv"}})
    assert ledger.warnings == [
        "events: 3 of 4 customers (75.0%, 4 rows) have no transaction, such as 'x', 'y', 'z'; "
        "their rows are kept"
    ]
    found = ledger.tables["events"].profile
    assert (found.rows, found.unknown_customers, found.covered) == (5, 3, 1.0)


def test_ids_of_another_kind_are_told(read, tmp_path):
    (tmp_path / "events.csv").write_text("customer_id,timestamp,kind\n1,2024-01-01,visit\n")
    (warning,) = read(HEADER + DAY, tables={"events": {"source": "events.csv"}}).warnings
    assert warning == (
        "events: none of the 1 customers has a transaction; ids here are like '1', in transactions "
        "like 'a': are they the same ids?"
    )


CLOCK = {
    "skipped": (["2024-03-31 02:30"], 1),
    "day alone": (["2024-03-31"], 0),
    "before and after": (["2024-03-31 01:59:59", "2024-03-31 03:00"], 0),
    "repeated": (["2024-10-27 02:30", "2024-10-27 02:30:00.5"], 0),
    "with offset": (["2024-03-31T02:30+01:00", "2024-03-31T02:30Z"], 0),
}


@pytest.mark.parametrize(("times", "warned"), CLOCK.values(), ids=CLOCK.keys())
def test_times_that_the_clock_skipped_are_told_and_kept(read, times, warned):
    text = HEADER + "".join(f"a,{time},1\n" for time in times)
    ledger = read(text, timezone="Europe/Berlin")
    assert ledger.counts.rows_kept == len(times)
    assert len(ledger.warnings) == warned
    if warned:
        assert "skipped, such as 2024-03-31 02:30:00; the times may be" in ledger.warnings[0]


def test_a_midnight_that_was_skipped_is_a_day(read):
    # In São Paulo clocks went from 00:00 to 01:00 on 4 November 2018.
    text = HEADER + "a,2018-11-04,1\nb,2018-11-04 00:30,1\n"
    (warning,) = read(text, timezone="America/Sao_Paulo").warnings
    assert warning.startswith("one timestamp is at a time that the clock of America/Sao_Paulo")


UNITS = {
    "cents in one file": ([12.0, 1200.0, 13.0], ["the median amount in 1.csv is 1,200.00, in"]),
    "cents in most files": (
        [1200.0, 12.0, 1300.0],
        ["the median amount in 1.csv is 12.00, in others 1,200.00"],
    ),
    "a dearer shop": ([12.0, 300.0], []),
    "one file": ([1200.0], []),
}


@pytest.mark.parametrize(("medians", "starts"), UNITS.values(), ids=UNITS.keys())
def test_a_file_in_another_unit_is_told(read, tmp_path, medians, starts):
    for place, median in enumerate(medians):
        lines = "".join(f"k{row},2024-01-01,{median}\n" for row in range(40))
        (tmp_path / f"{place}.csv").write_text(HEADER + lines)
    warnings = read(source="*.csv").warnings
    assert [text[: len(start)] for text, start in zip(warnings, starts, strict=True)] == starts


CURRENCIES = HEADER[:-1] + ",currency\na,2024-01-01,1,EUR\nb,2024-01-01,1,USD\nb,2024-01-01,1,\n"


def test_another_currency_is_told_and_when_named_set_aside(read):
    (warning,) = read(CURRENCIES).warnings
    assert warning.startswith("the source's column 'currency' says USD in one row, yet amounts are")
    named = read(CURRENCIES, columns={"currency": "currency"})
    assert named.counts.reasons == {"currency is not EUR": 1}
    assert named.columns == ("customer_id", "timestamp", "amount")


def test_amounts_with_signs_of_several_currencies_are_told(read):
    ledger = read(HEADER + DAY + "a,2024-01-01,€5\na,2024-01-01,€6\na,2024-01-01,$5\n")
    assert ledger.counts.rows_quarantined == 3
    assert ledger.warnings == [
        "amounts are written in several currencies: € in 2 rows, $ in one row; bring them into one "
        "first"
    ]


def test_the_sign_of_a_currency_comes_off_as_the_message_says(read):
    text = HEADER.replace("amount", "Paid") + "a,2024-01-01,€5\n"
    with pytest.raises(DataError, match="Amounts hold €; take it off") as told:
        read(text, columns={"amount": "Paid"})
    (line,) = str(told.value).splitlines()[-1:]
    amount = tomllib.loads(line[line.index("amount") :])["amount"]
    ledger = read(text, amount=amount)
    assert ledger.transactions.collect("pyarrow")["amount"].to_list() == [5.0]


def test_numbers_that_were_left_empty_are_told(read, rows):
    text = "customer_id,timestamp,amount,quantity\na,2024-01-01,1,2\na,2024-01-01,1,two\n"
    ledger = read(text)
    assert rows(ledger, "quantity") == [(2.0,), (None,)]
    assert ledger.warnings == [
        "values that are no numbers, lost digits as a float or break a rule were left empty: "
        "quantity in one row. To set such rows aside, name the column: "
        '[transactions.columns] quantity = "quantity"'
    ]


def test_numbers_that_break_a_rule_are_empty_unless_the_column_is_named(read, rows):
    text = (
        "customer_id,timestamp,amount,discount,margin\n"
        "a,2024-01-01,1,-2,1\na,2024-01-02,-1,-2,1e16\na,2024-01-03,1,,1\n"
    )
    ledger = read(text)
    assert rows(ledger, "discount", "margin") == [(-2.0, None), (None, 1.0), (None, 1.0)]
    (told,) = (text for text in ledger.warnings if "left empty" in text)
    assert "left empty: discount in one row, margin in one row." in told
    named = read(text, columns={"discount": "discount", "margin": "margin"})
    assert {reason.text for reason in named.reasons} == {
        "discount of a sale is negative",
        "margin is beyond 1e15",
    }


SIGNS = {
    "all returns": (["-1,-1"] * 3, ["all 3 rows are returns"]),
    "mostly returns": (["-1,-1"] * 2 + ["1,1"], ["2 of 3 rows are returns"]),
    "all zero": (["0,1"] * 2, ["all 2 amounts are 0"]),
    "some zero": (["0,1", "1,1"], []),
    "against the quantity": (
        ["1,-1", "5,0", "-1,1", "0,0"],
        ["one row with a negative quantity and a positive amount and one row with quantity 0"],
    ),
}


@pytest.mark.parametrize(("lines", "starts"), SIGNS.values(), ids=SIGNS.keys())
def test_signs_that_look_wrong_are_told_and_kept(read, lines, starts):
    text = "customer_id,timestamp,amount,quantity\n"
    ledger = read(text + "".join(f"k{n},2024-01-01,{line}\n" for n, line in enumerate(lines)))
    assert ledger.counts.rows_kept == len(lines)
    warnings = ledger.warnings
    assert [text[: len(start)] for text, start in zip(warnings, starts, strict=True)] == starts


def test_leap_days_are_days_and_other_29ths_are_not(read):
    ledger = read(HEADER + "a,2024-02-29,1\na,2023-02-29,1\na,2000-02-29,1\na,1900-02-29,1\n")
    assert ledger.counts.rows_kept == 2
    assert ledger.counts.reasons == {"timestamp cannot be read": 2}
