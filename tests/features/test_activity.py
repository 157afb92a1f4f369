from datetime import date

import pytest

from patronage.errors import SettingsError
from patronage.features import purchases_between, weekly_purchases


def test_purchases_between_counts_days_from_start_to_before_end(days_of):
    table = days_of(
        ("a", 9, 1), ("a", 10, 2), ("a", 10, 4), ("a", 12, -1), ("a", 20, 8), ("b", 5, 1)
    )
    found = purchases_between(table, start=date(2026, 1, 11), end=date(2026, 1, 21))
    assert found.to_dict("list") == {
        "customer_id": ["a", "b"],
        "purchases": [1, 0],
        "spend": [5, 0],
    }


def test_a_span_that_ends_before_it_starts_is_refused(days_of):
    with pytest.raises(SettingsError, match="end=2026-01-01 must be after start=2026-01-01"):
        purchases_between(days_of(("a", 0, 1)), start=date(2026, 1, 1), end=date(2026, 1, 1))


def test_weeks_run_from_the_first_day_of_the_data_and_are_whole(days_of):
    table = days_of(("a", 0, 1), ("b", 6, 1), ("a", 6, 1), ("a", 21, 1), ("b", 27, 1), ("b", 28, 1))
    weeks = weekly_purchases(table, end=date(2026, 2, 1))
    assert weeks["week_start"].dt.day.tolist() == [1, 8, 15, 22]
    assert weeks["first_purchases"].tolist() == [2, 0, 0, 0]
    assert weeks["repeat_purchases"].tolist() == [1, 0, 0, 2]


def test_less_than_a_week_gives_no_week(days_of):
    assert weekly_purchases(days_of(("a", 0, 1)), end=date(2026, 1, 7)).empty
