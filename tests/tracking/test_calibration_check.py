import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from patronage.tracking.calibration_check import check_calibration

RNG = np.random.default_rng(2)
TRUTH = pd.Series(RNG.beta(1.5, 1.5, 4000))
CHURNED = pd.Series((RNG.random(4000) < TRUTH).astype(int))


def stretched(by, rows=4000, shift=0.0):
    return check_calibration(CHURNED[:rows], pd.Series(expit(by * logit(TRUTH[:rows]) + shift)))


def test_honest_probabilities_have_a_slope_of_one():
    found = stretched(1)
    assert found.passed
    assert found.low < 1 < found.high
    assert found.slope == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("by", [2, 0.5], ids=["too bold", "too timid"])
def test_far_too_bold_or_too_timid_is_refused(by):
    found = stretched(by)
    assert found.slope == pytest.approx(1 / by, rel=0.1)
    assert not found.passed
    assert "allowed 0.7 to 1.4" in str(found)


def test_few_customers_cannot_convict():
    assert not stretched(1.7).passed
    few = stretched(1.7, rows=40)
    assert few.high > 0.7
    assert few.passed


def test_a_level_that_is_off_is_shown_and_not_judged():
    found = stretched(1, shift=0.8)
    assert found.passed
    assert found.intercept == pytest.approx(-0.8, abs=0.1)
    assert "intercept -0." in str(found)


def test_the_same_probability_for_all_is_refused():
    found = check_calibration(CHURNED, pd.Series(np.full(4000, 0.4)))
    assert not found.passed
    assert found.slope is None
    assert str(found) == "FAILED: no calibration slope, all customers got the same probability"


def test_the_standard_error_is_the_spread_over_samples():
    rng = np.random.default_rng(3)
    p = pd.Series(rng.beta(2, 2, 500))
    draws = [check_calibration(pd.Series((rng.random(500) < p).astype(int)), p) for _ in range(200)]
    half = np.mean([(one.high - one.low) / 2 for one in draws]) / 1.6449
    assert half == pytest.approx(np.std([one.slope for one in draws]), rel=0.15)
    assert np.mean([one.low <= 1 <= one.high for one in draws]) == pytest.approx(0.9, abs=0.06)
