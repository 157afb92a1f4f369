import json

import numpy as np
import pytest
from scipy.special import expit, logit

from patronage.models.churn_blend import CalibratedBlend

CUTOFFS = 3


@pytest.fixture(scope="module")
def estimates():
    """Two noisy views of one truth, the second of them overconfident."""
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 1.5, 30_000)
    first = expit(truth + rng.normal(0, 1, 30_000))
    second = expit(2 * (truth + rng.normal(0, 1, 30_000)))
    return first, second, (rng.random(30_000) < expit(truth)).astype(float)


@pytest.fixture(scope="module")
def cutoff():
    return np.arange(30_000) % CUTOFFS


def churn_after_shifts(truth, shifts, cutoff):
    return (np.random.default_rng(7).random(len(truth)) < expit(truth + shifts[cutoff])).astype(
        float
    )


def test_blend_is_calibrated(estimates, cutoff):
    first, second, churned = estimates
    blend = CalibratedBlend().fit(first, second, churned, cutoff=cutoff, overlap=1)
    p = blend.predict_proba(first, second)
    assert p.mean() == pytest.approx(churned.mean(), abs=0.005)
    upper = p > 0.8
    assert p[upper].mean() == pytest.approx(churned[upper].mean(), abs=0.02)


def test_blend_beats_both_of_its_parts(estimates, cutoff):
    first, second, churned = estimates
    blend = CalibratedBlend().fit(first, second, churned, cutoff=cutoff, overlap=1)

    def loss(p):
        return -np.mean(churned * np.log(p) + (1 - churned) * np.log1p(-p))

    p = blend.predict_proba(first, second)
    assert loss(p) < loss(first)
    assert loss(p) < loss(second)


def test_few_rows_give_the_plain_mean_of_log_odds():
    blend = CalibratedBlend(prior_rows=1e9, prior_shift_sd=1e-9)
    blend.fit([0.9, 0.2], [0.8, 0.4], [0, 1], cutoff=[1, 1], overlap=1)
    expected = expit((logit(0.9) + logit(0.8)) / 2)
    assert blend.predict_proba([0.9], [0.8])[0] == pytest.approx(expected, rel=1e-4)


def test_a_misleading_part_gets_no_negative_weight(estimates, cutoff):
    first, _, churned = estimates
    blend = CalibratedBlend(prior_rows=1)
    blend.fit(first, 1 - first**3, churned, cutoff=cutoff, overlap=1)
    assert blend.p_no_purchase_weight_ >= 0


SHIFTS = {
    "a season comes and goes": (np.array([-0.6, 0.6, 0.3]), 3.0, 0.0, 0.05),
    "a bias that lasts, seen at three separate cutoffs": (np.full(3, 0.5), 1.0, 0.15, 0.4),
}


@pytest.mark.parametrize(("shifts", "overlap", "low", "high"), SHIFTS.values(), ids=SHIFTS.keys())
def test_only_what_lasts_is_carried_over(cutoff, shifts, overlap, low, high):
    truth = np.random.default_rng(1).normal(0, 1, 30_000)
    churned = churn_after_shifts(truth, shifts, cutoff)
    p = expit(truth)
    blend = CalibratedBlend().fit(p, p, churned, cutoff=cutoff, overlap=overlap)
    assert blend.cutoff_shifts_ == pytest.approx(shifts, abs=0.12)
    assert low <= blend.shift_ <= high


def test_cutoffs_that_share_their_label_window_count_for_less(cutoff):
    truth = np.random.default_rng(1).normal(0, 1, 30_000)
    churned = churn_after_shifts(truth, np.full(3, 0.5), cutoff)
    apart, shared = (
        CalibratedBlend().fit(expit(truth), expit(truth), churned, cutoff=cutoff, overlap=overlap)
        for overlap in (1.0, 3.0)
    )
    assert shared.shift_ < 0.6 * apart.shift_


def test_survives_json(estimates, cutoff):
    blend = CalibratedBlend().fit(*estimates, cutoff=cutoff, overlap=2)
    again = CalibratedBlend.from_dict(json.loads(json.dumps(blend.to_dict())))
    assert (again.predict_proba(*estimates[:2]) == blend.predict_proba(*estimates[:2])).all()
