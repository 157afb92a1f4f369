"""Pareto/NBD's quantities against mpmath in 40 digits: quadrature of the positive integrals."""

from typing import NamedTuple

import numpy as np
import pytest

from patronage.models import paretonbd_quantities as quantities
from patronage.models.paretonbd_quantities import Active

TOLERANCE = 2e-12
NEVER = -np.inf


class Point(NamedTuple):
    r: float
    alpha: float
    s: float
    beta: float
    x: int
    t_x: float
    T: float
    horizon: float
    lead: float
    rate: float
    count: int
    log_likelihood: float
    log_odds_inactive: float
    purchases: float
    no_purchase: float
    discounted: float
    residual: float
    chance_of_count: float
    chance_of_some: float

    def active(self, at):
        k, one = self.r + self.x, np.ones(1)
        return Active(k * one, (self.alpha + at) * one, self.s, (self.beta + at) * one)


POINTS = [
    Point(
        0.553,
        10.578,
        0.606,
        11.669,
        2,
        30.43,
        38.86,
        39.0,
        3.0,
        0.0027,
        2,
        -9.554283245150407,
        -1.8936184980568087,
        1.674157276044213,
        0.33841332645248134,
        1.593837069932317,
        7.459750999046794,
        0.17459984459749325,
        0.6810393118794826,
    ),
    Point(
        5.0,
        0.5,
        0.5,
        10000.0,
        200,
        20.0,
        30.0,
        52.0,
        10.0,
        0.0004,
        5,
        246.43979959650014,
        69.24417145412596,
        349.05636556072943,
        0.0005055738672658949,
        345.4527664715247,
        15216.643296792954,
        7.452126125604397e-06,
        0.9999925470366584,
    ),
    Point(
        0.553,
        10.578,
        1.0,
        11.669,
        5000,
        38.9,
        39.0,
        365.0,
        30.0,
        0.01,
        30,
        18068.552831851623,
        1.5590482620911001,
        10755.627901710315,
        0.3719672626731145,
        4653.59675888268,
        4680.126797054931,
        0.0001933579963231205,
        0.9998043654600913,
    ),
    Point(
        0.001,
        1000.0,
        1000.0,
        0.001,
        1,
        0.5,
        5000.0,
        5000.0,
        0.01,
        0.5,
        1,
        -6230.422112519497,
        9210.135619665518,
        0.0008350018353353353,
        0.9991680537240396,
        0.00023835279637973592,
        0.00023835279637973592,
        0.000832221975074084,
        0.0008336101670703702,
    ),
    Point(
        1000.0,
        0.001,
        0.001,
        1000.0,
        50,
        10.0,
        12.0,
        0.01,
        300.0,
        1e-06,
        3,
        -8997.459971916882,
        172.94176034892365,
        0.8749270850864679,
        0.4171956560538611,
        0.8749270807118324,
        86941044.36813855,
        0.04656946148149444,
        0.5829556730907404,
    ),
    Point(
        0.2,
        200.0,
        1.000000001,
        0.05,
        0,
        0.0,
        300.0,
        1000.0,
        100.0,
        0.001,
        1,
        -0.00038237714175822076,
        8.88241838048662,
        0.17597438926608167,
        0.9150886955428346,
        0.12477224163966968,
        0.14671605765652193,
        0.06486557481334312,
        0.10164526457784415,
    ),
    Point(
        30.0,
        4.0,
        300.0,
        90.0,
        10,
        3.0,
        3.0,
        1.0,
        0.5,
        0.2,
        10,
        -10.709800682037624,
        NEVER,
        1.7047513294014465,
        0.872513280632164,
        1.6170399185589523,
        1.6729544182461333,
        0.002931492128253643,
        0.635658549728873,
    ),
    Point(
        0.01,
        0.02,
        2.0,
        700.0,
        7,
        100.0,
        4000.0,
        3650.0,
        365.0,
        0.0003,
        4,
        -33.84019770894758,
        26.150213602780177,
        3.600477506594503,
        0.30265254962217664,
        2.417700351057593,
        2.791296853538089,
        0.09002096726418783,
        0.7995029328462648,
    ),
]
pytestmark = pytest.mark.parametrize("point", POINTS)


def close(value, tolerance=TOLERANCE):
    return pytest.approx(value, rel=tolerance, abs=1e-300)


def test_odds_of_having_left(point):
    gap = np.array([point.T - point.t_x])
    odds = quantities.log_odds_inactive(point.active(point.t_x), gap)
    assert odds.tolist() == [close(point.log_odds_inactive)]


def test_purchases(point):
    found = quantities.purchases(point.active(point.T), point.horizon)
    assert found.tolist() == [close(point.purchases)]


def test_no_purchase(point):
    found = quantities.no_purchase(point.active(point.T), point.horizon, point.lead)
    assert found.tolist() == [close(point.no_purchase)]


def test_discounted_purchases(point):
    active = point.active(point.T)
    found = quantities.discounted_purchases(active, point.horizon, point.rate)
    assert found.tolist() == [close(point.discounted)]
    found = quantities.discounted_purchases(active, np.inf, point.rate)
    assert found.tolist() == [close(point.residual)]


def test_counts(point):
    found = quantities.counts(point.active(point.T), point.horizon, point.count + 1)
    assert found[0, point.count] == close(point.chance_of_count)


def test_wait(point):
    """Back to the horizon, where the chance of a purchase still grows there."""
    active, chance = point.active(point.T), point.chance_of_some
    growth = quantities.no_purchase(active, point.horizon, 0) - quantities.no_purchase(
        active, point.horizon * 1.1, 0
    )
    if growth[0] > 1e-4 * chance:
        assert quantities.wait(active, chance).tolist() == [close(point.horizon, 1e-9)]
    half = quantities.wait(active, chance / 2)[0]
    assert quantities.no_purchase(active, half, 0)[0] == pytest.approx(1 - chance / 2, rel=1e-13)
