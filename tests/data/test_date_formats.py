import duckdb
import pytest

from patronage.data.date_formats import formats_like, guess_date_format

LOOKS = {
    "31.01.2024": ["%d.%m.%Y"],
    "01.02.2024": ["%d.%m.%Y"],
    "1.2.24 9:05": ["%d.%m.%y %H:%M"],
    "31.01.2024, 18:05:10": ["%d.%m.%Y, %H:%M:%S"],
    "31-01-2024T18:05": ["%d-%m-%YT%H:%M"],
    "1/31/2024 6:05 PM": ["%m/%d/%Y %I:%M %p"],
    "1/31/2024 6:05:10.250am": ["%m/%d/%Y %I:%M:%S.%f%p"],
    "31. 1. 2024": ["%d. %m. %Y"],
    "2024.01.31 18:05": ["%Y.%m.%d %H:%M"],
    "1/2/2024": ["%d/%m/%Y", "%m/%d/%Y"],
    "1-2-24 9:05": ["%d-%m-%y %H:%M", "%m-%d-%y %H:%M"],
    "5 Jan 2024": ["%d %b %Y"],
    "05-Jan-24": ["%d-%b-%y"],
    "January 5, 2024 18:05": ["%B %d, %Y %H:%M"],
    "20240131180510": ["%Y%m%d%H%M%S"],
    "45.13.2024": [],
    "31.01.2024 soon": [],
    "yesterday": [],
    "": [],
}


@pytest.mark.parametrize(("value", "formats"), LOOKS.items())
def test_formats_come_from_the_look_of_a_value(value, formats):
    assert formats_like(value) == formats
    for form in formats:
        with duckdb.connect() as connection:
            found = connection.execute("SELECT try_strptime(?, ?)", [value, form]).fetchall()
        assert found[0][0].year == 2024


GUESSES = {
    "ISO": (["2024-01-31", "2024-01-31 18:05", "n/a"], (None, None)),
    "digits": (["20240131", "20240201"], (None, None)),
    "dots": (["01.02.2024", "13.02.2024"], ("%d.%m.%Y", None)),
    "dots with the month first": (["01.02.2024", "02.13.2024"], ("%m.%d.%Y", None)),
    "the month cannot come first": (["01/02/2024", "13/02/2024"], ("%d/%m/%Y", None)),
    "the day cannot come first": (["01/02/2024", "02/13/2024"], ("%m/%d/%Y", None)),
    "undecided": (["12/31/24"] * 9 + ["01/02/2024", "03/04/2024"], ("%d/%m/%Y", "%m/%d/%Y")),
    "both orders would do": (["10/01/2024 9:00"], ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M")),
    "two digits are no year": (["31-01-24", "01-02-24"], ("%d-%m-%y", None)),
    "a bad value decides nothing": (["01/02/2024", "13/02/2024", "?"], ("%d/%m/%Y", None)),
    "nothing": ([], (None, None)),
    "nonsense": (["soon"], (None, None)),
}


@pytest.mark.parametrize(("values", "expected"), GUESSES.values(), ids=GUESSES.keys())
def test_the_format_that_reads_most_values_is_chosen(values, expected):
    with duckdb.connect() as connection:
        guess = guess_date_format(connection, values)
    assert (guess.format, guess.other) == expected


def test_the_share_says_how_many_values_fit():
    with duckdb.connect() as connection:
        assert guess_date_format(connection, ["31.01.2024", "30.01.2024", "x", "y"]).share == 0.5
        assert guess_date_format(connection, ["x"]).share == 0
