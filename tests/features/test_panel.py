from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError
from patronage.features import FEATURES, build_panel, catalogue_markdown, customer_days, features_of
from patronage.features.catalogue import FAMILIES, families_left_out
from patronage.features.customer_tables import CustomerTables
from patronage.features.grid import Grid

NAMES = [feature.name for feature in FEATURES]
AS_OF = date(2026, 4, 11)
"""One hundred days after 1 January."""


def features(table, **arguments):
    panel = build_panel(table, cutoffs=[AS_OF], **arguments)
    return panel.iloc[0]


def test_columns_are_keys_then_the_catalogue_in_order(days_of):
    table = days_of(("a", 0, 1))
    panel = build_panel(table, cutoffs=[AS_OF])
    names = [feature.name for feature in features_of(table)]
    assert panel.columns.tolist() == ["customer_id", "as_of", "eligible", *names]
    assert names == [name for name in NAMES if name in names]
    assert panel["as_of"].dtype == "datetime64[s]"
    assert panel["eligible"].dtype == bool
    assert set(panel[names].dtypes) == {np.dtype("float64")}


def test_the_catalogue_explains_every_feature_once():
    assert len(set(NAMES)) == len(NAMES)
    table = catalogue_markdown()
    assert all(table.count(f"| `{feature.name}` |") == 1 for feature in FEATURES)
    assert all(feature.meaning.endswith(".") and feature.plain for feature in FEATURES)


def test_a_window_and_what_null_means_are_told():
    rows = {
        line.split("|")[1].strip(" `"): line.split("|") for line in catalogue_markdown().split("\n")
    }
    cells = {name: (row[4].strip(), row[6].strip()) for name, row in rows.items()}
    assert cells["frequency"] == ("", "never")
    assert cells["spend_90"] == ("90 d", "never")
    assert cells["season_spend_30"] == ("365 d", "where the data do not reach back a year")
    named = {f.name: int(f.name.rpartition("_")[2]) for f in FEATURES if f.name[-2:].isdigit()}
    looks_back = {f.name: f.window for f in FEATURES}
    assert all((looks_back[name] or 0) >= days for name, days in named.items())


def test_every_family_of_days_computes_what_it_lists(days_of):
    grid = Grid.of(days_of(("a", 0, 1), ("a", 5, 1)), [AS_OF])
    for family in FAMILIES:
        if family.needs is not None:
            continue
        assert list(family.compute(grid)) == [feature.name for feature in family.features]
        assert {feature.family for feature in family.features} == {family.name}


def test_what_is_left_out_is_said_with_its_reason(days_of):
    left_out = families_left_out(CustomerTables(days_of(("a", 0, 1))))
    assert left_out["survey"] == "there is no table [surveys]"
    assert left_out["breadth"] == "transactions have no column category"
    assert left_out["channel"] == "transactions have no column channel"
    assert set(left_out) == {family.name for family in FAMILIES if family.needs}


# Days of purchase and what is then expected of (frequency, recency, T, days_since_last).
TIMES = {
    "one purchase": ([(0, 5)], (0, 0, 100, 100)),
    "two on one day": ([(0, 5), (0, 6)], (0, 0, 100, 100)),
    "two days": ([(0, 5), (10, 5)], (1, 10, 100, 90)),
    "return first": ([(0, -5), (10, 5)], (0, 0, 90, 90)),
    "return last": ([(0, 5), (10, -5)], (0, 0, 100, 100)),
    "a free line is a purchase": ([(0, 5), (10, 0)], (1, 10, 100, 90)),
    "purchase on the day before as_of": ([(0, 5), (99, 5)], (1, 99, 100, 1)),
    "purchase on as_of": ([(0, 5), (100, 5)], (0, 0, 100, 100)),
}


@pytest.mark.parametrize(("lines", "expected"), TIMES.values(), ids=TIMES.keys())
def test_times_count_purchase_days_before_as_of(days_of, lines, expected):
    row = features(days_of(*(("a", day, amount) for day, amount in lines)))
    assert tuple(row[["frequency", "recency", "T", "days_since_last"]]) == expected


def test_who_only_returned_has_no_row(days_of):
    panel = build_panel(days_of(("a", 0, -5), ("b", 0, 5)), cutoffs=[AS_OF])
    assert panel["customer_id"].tolist() == ["b"]


def test_who_buys_first_on_as_of_has_no_row(days_of):
    panel = build_panel(days_of(("a", 100, 5), ("b", 99, 5)), cutoffs=[AS_OF])
    assert panel["customer_id"].tolist() == ["b"]


def test_exactly_active_days_ago_is_still_eligible(days_of):
    table = days_of(("a", 40, 5), ("b", 39, 5), ("c", 41, 5))
    panel = build_panel(table, cutoffs=[AS_OF], active_days=60)
    assert panel["eligible"].tolist() == [True, False, True]
    kept = build_panel(table, cutoffs=[AS_OF], active_days=60, eligible_only=True)
    pd.testing.assert_frame_equal(kept, panel[panel["eligible"]].reset_index(drop=True))


def test_a_later_return_counts_against_the_purchase_before_it(days_of):
    lines = [("a", 0, 100), ("a", 5, -30), ("a", 10, 50), ("a", 12, -20), ("a", 20, 10)]
    row = features(days_of(*lines))
    assert row["monetary_value"] == pytest.approx((50 - 20 + 10) / 2)
    assert row["total_spend"] == 110


def test_own_rhythm(days_of):
    row = features(days_of(*(("a", day, 1) for day in (0, 10, 14, 44, 50))))
    gaps = np.array([10, 4, 30, 6])
    expected = {
        "usual_gap_days": 8,
        "gap_mean": 12.5,
        "gap_sd": gaps.std(ddof=1),
        "gap_cv": gaps.std(ddof=1) / 12.5,
        "gap_max": 30,
        "gap_last": 6,
        "expected_gap_days": (4 * 8 + 100 / 5) / 5,
        "overdue_ratio": 50 / 10.4,
        "away_to_max_gap": 50 / 30,
        "last_gap_ratio": 6 / 8,
        "gap_trend": np.polyfit([1, 2, 3, 4], gaps, 1)[0] / 12.5,
        "slow_gaps": 1,
        "days_to_second": 10,
    }
    assert row[list(expected)].to_dict() == pytest.approx(expected)


def test_one_time_buyers_have_no_gaps_but_an_expected_one(days_of):
    row = features(days_of(("a", 0, 1)))
    undefined = ["usual_gap_days", "gap_mean", "gap_max", "gap_last", "slow_gaps", "gap_trend"]
    assert row[undefined].isna().all()
    assert (row["expected_gap_days"], row["overdue_ratio"]) == (100, 1)


def test_steady_gaps_have_no_spread_and_no_trend(days_of):
    row = features(days_of(*(("a", 7 * week, 9.99) for week in range(10))))
    flat = ["gap_sd", "gap_trend", "weekday_entropy", "basket_sd", "slow_gaps"]
    assert row[flat].tolist() == pytest.approx([0] * 5, abs=1e-12)
    assert row["weekday_top_share"] == 1


def test_windows_end_before_as_of_and_begin_on_their_first_day(days_of):
    row = features(days_of(("a", 0, 1), ("a", 93, 2), ("a", 92, 4), ("a", 99, 8), ("a", 100, 16)))
    assert row[["purchase_days_7", "spend_7"]].tolist() == [2, 10]
    assert row[["purchase_days_30", "spend_30"]].tolist() == [3, 14]


def test_trends_compare_a_window_with_the_one_before(days_of):
    row = features(days_of(("a", 45, 4), ("a", 50, 2), ("a", 75, 6)))
    assert row["purchase_trend_30"] == 1.5 / 2.5
    assert row["spend_trend_30"] == (6 + 2) / (6 + 2)
    assert row["late_half_share"] == 0.5


def test_last_year_shows_what_followed_the_same_day(days_of):
    table = days_of(("a", 0, 1), ("a", 100, 2), ("a", 129, 4), ("a", 130, 8), ("a", 400, 16))
    panel = build_panel(table, cutoffs=[AS_OF + timedelta(days=365)])
    season = [f"season_{what}_{span}" for what in ("purchase_days", "spend") for span in (30, 90)]
    assert panel[season].iloc[0].tolist() == [2, 3, 6, 14]


def test_last_year_is_unknown_where_the_data_do_not_reach_back(days_of):
    table = days_of(("a", 0, 1))
    panel = build_panel(table, cutoffs=[date(2026, 12, 31), date(2027, 1, 1)])
    assert panel["season_spend_30"].isna().tolist() == [True, False]
    assert panel["history_days"].tolist() == [364, 365]


def test_pace_is_told_per_thirty_days(days_of):
    row = features(days_of(("a", 0, 1), ("a", 20, 1), ("a", 25, 1)))
    assert row["purchase_rate"] == pytest.approx(30 * 2 / 100)
    assert row["active_share"] == pytest.approx(25 / 100)
    assert row["purchase_acceleration"] == pytest.approx(30 * (2 / 90 - 3 / 100))


def test_the_time_of_the_year_is_a_point_on_a_circle(days_of):
    cutoffs = [date(2027, 1, 1), date(2027, 4, 2), date(2027, 7, 2)]
    panel = build_panel(days_of(("a", 0, 1)), cutoffs=cutoffs)
    assert panel["as_of_sin"].tolist() == pytest.approx([0, 1, 0], abs=0.02)
    assert panel["as_of_cos"].tolist() == pytest.approx([1, 0, -1], abs=0.02)


def test_optional_measures_describe_the_basket_and_its_price(ledger):
    lines = ledger(("a", 0, 30), ("a", 50, 60), ("a", 50, 10)).assign(
        order_id=["o1", "o2", "o3"],
        product_id=["p1", "p1", "p2"],
        category=["c1", "c1", "c1"],
        quantity=[3, 1, 1],
        margin=[10.0, 20.0, 5.0],
        discount=[0.0, 20.0, 5.0],
    )
    expected = {
        "orders_per_day": 1.5,
        "products_per_day": 1.5,
        "categories_per_day": 1,
        "new_product_rate": 0.5,
        "unit_price": 20,
        "units_90": 2,
        "units_365": 5,
        "discount_share": 25 / 125,
        "discount_share_90": 25 / 95,
        "margin_share": 0.35,
        "basket_max": 70,
        "basket_last_ratio": 1.4,
    }
    row = features(customer_days(lines))
    assert row[list(expected)].to_dict() == pytest.approx(expected)


def test_returns_are_shares_of_value_bought(days_of):
    row = features(days_of(("a", 0, 80), ("a", 0, -10), ("a", 60, 20), ("a", 70, -40)))
    returns = ["return_share", "return_share_90", "return_lines", "days_since_return"]
    assert row[returns].tolist() == [0.5, 2.0, 2, 30]
    assert row["returned_after_last"] == 1


def test_measures_without_a_source_are_empty(days_of):
    row = features(days_of(("a", 0, 80), ("a", 1, 10)))
    absent = ["units_90", "unit_price", "products_per_day", "new_product_rate", "discount_share"]
    assert row[[*absent, "discount_share_90", "margin_share", "categories_per_day"]].isna().all()


def test_purchases_on_one_day_of_the_month_are_concentrated(days_of):
    same = features(days_of(("a", 0, 1), ("a", 31, 1), ("a", 59, 1)))
    spread = features(days_of(("a", 0, 1), ("a", 10, 1), ("a", 21, 1)))
    assert same["month_concentration"] == pytest.approx(1)
    assert spread["month_concentration"] < 0.05


def test_cutoffs_before_the_first_purchase_are_refused_by_date(days_of):
    message = r"before a cutoff \(2025-12-01, 2026-01-01\); the data cover 2026-01-01 to 2026-01-03"
    with pytest.raises(DataError, match=message):
        build_panel(
            days_of(("a", 0, 1), ("a", 2, 1)), cutoffs=[date(2026, 1, 1), date(2025, 12, 1)]
        )
