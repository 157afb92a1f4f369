import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from patronage.models.separation import separation


def test_it_is_the_area_under_the_curve_whichever_way_it_points():
    rng = np.random.default_rng(0)
    outcome = rng.random(500) < 0.3
    values = np.round(outcome + rng.normal(size=500), 1)
    auc = roc_auc_score(outcome, values)
    assert separation(values, outcome).auc == pytest.approx(auc)
    assert separation(-values, outcome).auc == pytest.approx(auc)


def test_null_stands_where_it_tells_most():
    outcome = np.array([True, True, False, False])
    assert separation(np.array([np.nan, 1.0, 2.0, 3.0]), outcome).auc == 1
    assert separation(np.array([np.nan, 3.0, 2.0, 1.0]), outcome).auc == 1


def test_a_constant_tells_nothing():
    assert separation(np.ones(4), np.array([True, False, True, False])).auc == 0.5


def test_the_standard_error_of_noise_is_that_of_the_rank_sum():
    # Of independent groups the variance is (m + n + 1) / (12 m n), after Mann & Whitney (1947).
    outcome = np.repeat([True, False], [30, 50])
    assert separation(np.ones(80), outcome).error == pytest.approx((81 / (12 * 30 * 50)) ** 0.5)


def test_perfect_groups_leave_no_error():
    assert separation(np.arange(4.0), np.array([False, False, True, True])) == (1.0, 0.0)
