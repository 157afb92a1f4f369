"""Compiled loop over the terms of subscriptions, customer by customer."""

import numpy as np
from numba import types

from patronage.compiling import FLOATS, WHOLES, compiled
from patronage.features.arrays import FloatArray, Places


@compiled(FLOATS, FLOATS, WHOLES, types.float64)
def chain_ends(
    starts: FloatArray, ends: FloatArray, offsets: Places, grace_days: float
) -> FloatArray:
    """Of each term, the last end of the subscription it belongs to.

    Terms are in order of their starts; one that starts more than `grace_days` after all before it
    have ended begins another subscription.
    """
    chain = np.empty_like(ends)
    for c in range(offsets.size - 1):
        reach, begin = -np.inf, offsets[c]
        for place in range(offsets[c], offsets[c + 1]):
            if starts[place] > reach + grace_days:
                chain[begin:place] = reach
                begin, reach = place, -np.inf
            reach = max(reach, ends[place])
        chain[begin : offsets[c + 1]] = reach
    return chain
