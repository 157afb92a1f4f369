import json
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.special import expit

from patronage.models.churn_calibration import ChurnCalibration, JudgedRows

DAYS = [date(2020, 1, 1) + timedelta(days=90 * k) for k in range(5)]
ROWS = 3000


def judged(bend=lambda start, trees: start + trees, seed=0):
    rng = np.random.default_rng(seed)
    n = ROWS * len(DAYS)
    start, trees = rng.normal(0, 1, n), rng.normal(0, 1, n)
    churned = (rng.random(n) < expit(bend(start, trees))).astype(float)
    return JudgedRows(start, trees, churned, np.repeat(np.array(DAYS, dtype=object), ROWS))


def test_what_needs_no_calibration_gets_none():
    calibration = ChurnCalibration(label_days=90).fit(judged())
    assert calibration.shape_.name == "none"
    assert list(calibration.tried_) == ["none", "platt", "beta", "isotonic"]


@pytest.mark.parametrize(
    ("bend", "name"),
    [
        (lambda start, trees: start + 0.3 * trees, "platt"),
        (lambda start, trees: np.where(start + trees > 0, 1.5, -1.5), "isotonic"),
    ],
)
def test_the_shape_that_foresees_best_is_taken(bend, name):
    calibration = ChurnCalibration(label_days=90).fit(judged(bend))
    assert calibration.shape_.name == name
    assert min(calibration.tried_, key=calibration.tried_.get) == name


def test_a_shape_is_judged_only_by_labels_that_came_after_its_own():
    rows = judged(lambda start, trees: 0.2 * start)
    assert ChurnCalibration(label_days=400).fit(rows).tried_ == {}
    assert ChurnCalibration(label_days=400).fit(rows).shape_.name == "platt"


def test_rows_without_time_share_one_level():
    rows = judged(lambda start, trees: start + trees + 0.4)
    timeless = JudgedRows(rows.start, rows.trees, rows.churned, np.zeros(len(rows.start)))
    calibration = ChurnCalibration(label_days=0).fit(timeless)
    assert len(calibration.level_.cutoff_shifts) == 1
    assert 0 < calibration.level_.shift < 0.45


def test_probabilities_are_calibrated_and_lie_in_their_interval():
    calibration = ChurnCalibration(label_days=90).fit(judged(lambda s, t: s + 0.3 * t + 0.2))
    rows = judged(lambda s, t: s + 0.3 * t + 0.2, seed=4)
    odds = calibration.predict_log_odds(rows.start, rows.trees)
    low, high = calibration.interval(odds)
    p = expit(odds)
    assert ((low < p) & (p < high)).all()
    for group in np.array_split(np.argsort(p), 10):
        assert p[group].mean() == pytest.approx(rows.churned[group].mean(), abs=0.04)
        assert low[group].mean() < rows.churned[group].mean() < high[group].mean()


def test_the_weights_carry_each_row_from_the_average_to_its_log_odds():
    for bend in (lambda s, t: s + 0.3 * t, lambda s, t: np.where(s + t > 0, 1.5, -1.5)):
        rows = judged(bend)
        calibration = ChurnCalibration(label_days=90).fit(rows)
        usual = np.full(len(rows.start), 0.1)
        by_start, by_trees = calibration.weights(rows.start, rows.trees, -0.2, usual)
        there = calibration.predict_log_odds(rows.start, rows.trees)
        origin = calibration.predict_log_odds(np.array([-0.2]), np.array([0.1]))
        reached = origin + by_start * (rows.start + 0.2) + by_trees * (rows.trees - 0.1)
        assert reached == pytest.approx(there, abs=1e-9)
        assert (by_trees >= 0).all()


def test_survives_json():
    rows = judged(lambda s, t: np.where(s + t > 0, 1.5, -1.5))
    calibration = ChurnCalibration(label_days=90).fit(rows)
    again = ChurnCalibration.from_dict(json.loads(json.dumps(calibration.to_dict())))
    odds = again.predict_log_odds(rows.start, rows.trees)
    assert (odds == calibration.predict_log_odds(rows.start, rows.trees)).all()
    assert (again.interval(odds)[0] == calibration.interval(odds)[0]).all()
