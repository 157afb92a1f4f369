import json

import numpy as np
import pytest
from scipy.special import expit

from patronage.models.calibration_level import Level, learn_level, shift_to_mean

CUTOFFS = 3
PLACE = np.arange(30_000) % CUTOFFS
ODDS = np.random.default_rng(1).normal(0, 1, 30_000)


def churn_after_shifts(shifts, seed=7):
    rng = np.random.default_rng(seed)
    return (rng.random(len(ODDS)) < expit(ODDS + np.asarray(shifts)[PLACE])).astype(float)


SHIFTS = {
    "a season comes and goes": ([-0.6, 0.6, 0.3], 3.0, 0.0, 0.05),
    "a bias that lasts, seen at three separate cutoffs": ([0.5] * 3, 1.0, 0.25, 0.4),
}


@pytest.mark.parametrize(("shifts", "overlap", "low", "high"), SHIFTS.values(), ids=SHIFTS.keys())
def test_only_what_lasts_is_carried_over(shifts, overlap, low, high):
    level = learn_level(ODDS, churn_after_shifts(shifts), PLACE, overlap=overlap)
    assert level.cutoff_shifts == pytest.approx(shifts, abs=0.08)
    assert low <= level.shift <= high


def test_cutoffs_that_share_their_label_window_count_for_less():
    churned = churn_after_shifts([0.5] * 3)
    apart, shared = (learn_level(ODDS, churned, PLACE, overlap=overlap) for overlap in (1.0, 3.0))
    assert shared.shift < 0.8 * apart.shift
    assert shared.spread > apart.spread


def test_the_newest_cutoffs_tell_the_next_level_best():
    churned = churn_after_shifts([0.8, 0.0, -0.2])
    same = learn_level(ODDS, churned, PLACE)
    aged = learn_level(ODDS, churned, PLACE, age=np.array([4.0, 1.0, 0.0]))
    assert same.shift > 0.05
    assert aged.shift < 0


def test_the_spread_holds_the_next_level():
    """Of 200 worlds whose level wanders, nine in ten next levels lie within 1.645 spreads."""
    rng = np.random.default_rng(0)
    inside = []
    for seed in range(200):
        lasting, shifts = rng.normal(0, 0.2), rng.normal(0, 0.25, CUTOFFS + 1)
        level = learn_level(ODDS, churn_after_shifts(lasting + shifts[:-1], seed), PLACE)
        inside.append(abs(lasting + shifts[-1] - level.shift) <= 1.645 * level.spread)
    assert 0.84 <= np.mean(inside) <= 0.97


def test_groups_that_miss_their_probability_widen_it():
    straight = learn_level(ODDS, churn_after_shifts([0.0] * 3), PLACE)
    bent = learn_level(2 * ODDS, churn_after_shifts([0.0] * 3), PLACE)
    assert bent.spread > straight.spread + 0.3


def test_the_shift_makes_the_mean_the_churn_rate():
    churned = churn_after_shifts([0.4] * 3)
    shift = shift_to_mean(ODDS, churned)
    assert expit(ODDS + shift).mean() == pytest.approx(churned.mean(), abs=1e-4)


def test_one_class_leaves_the_level_finite():
    level = learn_level(ODDS, np.ones(len(ODDS)), PLACE)
    assert np.isfinite([level.shift, level.spread]).all()


def test_survives_json():
    level = learn_level(ODDS, churn_after_shifts([0.1, 0.2, 0.3]), PLACE)
    assert Level.from_dict(json.loads(json.dumps(level.to_dict()))) == level
