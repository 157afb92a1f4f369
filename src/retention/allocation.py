"""Which customers get which action when the budget does not pay for all that would be worth it."""

from bisect import bisect_right
from itertools import accumulate

import numpy as np

from patronage.retention.economics import Floats, Positions, of_action

NOBODY = -1
"""In place of an action's position: the customer is not contacted."""

_BILLIONTHS = 1e9


def allocate(net_value: Floats, cost: Floats, budget: float) -> Positions:
    """The action that each customer gets, so that the budget brings as much as it can.

    At most one action per customer is chosen, each of positive net value: a multiple-choice
    knapsack. If the budget pays for everybody's best action, that is the answer. Else the steps
    along each customer's efficient frontier of actions, from none to a cheap one to a dearer and
    better one, are taken in the order of what they bring per unit of cost until one does not fit
    [1]_; then the rest of the budget goes to whatever still fits, in the same order. The result
    falls short of the best there is by less than one customer's net value.

    Costs are added as whole billionths of the currency unit, so that ten times 0.10 fit a budget
    of 1.00 and a million costs still add up to the cent.

    Parameters
    ----------
    net_value, cost
        Actions x customers, in one currency; minus infinity where an action is ruled out.
    budget
        The costs of the actions chosen add up to so much at most; finite, >= 0.

    Returns
    -------
    Array with one position of an action per customer, or `NOBODY`. Equally efficient steps go to
    the customer who comes first.

    References
    ----------
    .. [1] Kellerer, Pferschy & Pisinger (2004), Knapsack Problems, Springer, ch. 11.
    """
    whole, limit = np.rint(cost * _BILLIONTHS), round(budget * _BILLIONTHS)
    best = net_value.argmax(axis=0)
    chosen = np.where(of_action(net_value, best) > 0, best, NOBODY)
    if _spent(whole, chosen) <= limit:
        return chosen
    affordable = np.where(whole <= limit, net_value, -np.inf)
    chosen = _most_efficient_steps(affordable, whole, limit)
    return _fill_up(affordable, whole, chosen, limit)


def _spent(whole: Floats, chosen: Positions) -> int:
    return sum(map(int, _held(whole, chosen).tolist()))


def _held(table: Floats, chosen: Positions) -> Floats:
    """Each customer's number for the action chosen, 0 for none."""
    return np.where(chosen == NOBODY, 0.0, of_action(table, chosen))


def _most_efficient_steps(net_value: Floats, whole: Floats, limit: int) -> Positions:
    """Take steps along the frontiers in the order of efficiency until one does not fit."""
    customer, action, extra, efficiency = _frontier_steps(net_value, whole)
    order = np.argsort(-efficiency, kind="stable")
    spent = list(accumulate(map(int, extra[order].tolist())))
    taken = order[: bisect_right(spent, limit)]
    chosen = np.full(net_value.shape[1], NOBODY)
    chosen[customer[taken]] = action[taken]  # of several steps of a customer the last one counts
    return chosen


def _frontier_steps(
    net_value: Floats, whole: Floats
) -> tuple[Positions, Positions, Floats, Floats]:
    """Every step along every customer's frontier: customer, action, extra cost, efficiency.

    From the action reached, the next one is that with the most extra value per extra cost, which
    leaves out all that a mixture of two others would beat. First steps come first.
    """
    customer = np.flatnonzero(net_value.max(axis=0) > 0)
    value, cost = np.zeros(len(customer)), np.zeros(len(customer))
    before, found = np.full(len(customer), np.inf), []
    for _ in range(len(net_value)):
        efficiency = _efficiency(net_value[:, customer] - value, whole[:, customer] - cost)
        action = efficiency.argmax(axis=0)
        # Steps of equal efficiency must not change places because a difference is rounded.
        best = np.minimum(of_action(efficiency, action), before)
        going = best > 0
        customer, action, before, paid = (part[going] for part in (customer, action, best, cost))
        value, cost = net_value[action, customer], whole[action, customer]
        found.append((customer, action, cost - paid, before))
    customers, actions, extras, efficiencies = zip(*found, strict=True)
    return (
        np.concatenate(customers),
        np.concatenate(actions),
        np.concatenate(extras),
        np.concatenate(efficiencies),
    )


def _efficiency(gain: Floats, extra: Floats) -> Floats:
    """Extra value per extra cost: infinite where it costs nothing, 0 where nothing is gained."""
    efficiency = np.where(gain > 0, np.inf, 0.0)
    return np.divide(gain, extra, out=efficiency, where=(gain > 0) & (extra > 0))


def _fill_up(net_value: Floats, whole: Floats, chosen: Positions, limit: int) -> Positions:
    """Spend what is left on steps that still fit, off the frontiers too, until none does.

    In each round every customer has one step to offer. It is taken, or it never fits again, so
    that there are at most as many rounds as actions.
    """
    chosen, left = chosen.copy(), limit - _spent(whole, chosen)
    while True:
        customer, action, extra = _offers(net_value, whole, chosen, left)
        if not len(customer):
            return chosen
        for one, what, more in zip(
            customer.tolist(), action.tolist(), map(int, extra.tolist()), strict=True
        ):
            if more <= left:
                left -= more
                chosen[one] = what


def _offers(
    net_value: Floats, whole: Floats, chosen: Positions, left: int
) -> tuple[Positions, Positions, Floats]:
    """Each customer's most efficient step that fits, if any: customer, action, extra cost."""
    gain, extra = net_value - _held(net_value, chosen), whole - _held(whole, chosen)
    action, customer = np.nonzero((gain > 0) & (extra <= left))
    gain, extra = gain[action, customer], extra[action, customer]
    order = np.argsort(-_efficiency(gain, extra), kind="stable")
    _, first = np.unique(customer[order], return_index=True)
    best = order[np.sort(first)]
    return customer[best], action[best], extra[best]
