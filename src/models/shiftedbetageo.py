"""Shifted beta-geometric: how long customers renew a contract."""

from typing import NamedTuple

import numpy as np

from patronage.models.contract_input import Renewals
from patronage.models.contract_model import ContractModel
from patronage.models.fitting import Optimum

EXTREME = 1e4
"""Beyond this (or below its inverse) a parameter has run to its limit."""


class ShiftedBetaGeoParams(NamedTuple):
    """Chance to be lost at a renewal ~ Beta(alpha, beta), the same at all of a customer's."""

    alpha: float
    beta: float


class ShiftedBetaGeoModel(ContractModel):
    """Shifted beta-geometric model of contract renewals [1]_.

    At each renewal a customer is lost with a probability of her own, theta ~ Beta(alpha, beta).
    Retention of a cohort rises with time, because those with a high theta are lost first.

    Attributes
    ----------
    params_ : ShiftedBetaGeoParams
        alpha, beta.
    standard_errors_ : ShiftedBetaGeoParams
        From the exact Hessian; NaN where the fit did not converge.
    covariance_ : pandas.DataFrame
        Of the parameters.
    log_likelihood_ : float
        Total.
    n_customers_ : int or float
        Customers fitted; the sum of weights.
    converged_ : bool
        False where the data leave a parameter without a finite estimate; `diagnosis_` says why and
        what to do. Predictions are then those of the limiting model.
    diagnosis_ : str
        Empty where the fit converged.

    References
    ----------
    .. [1] Fader & Hardie (2007), How to Project Customer Retention, J. Interactive Marketing
       21(1).
    """

    params_: ShiftedBetaGeoParams
    standard_errors_: ShiftedBetaGeoParams
    params_type = ShiftedBetaGeoParams

    def _diagnosis(self, optimum: Optimum, renewals: Renewals) -> str:
        return contract_diagnosis("sBG", optimum, renewals)


def contract_diagnosis(model: str, optimum: Optimum, renewals: Renewals) -> str:
    """Why there is no finite best estimate, and what to do; empty where there is one."""
    if optimum.settled and not optimum.flat:
        return ""
    found = [text for holds, text in _limits(optimum, renewals) if holds]
    cause = "; ".join(found) or "the likelihood has no clear peak"
    return (
        f"{model} has no finite best estimate on these {renewals.customers:,.10g} customers "
        f"({renewals.lost.sum():,.10g} lost): {cause}. Predictions are those of this limit. Take "
        "more customers or later renewals, and check recency and T."
    )


def _limits(optimum: Optimum, renewals: Renewals) -> list[tuple[bool, str]]:
    alpha, beta, c = np.exp([*optimum.log_params, 0.0][:3])
    kept, lost = renewals.kept.sum(), renewals.lost.sum()
    numbers = int(np.sum(renewals.kept + renewals.lost > 0))
    some = lost > 0 and kept > 0
    few = some and numbers < len(optimum.log_params)
    spread = some and not few
    mean = alpha / (alpha + beta)
    return [
        (lost == 0, "nobody was lost, so no churn can be identified (E[theta] -> 0)"),
        (kept == 0, "all were lost at their first renewal (E[theta] -> 1)"),
        (few, f"only {numbers} renewal(s) were seen, fewer than parameters"),
        (
            spread and alpha + beta > EXTREME,
            f"no heterogeneity of churn (alpha and beta -> infinity, theta = {mean:.3g})",
        ),
        (
            spread and alpha + beta < 1 / EXTREME,
            "churn is all or nothing: who renews once never leaves (alpha and beta -> 0)",
        ),
        (spread and c < 1 / EXTREME, "who renews once never leaves (c -> 0)"),
        (spread and c > 50, "all are lost at one renewal (c -> infinity)"),
    ]
