import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from patronage.config import Action
from patronage.retention.campaign_cuts import campaign_cuts, campaign_outcome
from patronage.retention.economics import expected_net_value, prospects

VOUCHER = Action(name="voucher", contact_cost=1, offer_cost=10, accept_rate=0.5, redeem_rate=0.8)
CALL = Action(name="call", contact_cost=4, offer_cost=0, accept_rate=0.3)
P = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
LEFT = np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0], dtype=float)
VALUE = np.full(10, 50.0)


def test_cuts_by_hand():
    table = campaign_cuts(P, LEFT, VALUE, [VOUCHER], shares=(0.1, 0.3)).set_index("cut")
    first = table.loc["10%"]
    assert first["customers"] == 1
    assert first["expected_net_value"] == pytest.approx(0.9 * 0.5 * 40 - 0.1 * 8 - 1)
    assert first["realised_net_value"] == pytest.approx(0.5 * 40 - 1)
    third = table.loc["30%"]
    assert third[["customers", "churners_caught", "wasted_contacts"]].tolist() == [3, 2, 1]
    assert third["share_of_churners"] == pytest.approx(2 / 4)
    assert third["precision"] == pytest.approx(2 / 3)
    assert third["lift"] == pytest.approx(2 / 3 / 0.4)
    assert third["realised_net_value"] == pytest.approx(19 + 19 - 8 - 1)
    # the threshold is (8 + 1) / (0.5 * 40 + 8) = 0.32
    assert table.loc["threshold", ["customers", "churners_caught"]].tolist() == [6, 3]


def test_nobody_for_whom_it_pays_is_a_cut_without_customers():
    table = campaign_cuts(P, LEFT, VALUE / 10, [VOUCHER]).set_index("cut")
    nobody = table.loc["threshold"]
    assert nobody["customers"] == 0
    assert nobody["realised_net_value"] == 0
    assert np.isnan(nobody["precision"])
    assert table.loc["1%", "customers"] == 1


def test_of_equal_chances_the_more_valuable_come_first():
    value = np.arange(10.0) * 100
    table = campaign_cuts(np.full(10, 0.5), LEFT, value, [VOUCHER], shares=(0.1,))
    assert table["expected_net_value"][0] == pytest.approx(0.25 * 890 - 4 - 1)


def test_who_is_contacted_gets_the_action_that_p_recommends():
    value = np.array([30.0, 5000.0])
    p, left = np.array([0.9, 0.02]), np.array([0.0, 1.0])
    outcome = campaign_outcome(p, left, value, [VOUCHER, CALL])
    assert outcome.realised == pytest.approx([-8 - 1, 0.5 * 4990 - 1])
    assert outcome.pays.tolist() == [True, True]


values = arrays(float, 8, elements=st.floats(0, 1000))
chances = arrays(float, 8, elements=st.floats(0, 1))


@given(p=chances, value=values)
def test_the_threshold_is_where_the_best_action_begins_to_pay(p, value):
    """The closed form against every p of a fine grid, two actions at once."""
    grid = np.linspace(0, 1, 2001)
    actions = [VOUCHER, CALL]
    thresholds = prospects(p, value, actions).break_even
    for each, threshold in zip(value, thresholds, strict=True):
        worth = np.full_like(grid, each)
        best = np.max([expected_net_value(grid, worth, one) for one in actions], axis=0)
        paying = grid[best > 1e-9]
        if len(paying):
            assert threshold == pytest.approx(paying[0], abs=1 / 2000)
        else:
            assert threshold > 1 - 1e-6
    pays = campaign_outcome(p, np.zeros(8), value, actions).pays
    clear = np.abs(p - thresholds) > 1e-9
    assert (pays == (p > thresholds))[clear].all()


@given(p=chances, value=values)
def test_had_p_been_certain_no_other_choice_would_have_brought_more(p, value):
    left = (p > 0.5).astype(float)
    perfect = campaign_outcome(left, left, value, [VOUCHER, CALL]).by_threshold
    chosen = campaign_outcome(p, left, value, [VOUCHER, CALL]).by_threshold
    assert (perfect >= chosen - 1e-9).all()
    assert (perfect >= 0).all()


def test_what_is_expected_of_honest_chances_comes():
    rng = np.random.default_rng(0)
    p, value = rng.beta(2, 2, 200_000), rng.gamma(2, 60, 200_000)
    left = (rng.random(200_000) < p).astype(float)
    table = campaign_cuts(p, left, value, [VOUCHER, CALL])
    assert table["realised_net_value"].to_numpy() == pytest.approx(
        table["expected_net_value"].to_numpy(), rel=0.02
    )
    by_threshold = table["expected_net_value"].iloc[-1]
    assert (table["expected_net_value"].iloc[:-1] < by_threshold).all()
