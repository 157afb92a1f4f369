"""What a purchase model says about the customers who are active at T, for drawing their future."""

from typing import NamedTuple


class ActiveTraits(NamedTuple):
    """How the traits of an active customer are distributed, given x purchases up to T.

    Parameters that a model has no use for are 0: without dropout after purchases `dropout_a` is,
    without dropout in time `hazard_shape` is.
    """

    rate_shape: float
    """rate ~ Gamma(rate_shape + x, rate rate_time + T)."""
    rate_time: float
    dropout_a: float
    """P(leaves after a purchase) ~ Beta(dropout_a, dropout_b + x)."""
    dropout_b: float
    hazard_shape: float = 0.0
    """Rate of leaving ~ Gamma(hazard_shape, rate hazard_time + T)."""
    hazard_time: float = 0.0
