"""Churn scores in money, by the measures of the literature, as the library empulse has them."""

from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from patronage.config import Action
from patronage.retention.economics import Floats, break_even_probability

if TYPE_CHECKING:
    from empulse.metrics import Metric

CERTAINTY = 20.0  # alpha + beta of the share that accepts; Verbraken et al. take 6 + 14


class ProfitScores(TypedDict):
    """One score's worth with one action, in money per customer of the base.

    `mpc` is the profit at the best cut, `mpc_share` the share of customers it contacts; `empc` and
    `empc_share` the same, expected over how many accept. `expected_cost` is what leaves and what
    the contacts cost when those above their own threshold are contacted; `cost_of_nothing` what
    leaves when nobody is.
    """

    mpc: float
    mpc_share: float
    empc: float
    empc_share: float
    expected_cost: float
    cost_of_nothing: float


def profit_scores(
    p_churn: Floats, churned: Floats, value_if_kept: Floats, action: Action
) -> ProfitScores:
    """MPC, EMPC and expected cost of a probability of churn.

    A churner who is contacted accepts with `accept_rate` and is worth the value less the offer;
    who would have stayed redeems it with `redeem_rate` (1 in the papers). MPC and EMPC value every
    churner at the mean of `value_if_kept` [1]_, expected cost each at their own [2]_. For EMPC the
    share that accepts is Beta-distributed around `accept_rate` as if 20 customers had been seen,
    which is the papers' Beta(6, 14) at a rate of 0.3; a rate of 0 or 1 has no spread.

    Parameters
    ----------
    p_churn, churned, value_if_kept
        One finite number per customer; both labels occur.

    References
    ----------
    .. [1] Verbraken, Verbeke & Baesens (2013), A novel profit maximizing metric, IEEE Transactions
       on Knowledge and Data Engineering 25(5), eqs. (8) and (14).
    .. [2] Janssens, Bogaert, Bagué & Van den Poel (2022), B2Boost, Annals of Operations Research.
    """
    label = churned.astype(int)
    terms: dict[str, Any] = {
        "offer": action.offer_cost,
        "contact": action.contact_cost,
        "redeem": action.redeem_rate,
    }
    mean = terms | {"clv": float(value_if_kept.mean())}
    accepts: dict[str, Any] = {"accept": action.accept_rate}
    mpc, empc, cost = _metrics()
    spread, shape = (empc, _beta(action)) if 0 < action.accept_rate < 1 else (mpc, accepts)
    contacted = (p_churn > break_even_probability(value_if_kept, action)).astype(float)
    own = terms | accepts | {"clv": value_if_kept}
    return ProfitScores(
        mpc=float(mpc(label, p_churn, **mean, **accepts)),
        mpc_share=float(mpc.optimal_rate(label, p_churn, **mean, **accepts)),
        empc=float(spread(label, p_churn, **mean, **shape)),
        empc_share=float(spread.optimal_rate(label, p_churn, **mean, **shape)),
        expected_cost=float(cost(label, contacted, **own)),
        cost_of_nothing=float(cost(label, np.zeros_like(contacted), **own)),
    )


def _beta(action: Action) -> dict[str, Any]:
    alpha = CERTAINTY * action.accept_rate
    return {"alpha": alpha, "beta": CERTAINTY - alpha}


@cache
def _metrics() -> "tuple[Metric, Metric, Metric]":
    """MPC, EMPC and expected cost. empulse's own have no share of stayers that redeems."""
    import sympy
    import sympy.stats
    from empulse.metrics import Cost, CostMatrix, MaxProfit, Metric

    clv, offer, contact, redeem, accept, alpha, beta = sympy.symbols(
        "clv offer contact redeem accept alpha beta"
    )

    def campaign(share: Any) -> "CostMatrix":
        saved = CostMatrix().add_tp_benefit(share * (clv - offer) - contact)
        return saved.add_fp_cost(redeem * offer + contact)

    beta_share = sympy.stats.Beta("share", alpha, beta)
    lost = campaign(accept).add_tp_cost(clv).add_fn_cost(clv)
    return (
        Metric(campaign(accept), MaxProfit()),
        Metric(campaign(beta_share), MaxProfit()),
        Metric(lost, Cost()),
    )
