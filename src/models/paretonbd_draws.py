"""Simulated Pareto/NBD customers."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from patronage.models.paretonbd_quantities import ParetoNBDParams


def draw(params: ParetoNBDParams, n: int, T: ArrayLike, rng: np.random.Generator) -> pd.DataFrame:
    """Draw `n` customers observed for `T`: what they did, and the truth about each.

    Given how many purchases fall into her time of activity, they are uniform in it, and the last
    one lies at the largest of as many uniform numbers.
    """
    r, alpha, s, beta = params
    ages = np.broadcast_to(np.asarray(T, dtype=np.float64), n)
    rate, leaving = rng.gamma(r, 1 / alpha, n), rng.gamma(s, 1 / beta, n)
    lifetime = rng.exponential(size=n) / np.maximum(leaving, 1e-300)
    exposed = np.minimum(lifetime, ages)
    made = rng.poisson(rate * exposed)
    latest = rng.beta(np.maximum(made, 1), 1.0)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "frequency": made,
            "recency": np.where(made > 0, exposed * latest, 0.0),
            "T": ages,
            "rate": rate,
            "leaving_rate": leaving,
            "lifetime": lifetime,
            "active": lifetime > ages,
        }
    )
