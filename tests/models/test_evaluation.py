import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.metrics import log_loss

from patronage.models.evaluation import (
    calibration_line,
    log_losses,
    metrics_table,
    probability_metrics,
    ranking_metrics,
    top_decile_lift,
)


@pytest.fixture(scope="module")
def calibrated():
    rng = np.random.default_rng(1)
    p = rng.beta(2, 2, 40_000)
    return (rng.random(40_000) < p).astype(float), p


def test_a_calibrated_probability_has_slope_one_and_intercept_zero(calibrated):
    assert calibration_line(*calibrated) == pytest.approx((1, 0), abs=0.05)


def test_an_overconfident_shifted_probability_is_seen_as_such(calibrated):
    churned, p = calibrated
    slope, intercept = calibration_line(churned, expit(2 * logit(p) + 1))
    assert slope == pytest.approx(0.5, abs=0.03)
    assert intercept < -0.5


def test_constant_probability_has_no_slope_but_an_intercept():
    slope, intercept = calibration_line([1, 0, 0, 0], [0.5] * 4)
    assert slope is None
    assert intercept == pytest.approx(logit(0.25))


def test_log_losses_average_to_scikit_learns(calibrated):
    assert log_losses(*calibrated).mean() == pytest.approx(log_loss(*calibrated))


def test_certainty_that_was_wrong_stays_finite():
    assert np.isfinite(probability_metrics([1, 0, 1], [0.0, 0.2, 0.9])["log_loss"])


LIFTS = {
    "all churners on top": ([1] * 10 + [0] * 90, range(100, 0, -1), 10.0),
    "all tied": ([1] * 10 + [0] * 90, [1] * 100, 1.0),
    "worst first": ([0] * 90 + [1] * 10, range(100, 0, -1), 0.0),
}


@pytest.mark.parametrize(("churned", "score", "lift"), LIFTS.values(), ids=LIFTS.keys())
def test_top_decile_lift(churned, score, lift):
    assert top_decile_lift(churned, list(score)) == pytest.approx(lift)


def test_order_of_rows_changes_no_lift(calibrated):
    churned, p = calibrated[0][:999], np.round(calibrated[1][:999], 1)
    order = np.random.default_rng(0).permutation(999)
    assert top_decile_lift(churned[order], p[order]) == pytest.approx(top_decile_lift(churned, p))


def test_only_probabilities_get_a_log_loss(calibrated):
    churned, p = calibrated
    table = metrics_table(pd.Series(churned), pd.DataFrame({"ours": p, "recency": 100 * p}))
    assert table["recency"]["log_loss"] is None
    assert table["ours"]["log_loss"] == pytest.approx(log_loss(churned, p))
    assert table["recency"]["auc"] == table["ours"]["auc"] == ranking_metrics(churned, p)["auc"]
