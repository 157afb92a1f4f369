"""Figures against hand and scipy; a planted drift is named; without drift there is no alarm."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from patronage.config import MonitorSection
from patronage.tracking.alarms import drift_alarms
from patronage.tracking.column_profile import ColumnProfile, CutoffProfile
from patronage.tracking.drift import feature_drift, follows_course, score_drift
from patronage.tracking.reference import Reference
from patronage.tracking.stability import (
    adjusted,
    homogeneity,
    kolmogorov_smirnov,
    population_stability_index,
)

LIMITS = MonitorSection()
AS_OF = date(2026, 3, 1)
CUTOFFS = [date(2025, 7, 1) + timedelta(days=30 * n) for n in range(6)]


def test_stability_index_by_hand():
    # (.25-.5)ln(.25/.5) + (.75-.5)ln(.75/.5) = .25 ln 2 + .25 ln 1.5 = 0.27465
    then, now = np.array([50.0, 50.0]), np.array([25.0, 75.0])
    assert population_stability_index(then, now) == pytest.approx(0.25 * np.log(3), rel=1e-12)


def test_an_empty_bin_counts_as_half_a_row():
    then, now = np.array([100.0, 0.0, 0.0]), np.array([50.0, 50.0, 0.0])
    by_hand = (0.5 - 1.0) * np.log(0.5) + (0.5 - 0.005) * np.log(0.5 / 0.005)
    assert population_stability_index(then, now) == pytest.approx(by_hand, rel=1e-12)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=12), st.integers(2, 9))
def test_stability_index_is_zero_for_equal_shares_and_symmetric(counts, times):
    then = np.array(counts, dtype=float)
    assert population_stability_index(then, then * times) == pytest.approx(0, abs=1e-12)
    there = population_stability_index(then, then[::-1])
    assert there >= 0
    assert there == pytest.approx(population_stability_index(then[::-1], then), abs=1e-12)


def test_ks_of_few_values_is_that_of_scipy():
    rng = np.random.default_rng(2)
    then, now = rng.integers(0, 12, 900).astype(float), rng.integers(1, 13, 400).astype(float)
    profile = ColumnProfile.of(pd.Series(then))
    distance, p = kolmogorov_smirnov(profile, pd.Series(now), n_then=900)
    peer = ks_2samp(then, now, method="asymp")
    assert distance == pytest.approx(peer.statistic, abs=1e-12)
    assert p == pytest.approx(peer.pvalue, rel=1e-6)


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_ks_of_many_values_is_at_most_a_hundredth_below_that_of_scipy(shift):
    rng = np.random.default_rng(3)
    then, now = rng.normal(size=20_000), rng.normal(shift, size=5_000)
    profile = ColumnProfile.of(pd.Series(then))
    distance, _ = kolmogorov_smirnov(profile, pd.Series(now), n_then=len(then))
    exact = ks_2samp(then, now).statistic
    assert exact - 0.01 <= distance <= exact


def test_ks_leaves_nulls_out_on_both_sides():
    then = pd.Series([1.0, 2.0, 3.0, np.nan] * 50)
    distance, p = kolmogorov_smirnov(ColumnProfile.of(then), then.dropna(), n_then=200)
    assert (distance, p) == (0.0, 1.0)


def test_correction_for_many_tests_by_hand():
    # Sorted p x n / rank, running minimum from the end.
    found = adjusted(np.array([0.01, 0.04, 0.03, 0.005]))
    assert found.tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_chi_square_by_hand():
    # Expected 30 in each cell of (20, 40; 40, 20): chi2 = 4 x 100/30 = 13.33, one degree.
    assert homogeneity(np.array([20.0, 40.0]), np.array([40.0, 20.0])) == pytest.approx(
        0.000261, rel=1e-2
    )
    assert homogeneity(np.array([20.0, 0.0]), np.array([40.0, 0.0])) == 1.0


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=300),
    st.integers(0, 5),
)
def test_shares_of_a_profile_are_those_of_its_own_rows(values, repeats):
    column = pd.Series([*values, *[7.0] * repeats], dtype=float)
    profile = ColumnProfile.of(column)
    assert profile.counts(column) / len(column) == pytest.approx(profile.bin_shares, abs=1e-9)
    again = ColumnProfile.from_dict(profile.to_dict())
    assert again.bin_shares == pytest.approx(profile.bin_shares, abs=1e-5)


def test_a_text_has_a_bin_for_each_frequent_value_one_for_others_and_one_for_null():
    column = pd.Series(["a"] * 150 + ["b"] * 149 + ["rare"] + [None] * 100, dtype=object)
    profile = ColumnProfile.of(column)
    assert profile.frequent == ["a", "b"]
    assert profile.counts(column).tolist() == [150, 149, 1, 100]
    assert profile.bin_shares == pytest.approx(np.array([150, 149, 1, 100]) / 400)
    assert profile.level(column) is None


def test_infinite_numbers_count_as_null():
    profile = ColumnProfile.of(pd.Series([1.0, np.inf, np.nan, 2.0]))
    assert profile.null_share == 0.5


def make_rows(rng, n, shift=0.0):
    return pd.DataFrame(
        {f"f{place}": rng.normal(size=n) + shift * (place == 0) for place in range(18)}
        | {
            "often_null": np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
            "city": rng.choice(["Bonn", "Linz", "Graz"], n, p=[0.6, 0.3, 0.1]),
        }
    )


def make_reference(rng, n=2_000, trend=0.0):
    """Six cutoffs of the same customers; f1 moves with time by `trend` at each."""
    days = [make_rows(rng, n).assign(f1=lambda t, k=k: t["f1"] + trend * k) for k in range(6)]
    rows = pd.concat(days, ignore_index=True)
    columns = {}
    for name in rows:
        profile = ColumnProfile.of(rows[name])
        then = profile.counts(rows[name])
        cutoffs = [
            CutoffProfile(
                psi=population_stability_index(then, profile.counts(day[name])),
                level=profile.level(day[name]),
                null_share=float(day[name].isna().mean()),
            )
            for day in days
        ]
        columns[name] = replace(profile, cutoffs=cutoffs)
    scores = pd.Series(rng.beta(2, 3, n))
    return Reference(
        rows=len(rows),
        customers=n,
        cutoffs=CUTOFFS,
        columns=columns,
        importance=dict.fromkeys(columns, 1 / len(columns)),
        scores=ColumnProfile.of(scores),
        score_rows=n,
        test={"log_loss": 0.5},
    )


def alarms_of(reference, rows, p_churn, customers=None):
    features = feature_drift(reference, rows, as_of=AS_OF)
    scores = score_drift(reference, p_churn, as_of=AS_OF)
    return list(drift_alarms(scores, features, LIMITS, customers=customers or len(rows)))


@pytest.fixture(scope="module")
def reference():
    return make_reference(np.random.default_rng(1))


def test_a_planted_drift_is_named_and_nothing_else(reference):
    rng = np.random.default_rng(9)
    (alarm,) = alarms_of(reference, make_rows(rng, 500, shift=1.0), pd.Series(rng.beta(2, 3, 500)))
    assert (alarm.kind, alarm.names) == ("features", ("f0",))
    assert "1 feature that the model leans on drifted: f0 (PSI " in alarm.text


def test_drifted_scores_are_named(reference):
    rng = np.random.default_rng(9)
    (alarm,) = alarms_of(reference, make_rows(rng, 500), pd.Series(rng.beta(4, 2, 500)))
    assert (alarm.kind, alarm.names) == ("scores", ("p_churn",))


def test_a_source_that_broke_is_named_by_its_nulls(reference):
    rng = np.random.default_rng(9)
    rows = make_rows(rng, 500).assign(f3=np.nan)
    alarms = alarms_of(reference, rows, pd.Series(rng.beta(2, 3, 500)))
    assert {"nulls": ("f3",)}.items() <= {alarm.kind: alarm.names for alarm in alarms}.items()
    assert "f3 (0% then, 100% now)" in next(a.text for a in alarms if a.kind == "nulls")


def test_unseen_categories_are_named(reference):
    rng = np.random.default_rng(9)
    rows = make_rows(rng, 500)
    rows.loc[:49, "city"] = "Wien"
    alarms = alarms_of(reference, rows, pd.Series(rng.beta(2, 3, 500)))
    (alarm,) = [one for one in alarms if one.kind == "categories"]
    assert alarm.names == ("city",)
    assert "city (10%: Wien)" in alarm.text


def test_a_feature_that_does_not_matter_raises_no_alarm(reference):
    rng = np.random.default_rng(9)
    light = replace(reference, importance=reference.importance | {"f0": 0.001})
    rows = make_rows(rng, 500, shift=1.0)
    assert alarms_of(light, rows, pd.Series(rng.beta(2, 3, 500))) == []


def test_few_customers_raise_no_alarm(reference):
    rng = np.random.default_rng(9)
    assert alarms_of(reference, make_rows(rng, 99, shift=3.0), pd.Series(np.ones(99))) == []


def test_without_drift_there_is_no_alarm(reference):
    false = 0
    for seed in range(200):
        rng = np.random.default_rng(1000 + seed)
        false += bool(alarms_of(reference, make_rows(rng, 500), pd.Series(rng.beta(2, 3, 500))))
    assert false == 0


def test_what_moved_with_time_may_go_on_and_a_break_is_still_seen():
    rng = np.random.default_rng(4)
    moving = make_reference(rng, trend=0.4)
    p_churn = pd.Series(rng.beta(2, 3, 500))
    later = make_rows(rng, 500).assign(f1=lambda t: t["f1"] + 0.4 * 8)
    drift = {one.name: one for one in feature_drift(moving, later, as_of=AS_OF)}
    assert drift["f1"].psi > LIMITS.psi
    assert drift["f1"].on_course
    assert alarms_of(moving, later, p_churn) == []
    broken = later.assign(f1=later["f1"] - 10)
    (alarm,) = alarms_of(moving, broken, p_churn)
    assert alarm.names == ("f1",)


def test_a_season_that_training_held_is_no_news(reference):
    rng = np.random.default_rng(9)
    profile = reference.columns["f0"]
    winter = [replace(profile.cutoffs[0], psi=9.0), *profile.cutoffs[1:]]
    columns = reference.columns | {"f0": replace(profile, cutoffs=winter)}
    seasonal = replace(reference, columns=columns)
    assert alarms_of(seasonal, make_rows(rng, 500, 1.0), pd.Series(rng.beta(2, 3, 500))) == []


COURSES = {
    "goes on": ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.7, True),
    "levels off": ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.61, True),
    "turns back": ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.3, False),
    "leaps": ([0.1, 0.12, 0.14, 0.16, 0.18, 0.2], 0.9, False),
    "never moved": ([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 0.5, False),
    "went up and down": ([0.1, 0.6, 0.2, 0.7, 0.1, 0.6], 0.6, False),
    "too few are known": ([0.1, 0.2, 0.3, None, None, None], 0.4, False),
}


@pytest.mark.parametrize(("levels", "now", "goes_on"), COURSES.values(), ids=COURSES.keys())
def test_course(levels, now, goes_on):
    assert follows_course(levels, CUTOFFS, now, AS_OF) is goes_on


def test_a_reference_survives_json(reference):
    text = json.dumps(reference.to_dict(), allow_nan=False)
    again = Reference.from_dict(json.loads(text))
    assert again.cutoffs == reference.cutoffs
    assert json.dumps(again.to_dict()) == text
