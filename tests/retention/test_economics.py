import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patronage.config import Action
from patronage.retention.economics import (
    break_even_probability,
    expected_cost,
    expected_net_value,
    of_action,
    prospects,
)

VOUCHER = Action(name="voucher", contact_cost=0.5, offer_cost=10, accept_rate=0.25, redeem_rate=0.8)
CALL = Action(name="call", contact_cost=4, offer_cost=0, accept_rate=0.3)

money = st.floats(0, 10_000)
share = st.floats(0, 1)
actions = st.builds(
    Action,
    name=st.just("any"),
    contact_cost=st.floats(0, 100),
    offer_cost=st.floats(0, 100),
    accept_rate=share,
    redeem_rate=share,
)


def test_expected_net_value_by_hand():
    # 0.6 * 0.25 * (100 - 10) - 0.4 * 0.8 * 10 - 0.5 = 13.5 - 3.2 - 0.5
    value = expected_net_value(np.array([0.6]), np.array([100.0]), VOUCHER)
    assert value == pytest.approx([9.8])


def test_expected_cost_by_hand():
    # 0.5 + 10 * (0.6 * 0.25 + 0.4 * 0.8)
    assert expected_cost(np.array([0.6]), VOUCHER) == pytest.approx([5.2])


@given(p=share, value=st.floats(-1000, 10_000), action=actions)
def test_net_value_is_what_is_saved_less_the_cost(p, value, action):
    saved = p * action.accept_rate * value
    net = expected_net_value(np.array([p]), np.array([value]), action)[0]
    assert net == pytest.approx(saved - expected_cost(np.array([p]), action)[0], abs=1e-9)


@given(value=st.floats(-1000, 10_000), action=actions, p=share)
def test_an_action_pays_above_its_break_even_only(value, action, p):
    break_even = break_even_probability(np.array([value]), action)[0]
    net = expected_net_value(np.array([p]), np.array([value]), action)[0]
    if p > break_even:
        assert net > -1e-6
    else:
        assert net < 1e-6


def test_each_customer_has_an_action_that_pays_most():
    offers = prospects(np.array([0.9, 0.02]), np.array([200.0, 5000.0]), [VOUCHER, CALL])
    best = offers.best()
    assert best.tolist() == [1, 1]  # 50.0 against 41.45; 26.0 against 16.61
    assert of_action(offers.net_value, best) == pytest.approx([50.0, 26.0])
    assert of_action(offers.cost, best) == pytest.approx([4.0, 4.0])


def test_the_first_action_wins_a_tie():
    assert prospects(np.array([0.5]), np.array([10.0]), [CALL, CALL]).best().tolist() == [0]


def test_the_break_even_is_that_of_the_easiest_action():
    offers = prospects(np.array([0.1]), np.array([100.0]), [VOUCHER, CALL])
    # call: 4 / (0.3 * 100); voucher: 8.5 / (0.25 * 90 + 8)
    assert offers.break_even == pytest.approx([4 / 30])
