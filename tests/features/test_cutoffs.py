from datetime import date

import pytest

from patronage.errors import DataError
from patronage.features import mature_cutoffs, monthly_cutoffs

YEAR = {"first_day": date(2025, 1, 1), "data_end": date(2026, 1, 1)}


def test_months_are_clipped_to_their_end_and_return_to_the_day():
    days = monthly_cutoffs(last=date(2024, 3, 31), first=date(2023, 12, 31), count=24)
    assert days == (date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31))


def test_the_newest_cutoff_is_the_last_whose_label_is_known():
    days = mature_cutoffs(**YEAR, horizon_days=90, lead_days=7, count=3)
    assert days[-1] == date(2025, 9, 26)  # 97 days before 1 January 2026
    assert days == (date(2025, 7, 26), date(2025, 8, 26), date(2025, 9, 26))


def test_the_oldest_cutoff_has_its_history():
    days = mature_cutoffs(**YEAR, horizon_days=90, count=24, min_history_days=200)
    assert days[0] == date(2025, 8, 3)
    assert (days[0] - YEAR["first_day"]).days >= 200


def test_the_least_data_that_will_do_give_one_cutoff():
    first, end = date(2025, 1, 1), date(2025, 3, 2)
    assert mature_cutoffs(first_day=first, data_end=end, horizon_days=30, count=24) == (
        date(2025, 1, 31),
    )


def test_data_too_short_for_one_cutoff_are_refused_with_the_days_needed():
    message = (
        "cover 59 days, 2025-01-01 to 2025-02-28; one cutoff needs 67: 30 of history, 7 of lead "
        "and 30 of horizon"
    )
    with pytest.raises(DataError, match=message):
        mature_cutoffs(
            first_day=date(2025, 1, 1),
            data_end=date(2025, 3, 1),
            horizon_days=30,
            lead_days=7,
            count=24,
        )
