from datetime import date
from itertools import pairwise

import pytest

from patronage.errors import DataError, SettingsError
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


RULES = {
    "monthly": ("monthly", ["2025-07-26", "2025-08-26", "2025-09-26"]),
    "weekly": ("weekly", ["2025-09-12", "2025-09-19", "2025-09-26"]),
    "every ten days": (10, ["2025-09-06", "2025-09-16", "2025-09-26"]),
    "given, twice and in any order": (
        [
            date(2025, 9, 26),
            date(2025, 1, 2),
            date(2025, 9, 26),
            date(2025, 3, 3),
            date(2025, 5, 5),
        ],
        ["2025-01-02", "2025-03-03", "2025-05-05", "2025-09-26"],
    ),
}


@pytest.mark.parametrize(("rule", "days"), RULES.values(), ids=RULES.keys())
def test_a_rule_gives_the_newest_cutoffs_and_a_list_all_of_its_own(rule, days):
    found = mature_cutoffs(**YEAR, horizon_days=90, lead_days=7, count=3, rule=rule)
    assert [str(day) for day in found] == days


@pytest.mark.parametrize("rule", ["weekly", 1, 10, 200])
def test_steps_are_even_and_leave_history_and_horizon(rule):
    days = mature_cutoffs(**YEAR, horizon_days=90, count=99, rule=rule)
    step = 7 if rule == "weekly" else rule
    assert {(after - day).days for day, after in pairwise(days)} <= {step}
    assert days[-1] == date(2025, 10, 3)
    assert 0 <= (days[0] - date(2025, 4, 1)).days < step or len(days) == 99


def test_given_cutoffs_that_are_not_mature_are_named():
    message = r"1 of 2 cutoffs is not known yet: 2025-09-27 \(known from 2026-01-02\)"
    with pytest.raises(DataError, match=message):
        mature_cutoffs(
            **YEAR,
            horizon_days=90,
            lead_days=7,
            count=24,
            rule=[date(2025, 9, 26), date(2025, 9, 27)],
        )


def test_given_cutoffs_without_a_day_before_them_are_named():
    rule = [date(2025, 1, 1), date(2024, 7, 1), date(2025, 1, 2)]
    message = "2 of 3 cutoffs are too early: 2024-07-01, 2025-01-01. The earliest .* is 2025-01-02"
    with pytest.raises(DataError, match=message):
        mature_cutoffs(**YEAR, horizon_days=90, count=24, rule=rule)


def test_given_cutoffs_need_the_history_that_is_asked_for():
    with pytest.raises(DataError, match="1 of 1 cutoffs are too early: 2025-04-10. .* 2025-04-11"):
        mature_cutoffs(
            **YEAR, horizon_days=90, count=24, min_history_days=100, rule=[date(2025, 4, 10)]
        )


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("yearly", "cutoffs = 'yearly' is no rule"),
        (0, "cutoffs = 0 is no rule"),
        ([], "the list of cutoffs is empty"),
    ],
)
def test_other_rules_are_refused(rule, message):
    with pytest.raises(SettingsError, match=message):
        mature_cutoffs(**YEAR, horizon_days=90, count=3, rule=rule)
