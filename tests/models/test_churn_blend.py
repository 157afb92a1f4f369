import json

import numpy as np
import pytest
from scipy.special import expit, logit

from patronage.models.churn_blend import CalibratedBlend


@pytest.fixture(scope="module")
def estimates():
    """Two noisy views of one truth, the second of them overconfident and shifted."""
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 1.5, 30_000)
    first = expit(truth + rng.normal(0, 1, 30_000))
    second = expit(2 * (truth + rng.normal(0, 1, 30_000)) + 1)
    return first, second, (rng.random(30_000) < expit(truth)).astype(float)


def test_blend_is_calibrated(estimates):
    first, second, churned = estimates
    p = CalibratedBlend().fit(first, second, churned).predict_proba(first, second)
    assert p.mean() == pytest.approx(churned.mean(), abs=0.005)
    upper = p > 0.8
    assert p[upper].mean() == pytest.approx(churned[upper].mean(), abs=0.02)


def test_blend_beats_both_of_its_parts(estimates):
    first, second, churned = estimates
    blend = CalibratedBlend().fit(first, second, churned)

    def loss(p):
        return -np.mean(churned * np.log(p) + (1 - churned) * np.log1p(-p))

    p = blend.predict_proba(first, second)
    assert loss(p) < loss(first)
    assert loss(p) < loss(second)


def test_few_rows_give_the_plain_mean_of_log_odds():
    blend = CalibratedBlend(prior_rows=1e9).fit([0.9, 0.2], [0.8, 0.4], [0, 1])
    expected = expit((logit(0.9) + logit(0.8)) / 2)
    assert blend.predict_proba([0.9], [0.8])[0] == pytest.approx(expected, rel=1e-4)


def test_a_misleading_part_gets_no_negative_weight(estimates):
    first, _, churned = estimates
    blend = CalibratedBlend(prior_rows=1).fit(first, 1 - first**3, churned)
    assert blend.p_no_purchase_weight_ >= 0


def test_survives_json(estimates):
    blend = CalibratedBlend().fit(*estimates)
    again = CalibratedBlend.from_dict(json.loads(json.dumps(blend.to_dict())))
    assert (again.predict_proba(*estimates[:2]) == blend.predict_proba(*estimates[:2])).all()
