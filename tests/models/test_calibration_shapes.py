import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from patronage.models.calibration_shapes import SHAPES, shape_from_dict

N = 20_000
PLACE = np.arange(N) % 2
RNG = np.random.default_rng(3)
START, TREES = RNG.normal(0, 1, N), RNG.normal(0, 1, N)


def labels(odds, seed=5):
    return (np.random.default_rng(seed).random(N) < expit(odds)).astype(float)


def loss(odds, truth):
    p, q = expit(odds), expit(truth)
    return -np.mean(q * np.log(p) + (1 - q) * np.log1p(-p))


@pytest.mark.parametrize("name", SHAPES)
def test_a_score_that_is_right_is_left_almost_alone(name):
    shape = SHAPES[name].learn(START, TREES, labels(START + TREES), PLACE)
    assert loss(shape.bend(START, TREES), START + TREES) < loss(START + TREES, START + TREES) + 2e-3


def test_platt_finds_the_weight_of_each_part():
    shape = SHAPES["platt"].learn(START, TREES, labels(1.2 * START + 0.5 * TREES), PLACE)
    assert (shape.start_weight, shape.trees_weight) == pytest.approx((1.2, 0.5), abs=0.12)


def test_a_misleading_part_gets_no_negative_weight():
    shape = SHAPES["platt"].learn(START, TREES, labels(START - TREES), PLACE)
    assert shape.trees_weight == 0


def test_few_rows_leave_the_weights_at_one():
    some = slice(0, 4)
    shape = SHAPES["platt"].learn(START[some], TREES[some], np.array([0, 1, 1, 0.0]), PLACE[some])
    assert (shape.start_weight, shape.trees_weight) == pytest.approx((1, 1), abs=0.01)


def test_beta_bends_one_end_more_than_the_other():
    raw = START + TREES
    truth = 1.6 * np.log(expit(raw)) - 0.7 * np.log(expit(-raw))
    shape = SHAPES["beta"].learn(START, TREES, labels(truth), PLACE)

    def behind(odds):
        return loss(odds + (truth - odds).mean(), truth) - loss(truth, truth)

    assert shape.high_weight > shape.low_weight
    assert behind(shape.bend(START, TREES)) < 0.7 * behind(raw)


def test_isotonic_follows_any_rising_shape():
    raw = START + TREES
    truth = np.where(raw > 0, 1.5, -1.5)
    shape = SHAPES["isotonic"].learn(START, TREES, labels(truth), PLACE)
    assert loss(shape.bend(START, TREES), truth) < loss(truth, truth) + 5e-3


@pytest.mark.parametrize("name", SHAPES)
@settings(deadline=None)
@given(seed=st.integers(0, 50), rows=st.integers(3, 60))
def test_no_shape_reverses_an_order_or_claims_certainty(name, seed, rows):
    rng = np.random.default_rng(seed)
    start, trees = rng.normal(0, 2, rows), rng.normal(0, 2, rows)
    shape = SHAPES[name].learn(
        start, trees, rng.integers(0, 2, rows).astype(float), np.zeros(rows, int)
    )
    line = np.linspace(-9, 9, 50)
    bent = shape.bend(line, np.zeros(50))
    assert np.isfinite(bent).all()
    assert (np.diff(bent) >= -1e-12).all()


@pytest.mark.parametrize("name", SHAPES)
def test_survives_json(name):
    shape = SHAPES[name].learn(START, TREES, labels(START), PLACE)
    again = shape_from_dict(json.loads(json.dumps(shape.to_dict())))
    assert (again.bend(START, TREES) == shape.bend(START, TREES)).all()
