"""What a purchase model says about the customers who are active at T, for drawing their future."""

from typing import NamedTuple

from patronage.models.rfm_input import FloatArray


class ActiveTraits(NamedTuple):
    """How the traits of an active customer are distributed, given x purchases up to T.

    Numbers, or one for each customer. Parameters that a model has no use for are 0: without dropout
    after purchases `dropout_a` is, without dropout in time `hazard_shape` is.
    """

    rate_shape: float
    """rate ~ Gamma(rate_shape + x, rate rate_time + T)."""
    rate_time: float | FloatArray
    dropout_a: float
    """P(leaves after a purchase) ~ Beta(dropout_a, dropout_b + x)."""
    dropout_b: float | FloatArray
    hazard_shape: float = 0.0
    """Rate of leaving ~ Gamma(hazard_shape, rate hazard_time + T)."""
    hazard_time: float | FloatArray = 0.0
    stages: int = 1
    """Events at that rate that make a purchase; in j of them since the last one, rate_shape + x is
    rate_shape + stages x + j."""


class OpportunityTraits(NamedTuple):
    """The same where an opportunity to buy comes once in each unit of time, x of n taken."""

    buys_a: float
    """P(buys) ~ Beta(buys_a + x, buys_b + n - x)."""
    buys_b: float
    leaves_a: float
    """P(leaves before an opportunity) ~ Beta(leaves_a, leaves_b + n + 1)."""
    leaves_b: float
