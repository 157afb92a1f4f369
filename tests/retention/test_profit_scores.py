import numpy as np
import pytest
from scipy.stats import beta

from patronage.config import Action
from patronage.retention.campaign_cuts import campaign_outcome
from patronage.retention.profit_scores import profit_scores

RNG = np.random.default_rng(7)
P = RNG.beta(2, 2, 3000)
LEFT = (RNG.random(3000) < P).astype(float)
VALUE = RNG.gamma(2, 100, 3000)
PAPER = Action(name="paper", contact_cost=1, offer_cost=10, accept_rate=0.3)
VOUCHER = Action(name="voucher", contact_cost=1, offer_cost=40, accept_rate=0.3, redeem_rate=0.5)


def best_cut(action, rate):
    """The highest mean profit over all cuts, tried one by one."""
    left = LEFT[np.argsort(-P)]
    saved = rate * (VALUE.mean() - action.offer_cost) - action.contact_cost
    wasted = action.redeem_rate * action.offer_cost + action.contact_cost
    profit = np.concatenate([[0], np.cumsum(np.where(left == 1, saved, -wasted))]) / len(left)
    return profit.max(), profit.argmax() / len(left)


@pytest.mark.parametrize("action", [PAPER, VOUCHER], ids=["as in the papers", "half redeem"])
def test_mpc_is_the_profit_of_the_best_cut(action):
    found = profit_scores(P, LEFT, VALUE, action)
    assert (found["mpc"], found["mpc_share"]) == pytest.approx(best_cut(action, 0.3))


@pytest.mark.parametrize("action", [PAPER, VOUCHER], ids=["as in the papers", "half redeem"])
def test_empc_is_its_mean_over_who_accepts(action):
    rates = beta(6, 14).ppf((np.arange(400) + 0.5) / 400)
    cuts = np.array([best_cut(action, rate) for rate in rates])
    found = profit_scores(P, LEFT, VALUE, action)
    assert found["empc"] == pytest.approx(cuts[:, 0].mean(), rel=1e-3)
    assert found["empc_share"] == pytest.approx(cuts[:, 1].mean(), abs=1e-3)


def test_the_measures_of_the_papers_are_those_of_empulse():
    from empulse.metrics import empc_score, mpc_score

    terms = {"clv": VALUE.mean(), "incentive_cost": 10, "contact_cost": 1}
    found = profit_scores(P, LEFT, VALUE, PAPER)
    assert found["mpc"] == pytest.approx(mpc_score(LEFT, P, accept_rate=0.3, **terms))
    assert found["empc"] == pytest.approx(empc_score(LEFT, P, alpha=6, beta=14, **terms))


def test_expected_cost_is_what_leaves_less_what_contacting_brings():
    found = profit_scores(P, LEFT, VALUE, VOUCHER)
    assert found["cost_of_nothing"] == pytest.approx((LEFT * VALUE).mean())
    brought = campaign_outcome(P, LEFT, VALUE, [VOUCHER]).by_threshold.mean()
    assert found["cost_of_nothing"] - found["expected_cost"] == pytest.approx(brought)
    assert brought > 0


LIMITS = {
    "the offer costs more than it saves": (1000.0, 0.3, 0.0),
    "nobody accepts": (10.0, 0.0, 0.0),
    "all accept what costs nothing": (0.0, 1.0, (LEFT.mean() * VALUE.mean())),
}


@pytest.mark.parametrize(("offer", "rate", "profit"), LIMITS.values(), ids=LIMITS.keys())
def test_limits(offer, rate, profit):
    action = Action(name="any", contact_cost=0, offer_cost=offer, accept_rate=rate)
    found = profit_scores(P, LEFT, VALUE, action)
    assert (found["mpc"], found["empc"]) == pytest.approx((profit, profit))


def test_the_better_score_is_worth_more():
    noisy = np.clip(P + RNG.normal(0, 0.3, 3000), 0.01, 0.99)
    better, worse = (profit_scores(p, LEFT, VALUE, VOUCHER) for p in (P, noisy))
    assert better["empc"] > worse["empc"]
    assert better["mpc"] > worse["mpc"]
    assert better["expected_cost"] < worse["expected_cost"]
