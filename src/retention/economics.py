"""What an action is expected to cost and to bring, customer by customer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from patronage.config import Action

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Positions = NDArray[np.intp]


@dataclass(frozen=True)
class BestAction:
    """The action with the highest expected net value for each customer, aligned with them.

    Attributes
    ----------
    index
        Position of the action among those compared; the first one wins a tie.
    net_value
        Expected net value of the action, in the currency of the values.
    cost
        Expected cost of the action, in the same currency, >= 0.
    break_even
        The chance to leave above which some action pays; infinite where none does even for a
        customer who is certain to leave.
    """

    index: Positions
    net_value: Floats
    cost: Floats
    break_even: Floats

    def take(self, order: Positions) -> Self:
        """The same for the customers at these positions, in this order."""
        return replace(
            self,
            index=self.index[order],
            net_value=self.net_value[order],
            cost=self.cost[order],
            break_even=self.break_even[order],
        )


def expected_net_value(p_churn: Floats, value_if_kept: Floats, action: Action) -> Floats:
    """What contacting each customer with the action brings, less what it costs.

    ``p * accept * (value_if_kept - offer) - (1 - p) * redeem * offer - contact``: a would-be
    churner who accepts is kept at the price of the offer; one who would have stayed may redeem it
    all the same; the contact is paid in any case [1]_.

    References
    ----------
    .. [1] Neslin, Gupta, Kamakura, Lu & Mason (2006), Defection Detection, Journal of Marketing
       Research 43(2), eq. (1).
    """
    saved = p_churn * action.accept_rate * (value_if_kept - action.offer_cost)
    given_away = (1 - p_churn) * action.redeem_rate * action.offer_cost
    return saved - given_away - action.contact_cost


def expected_cost(p_churn: Floats, action: Action) -> Floats:
    """The contact, and the offer as often as it will be redeemed."""
    redeemed = p_churn * action.accept_rate + (1 - p_churn) * action.redeem_rate
    return action.contact_cost + action.offer_cost * redeemed


def break_even_probability(value_if_kept: Floats, action: Action) -> Floats:
    """The chance to leave at which the action's expected net value is zero; infinite if none."""
    wasted = action.redeem_rate * action.offer_cost
    gain = action.accept_rate * (value_if_kept - action.offer_cost) + wasted
    pays = gain > wasted + action.contact_cost
    return np.where(pays, (wasted + action.contact_cost) / np.where(pays, gain, 1.0), np.inf)


def best_action(p_churn: Floats, value_if_kept: Floats, actions: Sequence[Action]) -> BestAction:
    """The action with the highest expected net value for each customer.

    Parameters
    ----------
    p_churn, value_if_kept
        One finite number per customer: a probability, and an amount of money.
    actions
        At least one.
    """
    values = np.stack([expected_net_value(p_churn, value_if_kept, one) for one in actions])
    index = values.argmax(axis=0)
    costs = np.stack([expected_cost(p_churn, one) for one in actions])
    break_evens = np.stack([break_even_probability(value_if_kept, one) for one in actions])
    rows = np.arange(len(p_churn))
    return BestAction(index, values[index, rows], costs[index, rows], break_evens.min(axis=0))


def within_budget(costs: Floats, budget: float) -> Flags:
    """Which costs fit the budget, taken in the order given; one that does not fit is skipped.

    Costs are added as whole billionths of the currency unit, so that ten times 0.10 fit a budget
    of 1.00 and a million costs still add up to the cent.
    """
    left = round(budget * 1e9)
    taken = np.zeros(len(costs), dtype=np.bool_)
    for position, cost in enumerate(map(int, np.rint(costs * 1e9).tolist())):
        if cost <= left:
            left -= cost
            taken[position] = True
    return taken
