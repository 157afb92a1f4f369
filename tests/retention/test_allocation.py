from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.retention.allocation import NOBODY, allocate


def tables(customers, actions):
    """Net values and costs in cents, and a budget; actions x customers."""
    shape = st.tuples(actions, customers)
    cents = st.integers(-200, 1000), st.integers(0, 500)
    return shape.flatmap(
        lambda size: st.tuples(
            *(
                st.lists(one, min_size=size[0] * size[1], max_size=size[0] * size[1])
                for one in cents
            ),
            st.integers(0, 1500),
            st.just(size),
        )
    ).map(as_money)


def as_money(drawn):
    values, costs, budget, size = drawn
    table = (np.array(one, dtype=float).reshape(size) / 100 for one in (values, costs))
    return *table, budget / 100


def brought(net_value, chosen):
    return sum(net_value[action, n] for n, action in enumerate(chosen) if action != NOBODY)


def cents(cost, chosen):
    """The exact cost of a choice."""
    each = (round(cost[action, n] * 100) for n, action in enumerate(chosen) if action != NOBODY)
    return Fraction(sum(each), 100)


def one_item(net_value):
    return max(net_value.max(initial=0.0), 0.0)


def greedy_by_net_value(net_value, cost, budget):
    """From the top of the best actions, whatever fits: what a sorted list with a cut would do."""
    best = net_value.argmax(axis=0)
    left, total = Fraction(round(budget * 100), 100), 0.0
    for n in np.argsort(-net_value.max(axis=0), kind="stable"):
        price = Fraction(round(cost[best[n], n] * 100), 100)
        if net_value[best[n], n] > 0 and price <= left:
            left, total = left - price, total + net_value[best[n], n]
    return total


def test_a_budget_that_does_not_bind_buys_the_best_action():
    net_value, cost = np.array([[5.0, 1.0, -1.0], [6.0, 0.5, -2.0]]), np.full((2, 3), 2.0)
    assert allocate(net_value, cost, 4.0).tolist() == [1, 0, NOBODY]


def test_value_per_cost_decides_when_the_budget_binds():
    net_value, cost = np.array([[10.0, 9.0, 8.0]]), np.array([[10.0, 5.0, 5.0]])
    assert allocate(net_value, cost, 10.0).tolist() == [NOBODY, 0, 0]


def test_a_dearer_action_is_taken_when_the_step_up_is_worth_it():
    # Steps: 5 for 1 each, then 6 more for 3 (first customer) or 1 more for 3 (second).
    net_value, cost = np.array([[5.0, 5.0], [11.0, 6.0]]), np.array([[1.0, 1.0], [4.0, 4.0]])
    assert allocate(net_value, cost, 5.0).tolist() == [1, 0]


def test_an_action_that_a_mixture_of_others_beats_fills_up_only():
    # The middle action brings 2 for 4; half of the dear one, 5 for 5, would be better.
    net_value, cost = np.array([[2.0, 2.0], [10.0, 10.0]]), np.array([[4.0, 4.0], [10.0, 10.0]])
    assert allocate(net_value, cost, 10.0).tolist() == [1, NOBODY]
    assert allocate(net_value, cost, 14.0).tolist() == [1, 0]


def test_steps_of_equal_efficiency_stay_in_their_order():
    # All bring 1 per 1, but in binary the step from 2.63 to 4.69 seems to bring a trifle more.
    table = np.array([[0.01, 2.63], [0.0, 4.69]])
    assert allocate(table, table, 4.69).tolist() == [0, 0]


def test_what_costs_nothing_is_always_taken():
    net_value, cost = np.array([[1.0, 2.0, 0.0], [3.0, 9.0, 5.0]]), np.array([[0.0] * 3, [4.0] * 3])
    assert allocate(net_value, cost, 0.0).tolist() == [0, 0, NOBODY]


def test_an_action_that_is_ruled_out_is_not_taken():
    net_value = np.array([[-np.inf, 3.0, 3.0]])
    for budget in (1.0, 9.0):
        assert allocate(net_value, np.ones((1, 3)), budget)[0] == NOBODY


def test_equals_go_to_the_first():
    assert allocate(np.ones((1, 3)), np.ones((1, 3)), 2.0).tolist() == [0, 0, NOBODY]


def test_nobody_gets_nothing():
    assert allocate(np.empty((2, 0)), np.empty((2, 0)), 5.0).tolist() == []


@pytest.mark.parametrize(("budget", "number"), [(1.0, 10), (0.3, 3), (0.29, 2)])
def test_ten_cents_fit_as_often_as_in_money(budget, number):
    # In binary 3 * 0.1 > 0.3; in money it is not.
    chosen = allocate(np.ones((1, 12)), np.full((1, 12), 0.1), budget)
    assert (chosen != NOBODY).sum() == number


def test_a_million_small_costs_add_up_to_the_cent():
    costs = np.full((1, 1_000_000), 0.0137)
    assert (allocate(costs, costs, 6_850.0) != NOBODY).sum() == 500_000


@settings(max_examples=200, deadline=None)
@given(table=tables(customers=st.integers(1, 5), actions=st.integers(1, 3)))
def test_the_best_there_is_is_missed_by_less_than_one_item(table):
    net_value, cost, budget = table
    choices = product(range(NOBODY, len(net_value)), repeat=net_value.shape[1])
    limit = Fraction(round(budget * 100), 100)
    optimum = max(brought(net_value, one) for one in choices if cents(cost, one) <= limit)
    found = brought(net_value, allocate(net_value, cost, budget))
    assert optimum - one_item(net_value) - 1e-9 <= found <= optimum + 1e-9


@settings(max_examples=200, deadline=None)
@given(table=tables(customers=st.integers(1, 40), actions=st.integers(1, 5)))
def test_simpler_ways_to_spend_are_no_better_than_one_item(table):
    net_value, cost, budget = table
    found = brought(net_value, allocate(net_value, cost, budget)) + one_item(net_value) + 1e-9
    assert found >= greedy_by_net_value(net_value, cost, budget)
    for action in range(len(net_value)):
        only = slice(action, action + 1)
        alone = allocate(net_value[only], cost[only], budget)
        assert found >= brought(net_value[only], alone)


@settings(max_examples=200, deadline=None)
@given(table=tables(customers=st.integers(1, 40), actions=st.integers(1, 5)))
def test_the_budget_holds_to_the_cent_and_no_step_up_that_fits_is_left(table):
    net_value, cost, budget = table
    chosen = allocate(net_value, cost, budget)
    limit, spent = Fraction(round(budget * 100), 100), cents(cost, chosen)
    assert spent <= limit
    for n, action in enumerate(chosen):
        held = action != NOBODY
        value, paid = (net_value[action, n], cost[action, n]) if held else (0.0, 0.0)
        assert value > 0 or not held
        better = net_value[:, n] > value
        extra = [Fraction(round((price - paid) * 100), 100) for price in cost[better, n]]
        assert all(spent + more > limit for more in extra)


@settings(max_examples=100, deadline=None)
@given(table=tables(customers=st.integers(1, 40), actions=st.integers(1, 5)))
def test_enough_money_buys_everybody_the_best(table):
    net_value, cost, _ = table
    chosen = allocate(net_value, cost, cost.sum())
    best = net_value.argmax(axis=0)
    assert chosen.tolist() == np.where(net_value.max(axis=0) > 0, best, NOBODY).tolist()
