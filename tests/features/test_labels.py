from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patronage.errors import DataError, SettingsError
from patronage.features import build_panel, churn_labels

AS_OF = date(2026, 4, 11)
"""One hundred days after 1 January."""
RULE = {"horizon_days": 30, "lead_days": 10, "active_days": 60, "data_end": date(2026, 5, 21)}

# The window without a purchase is days 110 to 139 after 1 January.
CASES = {
    "never again": ([], 1),
    "on as_of": ([100], 1),
    "on the last day of the lead": ([109], 1),
    "on the first day of the horizon": ([110], 0),
    "on the last day of the horizon": ([139], 0),
    "on the day after the horizon": ([140], 1),
    "in the lead and in the horizon": ([105, 120], 0),
}


@pytest.mark.parametrize(("later", "churned"), CASES.values(), ids=CASES.keys())
def test_churn_is_no_purchase_in_the_horizon_after_the_lead(days_of, later, churned):
    table = days_of(("a", 90, 1), *(("a", day, 1) for day in later))
    assert churn_labels(table, cutoffs=[AS_OF], **RULE)["churned"].tolist() == [churned]


def test_a_return_in_the_horizon_does_not_keep_a_customer(days_of):
    table = days_of(("a", 90, 1), ("a", 120, -1))
    assert churn_labels(table, cutoffs=[AS_OF], **RULE)["churned"].tolist() == [1]


def test_only_the_eligible_have_a_label(days_of):
    table = days_of(("a", 40, 1), ("b", 39, 1), ("c", 100, 1))
    assert churn_labels(table, cutoffs=[AS_OF], **RULE)["customer_id"].tolist() == ["a"]


def test_labels_are_the_eligible_rows_of_the_panel(days_of):
    table = days_of(("b", 90, 1), ("a", 10, 1), ("a", 80, 1), ("c", 70, 1))
    cutoffs = [AS_OF, date(2026, 3, 1), date(2026, 2, 1)]
    labels = churn_labels(table, cutoffs=cutoffs, **RULE)
    panel = build_panel(table, cutoffs=cutoffs, active_days=60, eligible_only=True)
    assert labels[["customer_id", "as_of"]].equals(panel[["customer_id", "as_of"]])
    assert len(labels) == 5


def test_immature_cutoffs_are_named_with_the_day_they_mature(days_of):
    cutoffs = [AS_OF, date(2026, 4, 12), date(2026, 5, 1)]
    message = (
        r"2 of 3 cutoffs is not known yet: 2026-04-12 \(known from 2026-05-22\), "
        r"2026-05-01 \(known from 2026-06-10\). The data end on 2026-05-20; .* is 2026-04-11\."
    )
    with pytest.raises(DataError, match=message):
        churn_labels(days_of(("a", 90, 1)), cutoffs=cutoffs, **RULE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"horizon_days": 0}, "horizon_days=0 must be at least 1"),
        ({"active_days": 0}, "active_days=0 must be at least 1"),
        ({"lead_days": -1}, "lead_days=-1 must be at least 0"),
    ],
)
def test_lengths_out_of_range_are_refused(days_of, wrong, message):
    with pytest.raises(SettingsError, match=message):
        churn_labels(days_of(("a", 90, 1)), cutoffs=[AS_OF], **{**RULE, **wrong})


HORIZONS = {"horizons_days": [30, 10, 45], "lead_days": 10, "active_days": 60}


def test_each_horizon_has_its_label(days_of):
    table = days_of(("a", 90, 1), ("b", 90, 1), ("b", 125, 1), ("c", 90, 1), ("c", 150, 1))
    labels = churn_labels(table, cutoffs=[AS_OF], data_end=date(2026, 12, 1), **HORIZONS)
    assert list(labels) == ["customer_id", "as_of", "churned_30", "churned_10", "churned_45"]
    assert labels["churned_10"].tolist() == [1, 1, 1]
    assert labels["churned_30"].tolist() == [1, 0, 1]
    assert labels["churned_45"].tolist() == [1, 0, 0]


def test_a_horizon_the_data_do_not_decide_is_null_beside_one_they_do(days_of):
    table = days_of(("a", 90, 1), ("b", 90, 1), ("b", 103, 1), ("b", 125, 1))
    earlier = date(2026, 4, 6)
    labels = churn_labels(table, cutoffs=[AS_OF, earlier], data_end=date(2026, 5, 16), **HORIZONS)
    assert labels["churned_10"].tolist() == [1, 1, 1, 1]
    known = labels.set_index(["customer_id", "as_of"])["churned_30"]
    assert known.isna().tolist() == [False, True, False, True]
    assert known.dropna().tolist() == [1, 0]
    assert labels["churned_45"].isna().all()


def test_a_cutoff_at_which_no_horizon_is_decided_is_refused(days_of):
    message = r"1 of 2 cutoffs is not known yet: 2026-04-12 \(known from 2026-05-02\)"
    with pytest.raises(DataError, match=message):
        churn_labels(
            days_of(("a", 90, 1)),
            cutoffs=[AS_OF, date(2026, 4, 12)],
            data_end=date(2026, 5, 1),
            **HORIZONS,
        )


@given(
    lines=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200)), min_size=1),
    horizons=st.lists(st.integers(1, 90), min_size=1, max_size=4, unique=True),
    lead=st.integers(0, 20),
)
def test_labels_are_nested_and_each_is_that_of_its_horizon_alone(days_of, lines, horizons, lead):
    table = days_of(("a", 0, 1), *((who, day, 1) for who, day in lines))
    asked = {"cutoffs": [date(2026, 2, 1), AS_OF], "lead_days": lead, "active_days": 99}
    end = date(2026, 4, 11) + timedelta(days=lead + max(horizons))
    labels = churn_labels(table, horizons_days=horizons, data_end=end, **asked)
    for short, long in pairwise(sorted(horizons)):
        assert (labels[f"churned_{short}"] >= labels[f"churned_{long}"]).all()
    for horizon in horizons:
        alone = churn_labels(table, horizon_days=horizon, data_end=end, **asked)
        assert labels[f"churned_{horizon}"].tolist() == alone["churned"].tolist()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, r"horizon_days=None and horizons_days=\[\]: give one of the two"),
        ({"horizon_days": 5, "horizons_days": [5]}, r"horizon_days=5 and horizons_days=\[5\]"),
        ({"horizons_days": [5, 5]}, r"horizons_days=\[5, 5\] must name .* each once"),
        ({"horizons_days": [5, 0]}, "horizon_days=0 must be at least 1"),
    ],
)
def test_horizons_that_are_none_are_refused(days_of, wrong, message):
    with pytest.raises(SettingsError, match=message):
        churn_labels(
            days_of(("a", 90, 1)),
            cutoffs=[AS_OF],
            data_end=date(2026, 12, 1),
            active_days=60,
            **wrong,
        )
