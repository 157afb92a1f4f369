import json

import numpy as np
import pandas as pd
import pytest

from patronage.config import Action
from patronage.retention.judged_money import judged_money, money_figures

VOUCHER = Action(name="10 % voucher", contact_cost=1, offer_cost=10, accept_rate=0.3)
CALL = Action(name="call", contact_cost=4, offer_cost=0, accept_rate=0.3)
RNG = np.random.default_rng(0)
P = RNG.beta(2, 2, 400)
SCORES = pd.DataFrame(
    {
        "churned": (RNG.random(400) < P).astype(int),
        "ours": P,
        "flat": 0.5,
        "worth": RNG.gamma(2, 60, 400),
    }
)


@pytest.fixture(scope="module")
def money():
    return judged_money(SCORES, ["ours", "flat"], value="worth", actions=[VOUCHER, CALL])


def test_the_cuts_are_those_of_the_first_score(money):
    assert [cut["cut"] for cut in money["cuts"]] == [
        *("1%", "2%", "5%", "10%", "20%", "30%", "50%"),
        "threshold",
    ]
    last = money["cuts"][-1]
    ours = money["models"]["ours"]
    assert last["customers"] == ours["contacts"]
    assert last["expected_net_value"] == pytest.approx(ours["expected_net_value"])
    assert last["realised_net_value"] == pytest.approx(ours["realised_net_value"])


def test_every_score_has_every_action(money):
    for model in money["models"].values():
        assert [one["action"] for one in model["actions"]] == ["10 % voucher", "call"]
    figures = dict(money_figures(money))
    assert figures["cut.10%.customers"] == 40
    assert figures["ours.10 % voucher.empc"] > 0
    assert figures["flat.call.expected_cost"] > 0
    assert len(figures) == 8 * 8 + 2 * (3 + 2 * 6)


def test_what_is_not_defined_is_null_in_json():
    poor = SCORES.assign(worth=1.0)
    money = judged_money(poor, ["ours"], value="worth", actions=[VOUCHER])
    told = json.loads(json.dumps(money, allow_nan=False))
    assert told["cuts"][-1]["precision"] is None
    assert told["cuts"][-1]["customers"] == 0
    assert "cut.threshold.precision" not in dict(money_figures(money))
