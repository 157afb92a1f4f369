from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patronage.errors import SettingsError
from patronage.models import PurchaseSeason
from patronage.models.season_calendar import Clock, SeasonCurve, Terms

CURVE = SeasonCurve(Terms(2), (0.3, -0.2, 0.1, 0.05))
MONTHS = {month: 3.0 if month == 12 else 1.0 for month in range(1, 13)}


def test_a_season_of_the_year_has_mean_one():
    assert CURVE.factors(date(2025, 1, 1), date(2029, 1, 1)).mean() == pytest.approx(1, abs=1e-12)
    given = SeasonCurve(PurchaseSeason(factors=MONTHS).terms())
    assert given.factors(date(2025, 1, 1), date(2029, 1, 1)).mean() == pytest.approx(1, abs=1e-12)
    ratio = given.by_month()[11] / given.by_month()[0]
    assert ratio == pytest.approx(3)


def test_an_event_comes_on_top_of_the_season():
    days = (date(2025, 11, 28), date(2026, 11, 27))
    season = PurchaseSeason(harmonics=1, events={"sale": days})
    curve = SeasonCurve(season.terms(), (0.3, 0.1, np.log(2)))
    without = SeasonCurve(Terms(1), (0.3, 0.1))
    span = date(2025, 1, 1), date(2027, 1, 1)
    ratio = curve.factors(*span) / without.factors(*span)
    assert ratio[ratio > 1].to_dict() == pytest.approx({pd.Timestamp(day): 2 for day in days})


def test_given_days_are_taken_as_they_are():
    factors = pd.Series([0.5, 4.0], index=pd.to_datetime(["2026-05-01", "2026-05-03"]))
    curve = SeasonCurve(PurchaseSeason(factors=factors).terms())
    assert curve.factors(date(2026, 5, 1), date(2026, 5, 5)).tolist() == [0.5, 1, 4, 1]


def test_slopes_are_derivatives():
    days, step = np.arange(20_000, 20_400), 1e-6
    curve = SeasonCurve(Terms(2, events=(("sale", (20_100,)),)), (0.3, -0.2, 0.1, 0.05, 0.7))
    for place in range(5):
        moved = [np.array(curve.coefficients) + sign * step * np.eye(5)[place] for sign in (1, -1)]
        up, down = (SeasonCurve(curve.terms, tuple(m)).log_factors(days) for m in moved)
        slope = curve.with_slopes(days)[1][:, place]
        np.testing.assert_allclose(slope, (up - down) / (2 * step), atol=1e-8)


@given(st.floats(-500, 2_000), st.integers(0, 1_000))
def test_a_clock_can_be_read_both_ways(day, length):
    clock = CURVE.clock(20_000, length)
    assert clock.day(clock.at(20_000 + day)) == pytest.approx(20_000 + day, abs=1e-8)


def test_a_clock_passes_by_the_factor_of_the_day():
    clock = CURVE.clock(20_000, 100)
    factors = np.exp(CURVE.log_factors(np.arange(20_000, 20_100)))
    np.testing.assert_allclose(np.diff(clock.at(20_000 + np.arange(101))), factors, rtol=1e-12)
    assert clock.at(20_000.25) == pytest.approx(factors[0] / 4)
    assert isinstance(clock, Clock)


def test_terms_survive_json():
    for season in (
        PurchaseSeason(harmonics=2, events={"sale": [date(2025, 11, 28)]}),
        PurchaseSeason(factors=MONTHS),
        PurchaseSeason(factors=pd.Series([2.0], index=pd.to_datetime(["2026-05-01"]))),
    ):
        again = PurchaseSeason.from_dict(season.to_dict())
        assert again.terms() == season.terms()
        assert again.learns == season.learns


SERIES = pd.Series([1.0] * 12, index=range(1, 13))
FAULTS = {
    "a month is missing": ({"factors": {1: 1.0}}, r"months 1 to 12; it names \[1\]"),
    "months and days": (
        {"factors": {1: 1.0, date(2025, 1, 1): 2.0}},
        r"names the months 1 to 12; it names \[1, datetime.date\(2025, 1, 1\)\]",
    ),
    "factors of no kind": ({"factors": 2.0}, "mapping that names the months 1 to 12; it is 2.0"),
    "a Series by month": ({"factors": SERIES}, "a day of factors=1 must be a day"),
    "a factor of 0": ({"factors": MONTHS | {3: 0.0}}, "factor of month 3=0.0 must be .* at least"),
    "a factor too small": ({"factors": MONTHS | {3: 1e-4}}, "month 3=0.0001 .* at least 0.001"),
    "a factor too large": ({"factors": MONTHS | {3: 1e4}}, "month 3=10000.0 .* at most 1,000"),
    "a text": ({"factors": MONTHS | {3: "high"}}, "factor of month 3='high' is a str"),
    "a day by itself": (
        {"events": {"sale": date(2025, 11, 28)}},
        r"event 'sale' is datetime.date\(2025, 11, 28\), which is no list of days",
    ),
    "a text of a day": ({"events": {"sale": "2025-11-28"}}, "'2025-11-28', which is no list of"),
    "no day": ({"events": {"sale": [7]}}, "a day of the event 'sale'=7 must be a day"),
    "events without names": ({"events": [1]}, r"events=\[1\] must name each event"),
    "an event without days": ({"events": {"sale": []}}, "event 'sale' has no days"),
    "too many harmonics": ({"harmonics": 13}, "harmonics=13 must be a whole number from 0 to 12"),
    "a day twice": (
        {"factors": pd.Series([1.0, 2.0], index=pd.to_datetime(["2026-05-01"] * 2))},
        "has 1 days twice",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(SettingsError, match=message):
        PurchaseSeason(**arguments).terms()
