from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patronage.models.time_folds import mature_at, time_ordered_folds

MONTHS = [date(2010, month, 10) for month in range(5, 12)]
days = st.dates(date(2000, 1, 1), date(2010, 1, 1))


def test_a_cutoff_is_mature_on_the_day_its_label_window_ends():
    assert mature_at(MONTHS, day=date(2010, 8, 8), label_days=90) == (date(2010, 5, 10),)
    assert mature_at(MONTHS, day=date(2010, 8, 7), label_days=90) == ()


def test_folds_are_the_newest_and_oldest_first():
    folds = time_ordered_folds(MONTHS, label_days=90, count=2)
    assert [fold.judge for fold in folds] == [date(2010, 10, 10), date(2010, 11, 10)]
    assert folds[-1].train == tuple(MONTHS[:4])


@given(st.lists(days, max_size=12), st.integers(1, 400), st.integers(1, 5))
def test_no_training_label_reaches_past_the_judging_cutoff(cutoffs, label_days, count):
    for fold in time_ordered_folds(cutoffs, label_days=label_days, count=count):
        assert fold.train
        assert max(fold.train) + timedelta(days=label_days) <= fold.judge


@pytest.mark.parametrize("cutoffs", [[], MONTHS[:1], MONTHS[:3]])
def test_too_short_a_history_gives_no_fold(cutoffs):
    assert time_ordered_folds(cutoffs, label_days=90, count=3) == ()
