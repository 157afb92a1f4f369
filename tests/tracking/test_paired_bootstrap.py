import numpy as np
import pytest

from patronage.tracking.paired_bootstrap import bootstrap_intervals

RNG = np.random.default_rng(4)


def test_the_width_is_that_of_the_mean():
    draws = RNG.normal(3, 2, 2500)
    ((low, high),) = bootstrap_intervals([draws])
    assert low < draws.mean() < high
    assert high - low == pytest.approx(2 * 1.645 * draws.std() / 50, rel=0.1)


def test_all_differences_share_the_draws():
    draws = RNG.normal(0, 1, 300)
    (one, double, same) = bootstrap_intervals([draws, 2 * draws, draws])
    assert one == same
    assert double == pytest.approx((2 * one[0], 2 * one[1]))
    assert bootstrap_intervals([draws], seed=1) != [one]


def test_no_difference_has_no_width():
    assert bootstrap_intervals([np.zeros(10)]) == [(0.0, 0.0)]
    assert bootstrap_intervals([]) == []
