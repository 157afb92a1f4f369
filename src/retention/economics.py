"""What an action is expected to cost and to bring, customer by customer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patronage.config import Action

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Prospects:
    """What every action would bring and cost, customer by customer.

    Attributes
    ----------
    net_value
        Expected net value in the currency of the values, actions x customers.
    cost
        Expected cost in the same currency, >= 0, actions x customers.
    break_even
        The chance to leave above which some action pays, one per customer; infinite where none
        does even for a customer who is certain to leave.
    """

    net_value: Floats
    cost: Floats
    break_even: Floats

    def best(self) -> Positions:
        """The action with the highest net value for each customer; the first one wins a tie."""
        best: Positions = self.net_value.argmax(axis=0)
        return best


def of_action(table: Floats, action: Positions) -> Floats:
    """Each customer's number for one action, out of a table actions x customers."""
    return table[action, np.arange(table.shape[1])]


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


def prospects(p_churn: Floats, value_if_kept: Floats, actions: Sequence[Action]) -> Prospects:
    """What every action would bring and cost for each customer.

    Parameters
    ----------
    p_churn, value_if_kept
        One finite number per customer: a probability, and an amount of money.
    actions
        At least one.
    """
    return Prospects(
        np.stack([expected_net_value(p_churn, value_if_kept, one) for one in actions]),
        np.stack([expected_cost(p_churn, one) for one in actions]),
        np.min([break_even_probability(value_if_kept, one) for one in actions], axis=0),
    )
