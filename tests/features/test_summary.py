import importlib.util
import warnings
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from patronage.errors import DataError, SettingsError
from patronage.features import customer_days, day_table, rfm_summary

LIFETIMES = Path(importlib.util.find_spec("lifetimes").origin).parent
OPTIONS = {
    "days": ({}, {}),
    "days divided by 7": ({"freq_multiplier": 7}, {"time_unit": "W"}),
    "calendar weeks": ({"freq": "W"}, {"period": "W"}),
}
MONDAY, WEDNESDAY, SUNDAY = date(1997, 9, 29), date(1997, 10, 1), date(1998, 7, 5)


@pytest.fixture(scope="module")
def cdnow():
    """All 69,659 transactions of CDNOW's master file, which ships with lifetimes."""
    frame = pd.read_csv(
        LIFETIMES / "datasets" / "CDNOW_master.txt",
        sep=r"\s+",
        skiprows=1,
        names=["customer_id", "timestamp", "cds", "amount"],
        dtype={"customer_id": "str", "timestamp": "str"},
    )
    assert len(frame) == 69_659
    return frame.assign(timestamp=pd.to_datetime(frame["timestamp"], format="%Y%m%d"))


@pytest.fixture(scope="module")
def cdnow_days(cdnow):
    return day_table(customer_days(cdnow))


def of_lifetimes(transactions, as_of, **options):
    seen = transactions[transactions["timestamp"] < pd.Timestamp(as_of)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it sets deprecated pandas options when imported
        from lifetimes.utils import summary_data_from_transaction_data

        return summary_data_from_transaction_data(
            seen,
            "customer_id",
            "timestamp",
            "amount",
            observation_period_end=pd.Timestamp(as_of),
            **options,
        ).sort_index()


@pytest.mark.parametrize("as_of", [MONDAY, WEDNESDAY, SUNDAY], ids=str)
@pytest.mark.parametrize(("theirs", "ours"), OPTIONS.values(), ids=OPTIONS.keys())
def test_summary_equals_lifetimes_on_cdnow(cdnow, cdnow_days, as_of, theirs, ours):
    summary = rfm_summary(cdnow_days, as_of=as_of, **ours).set_index("customer_id")
    assert (summary.pop("as_of") <= pd.Timestamp(as_of)).all()
    assert list(summary) == ["frequency", "recency", "T", "monetary_value"]
    assert_frame_equal(
        summary, of_lifetimes(cdnow, as_of, **theirs), rtol=1e-12, check_index_type=False
    )


def test_returns_are_netted_against_the_purchase_before_them(days_of):
    lines = [("a", 0, 100), ("a", 5, -30), ("a", 10, 50), ("a", 12, -20), ("a", 20, 10)]
    summary = rfm_summary(days_of(*lines), as_of=date(2026, 2, 1))
    assert summary["monetary_value"].tolist() == [(50 - 20 + 10) / 2]


def test_a_first_purchase_in_the_week_of_as_of_is_no_week_old(days_of):
    # 1 January 2026 is a Thursday: with as_of on Sunday the 4th, T is 0 weeks; on the 5th, 1.
    table = days_of(("a", 0, 1), ("a", 2, 1))
    weeks = [rfm_summary(table, as_of=date(2026, 1, day), period="W") for day in (4, 5)]
    assert [summary["T"].item() for summary in weeks] == [0, 1]
    assert [summary["frequency"].item() for summary in weeks] == [0, 0]


def test_weeks_can_be_told_in_days(days_of):
    table = days_of(("a", 0, 1), ("a", 14, 1))
    summary = rfm_summary(table, as_of=date(2026, 1, 20), period="W", time_unit="D")
    assert summary[["recency", "T"]].to_numpy().tolist() == [[14, 21]]


def test_unknown_units_are_refused(days_of):
    with pytest.raises(SettingsError, match="time_unit='quarter' is not known; use 'h' .hours"):
        rfm_summary(days_of(("a", 0, 1)), as_of=date(2026, 2, 1), time_unit="quarter")
    with pytest.raises(SettingsError, match='period="M" must be "D"'):
        rfm_summary(days_of(("a", 0, 1)), as_of=date(2026, 2, 1), period="M")


def test_recency_and_age_in_months_and_years(days_of):
    table = days_of(("a", 0, 1), ("a", 14, 1))
    in_days, months, years = (
        rfm_summary(table, as_of=date(2026, 1, 20), time_unit=unit)[["recency", "T"]]
        for unit in ("D", "M", "Y")
    )
    pd.testing.assert_frame_equal(months * 365.25 / 12, in_days)
    pd.testing.assert_frame_equal(years * 365.25, in_days)


def test_an_as_of_before_the_first_purchase_is_refused_by_date(days_of):
    with pytest.raises(DataError, match="before as_of 2026-01-01; the data cover 2026-01-01 to"):
        rfm_summary(days_of(("a", 0, 1)), as_of=date(2026, 1, 1))


def test_log_gaps_are_summed_on_request(days_of):
    table = days_of(("a", 0, 1), ("a", 3, 1), ("a", 8, 1), ("a", 9, -1), ("a", 40, 1), ("b", 1, 1))
    summary = rfm_summary(table, as_of=date(2026, 2, 1), gaps=True)
    assert summary["log_gap_sum"].tolist() == pytest.approx([np.log(3) + np.log(5), 0])
    weeks = rfm_summary(table, as_of=date(2026, 2, 1), time_unit="W", gaps=True)
    assert weeks["log_gap_sum"].tolist() == pytest.approx([np.log(3 / 7) + np.log(5 / 7), 0])
    assert "log_gap_sum" not in rfm_summary(table, as_of=date(2026, 2, 1))
