"""What came of scores: labels, figures, intervals, save rate and volume, and their alarms."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from patronage.config import MonitorSection
from patronage.errors import DataError
from patronage.features import customer_tables
from patronage.models.training_panel import LabelRule
from patronage.tracking.alarms import realised_alarms, save_alarms, volume_alarms
from patronage.tracking.realised import ScoredRun, realised, share_interval, slope_error
from patronage.tracking.save_rate import difference_interval, save_rates
from patronage.tracking.volume import Period, RunVolume, change_of_purchases, periods

LIMITS = MonitorSection()
AS_OF = date(2026, 1, 31)
RULE = LabelRule(active_days=60, horizon_days=30, lead_days=5)
RUN = ScoredRun(run_id="r1", as_of=AS_OF, model_version="1", rule=RULE)
END = RUN.matures


def day_table(purchases):
    rows = [(name, pd.Timestamp(day), 10.0) for name, days in purchases.items() for day in days]
    table = pd.DataFrame(rows, columns=["customer_id", "timestamp", "amount"])
    return customer_tables(transactions=table).days


PURCHASES = {
    "stayed": ["2026-01-10", "2026-02-20"],
    "left": ["2026-01-10"],
    "in the lead only": ["2026-01-10", "2026-02-02"],
    "on the first day": ["2026-01-10", "2026-02-05"],
    "after the window": ["2026-01-10", "2026-03-07"],
    "not eligible": ["2025-10-01", "2026-02-20"],
}


def scored(p_churn=0.5):
    names = [*PURCHASES, "gone from the data"]
    return pd.DataFrame({"customer_id": names, "eligible": True, "p_churn": p_churn}).assign(
        eligible=lambda table: table["customer_id"] != "not eligible"
    )


def test_matured_labels_are_judged_by_the_run_s_own_window():
    found = realised(RUN, scored(), day_table(PURCHASES), data_end=END)
    assert (found.n, found.n_unknown) == (5, 1)
    assert found.actual == 3 / 5  # left, in the lead only, after the window
    assert found.predicted == 0.5
    assert found.log_loss == pytest.approx(np.log(2))
    assert found.log_loss_excess == pytest.approx(0, abs=1e-12)
    assert found.brier == 0.25
    assert found.slope is None


def test_a_label_that_has_not_matured_is_refused():
    with pytest.raises(DataError, match="2026-01-31"):
        realised(RUN, scored(), day_table(PURCHASES), data_end=END - timedelta(days=1))


def test_nobody_to_judge():
    strangers = scored().assign(customer_id=[f"x{n}" for n in range(7)])
    assert realised(RUN, strangers, day_table(PURCHASES), data_end=END) is None


def test_treated_customers_are_counted():
    found = realised(
        RUN, scored(), day_table(PURCHASES), data_end=END, treated={"left", "not eligible"}
    )
    assert found.n_treated == 1


def test_all_left_gives_no_ranking():
    only = {"a": ["2026-01-10"], "b": ["2026-01-12"]}
    table = pd.DataFrame({"customer_id": ["a", "b"], "eligible": True, "p_churn": [0.4, 0.9]})
    found = realised(RUN, table, day_table(only), data_end=END)
    assert found.actual == 1
    assert (found.auc, found.slope, found.intercept) == (None, None, None)


def test_interval_of_a_share_is_wilson_s():
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, Wilson's interval.
    assert share_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_interval_of_a_difference_is_newcombe_s():
    # Newcombe (1998), Statistics in Medicine 17, table II: 56/70 - 48/80, method 10.
    assert difference_interval(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_standard_error_of_the_slope_is_its_spread_over_samples():
    rng = np.random.default_rng(1)
    from patronage.models.evaluation import calibration_line

    slopes, errors = [], []
    for _ in range(150):
        p = rng.beta(2, 2, 800)
        churned = (rng.random(800) < p).astype(float)
        slope, _ = calibration_line(churned, p)
        slopes.append(slope)
        errors.append(slope_error(churned, p, slope))
    assert np.mean(errors) == pytest.approx(np.std(slopes), rel=0.15)


def make_realised(true, said, n=4_000, seed=0):
    """Judged customers who leave with probability `true` and were said to with `said`."""
    rng = np.random.default_rng(seed)
    left = rng.random(n) < true
    names = [f"c{place}" for place in range(n)]
    purchases = {
        name: ["2026-01-10"] if gone else ["2026-01-10", "2026-02-20"]
        for name, gone in zip(names, left, strict=True)
    }
    table = pd.DataFrame({"customer_id": names, "eligible": True, "p_churn": said})
    return realised(RUN, table, day_table(purchases), data_end=END)


def test_right_probabilities_raise_no_alarm():
    for seed in range(20):
        p = np.random.default_rng(seed).beta(2, 2, 1_000)
        assert list(realised_alarms(make_realised(p, p, 1_000, seed), LIMITS)) == []


def test_probabilities_that_are_too_low_raise_an_alarm():
    p = np.random.default_rng(1).beta(2, 2, 4_000)
    (alarm,) = realised_alarms(make_realised(np.clip(p + 0.1, 0, 1), p), LIMITS)
    assert alarm.kind == "realised"
    assert "as of 2026-01-31 (model 1, 4,000 customers): " in alarm.text
    assert "were said to leave" in alarm.text


def test_bold_probabilities_raise_alarms_of_slope_and_log_loss():
    p = np.random.default_rng(1).beta(2, 2, 4_000)
    bold = 1 / (1 + np.exp(-4 * np.log(p / (1 - p))))
    texts = [alarm.text for alarm in realised_alarms(make_realised(p, bold), LIMITS)]
    assert len(texts) == 2
    assert "log loss" in texts[0]
    assert "too bold" in texts[1]


def test_hindsight_and_few_customers_raise_no_alarm():
    p = np.random.default_rng(1).beta(2, 2, 4_000)
    bad = make_realised(p, 1 - p)
    assert list(realised_alarms(bad, LIMITS))
    assert list(realised_alarms(replace(bad, hindsight=True), LIMITS)) == []
    assert list(realised_alarms(replace(bad, n=99), LIMITS)) == []


def outcomes_of(arms, list_id="r1"):
    rows = [(name, list_id, "call", arm, "answered", 2.0) for name, arm in arms.items()]
    columns = ["customer_id", "list_id", "action", "arm", "outcome", "cost"]
    return pd.DataFrame(rows, columns=columns)


def test_save_rate_compares_the_arms():
    arms = {"stayed": "treat", "left": "control", "on the first day": "treat"}
    table = outcomes_of(arms | {"after the window": "control"})
    (found,) = save_rates(table, {"r1": RUN}, day_table(PURCHASES), data_end=END)
    assert (found.treated_stayed, found.treated) == (2, 2)
    assert (found.control_stayed, found.control) == (0, 2)
    assert found.difference == 1.0
    assert found.cost == 8.0
    assert found.told == {"answered": 4}


def test_without_a_control_group_there_is_no_difference():
    table = outcomes_of({"stayed": "treat", "left": "treat"})
    (found,) = save_rates(table, {"r1": RUN}, day_table(PURCHASES), data_end=END)
    assert (found.treated_stayed, found.treated, found.difference) == (1, 2, None)


def test_a_list_before_its_label_and_one_of_no_known_run():
    table = pd.concat([outcomes_of({"stayed": "treat"}), outcomes_of({"left": "treat"}, "other")])
    before = END - timedelta(days=1)
    known, other = save_rates(table, {"r1": RUN}, day_table(PURCHASES), data_end=before)
    assert (known.list_id, known.matured, known.treated) == ("r1", False, 0)
    assert (other.list_id, other.as_of) == ("other", None)


def test_contacting_that_drives_customers_away_is_an_alarm():
    arms = {f"c{n}": "treat" if n < 100 else "control" for n in range(200)}
    purchases = {
        name: ["2026-01-10"] if arm == "treat" else ["2026-01-10", "2026-02-20"]
        for name, arm in arms.items()
    }
    lists = save_rates(outcomes_of(arms), {"r1": RUN}, day_table(purchases), data_end=END)
    (alarm,) = save_alarms(lists)
    assert "0 of 100 treated stayed, 100 of 100 in the control group" in alarm.text


def test_periods_of_four_weeks_end_with_the_data():
    days = day_table({"a": ["2026-01-01", "2026-02-10", "2026-02-26"], "b": ["2026-02-11"]})
    found = periods(days, end=date(2026, 2, 26))
    assert [one.end for one in found] == [date(2026, 1, 29), date(2026, 2, 26)]
    assert [one.purchase_days for one in found] == [1, 2]
    assert [one.customers for one in found] == [1, 2]
    assert [one.new_customers for one in found] == [1, 1]


def make_periods(counts):
    return [
        Period(end=AS_OF, purchase_days=count, customers=count, new_customers=0) for count in counts
    ]


VOLUMES = {
    "steady": ([100] * 8, 0.0),
    "halved": ([100, 100, 100, 50], -0.5),
    "a season of last year explains it": ([300] + [100] * 12 + [300], 0.0),
    "too few periods": ([100, 50, 20], None),
    "nothing usual": ([0, 0, 0, 5], None),
}


@pytest.mark.parametrize(("counts", "change"), VOLUMES.values(), ids=VOLUMES.keys())
def test_change_of_purchases(counts, change):
    assert change_of_purchases(make_periods(counts)) == change


def make_volume(run_id, day, transactions, eligible):
    return RunVolume(
        run_id=run_id, as_of=day, transactions=transactions, customers=900, eligible=eligible
    )


def test_volume_alarms_name_what_fell():
    runs = [
        make_volume("r1", AS_OF, 1_000, 500),
        make_volume("r2", AS_OF + timedelta(days=30), 1_100, 200),
    ]
    fallen = make_periods([100, 100, 100, 40])
    texts = [one.text for one in volume_alarms(fallen, runs, LIMITS, transactions=900)]
    assert texts == [
        "40 purchases in the four weeks before 2026-01-31, -60% against what is usual",
        "200 eligible customers as of 2026-03-02, -60% against 2026-01-31",
        "the data hold 900 transactions, 200 fewer than run r2 found: rows were lost",
    ]


def test_steady_volume_raises_no_alarm():
    runs = [make_volume("r1", AS_OF, 1_000, 500)]
    assert list(volume_alarms(make_periods([100] * 5), runs, LIMITS, transactions=1_000)) == []
