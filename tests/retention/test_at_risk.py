from datetime import date
from math import fsum

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patronage.config import Action
from patronage.errors import DataError
from patronage.retention import RetentionPolicy, at_risk_list
from patronage.retention.at_risk import AT_RISK_COLUMNS

AS_OF = date(1998, 7, 1)
VOUCHER = Action(name="voucher", contact_cost=0.5, offer_cost=10, accept_rate=0.25, redeem_rate=0.8)
CALL = Action(name="call", contact_cost=4, offer_cost=0, accept_rate=0.3)
POLICY = RetentionPolicy(actions=(VOUCHER, CALL), budget=1000, act_within_days=7, owner="Ada")
NO_REASONS = pd.DataFrame(columns=["customer_id", "reason_1", "reason_2", "reason_3"])


def customers(p_churn, value, ids=None, eligible=True):
    p_churn, value = np.asarray(p_churn, dtype=float), np.asarray(value, dtype=float)
    return pd.DataFrame(
        {
            "customer_id": ids or [f"c{n}" for n in range(len(p_churn))],
            "as_of": pd.Timestamp(AS_OF),
            "run_id": "run",
            "model_version": "3",
            "eligible": eligible,
            "p_churn": p_churn,
            "p_alive": 0.5,
            "p_no_purchase": p_churn,
            "expected_purchases": 1.5,
            "expected_spend": 30.0,
            "clv": (1 - p_churn) * value,
            "value_if_kept": value,
            "value_at_risk": p_churn * value,
            "days_since_last": 40,
            "usual_gap_days": np.nan,
            "frequency": 0,
        }
    )


def listed(table, policy=POLICY, reasons=NO_REASONS, as_of=AS_OF):
    return at_risk_list(table, reasons, policy, as_of=as_of)


def bare(budget, *actions):
    return RetentionPolicy(actions=actions, budget=budget)


def test_the_list_has_its_columns_in_order():
    assert tuple(listed(customers([0.5], [100])).columns) == AT_RISK_COLUMNS


def test_chances_of_further_horizons_follow_that_of_the_main_one():
    table = customers([0.5, 0.4], [100, 900]).assign(p_churn_60=0.6, p_churn_30=[0.7, 0.8])
    found = listed(table.assign(p_churn_30_low=0.1))
    place = AT_RISK_COLUMNS.index("p_churn") + 1
    assert list(found)[place : place + 2] == ["p_churn_30", "p_churn_60"]
    assert tuple(found.drop(columns=["p_churn_30", "p_churn_60"])) == AT_RISK_COLUMNS
    assert found["p_churn_30"].tolist() == [0.8, 0.7]


def test_the_most_rewarding_customer_comes_first():
    table = listed(customers([0.9, 0.2, 0.5], [100, 1000, 500]))
    assert table["customer_id"].tolist() == ["c2", "c1", "c0"]
    assert table["rank"].tolist() == [1, 2, 3]
    assert table["expected_net_value"].tolist() == pytest.approx([71.0, 56.0, 23.0])


def test_equal_net_values_go_by_id():
    table = customers([0.5] * 4, [100] * 4, ids=["b", "é", "a", "Z"])
    assert listed(table)["customer_id"].tolist() == ["Z", "a", "b", "é"]


def test_who_has_long_left_is_not_listed():
    table = customers([0.9, 0.8, 0.7], [100] * 3, eligible=[True, False, True])
    assert set(listed(table)["customer_id"]) == {"c0", "c2"}


GIFT = Action(name="gift", contact_cost=8, offer_cost=0, accept_rate=1)
MAIL = Action(name="mail", contact_cost=1, offer_cost=0, accept_rate=0.5)


def test_a_budget_that_does_not_bind_gives_everybody_the_best_action():
    table = listed(customers([0.9, 0.9, 0.9], [300, 200, 10]), bare(17, GIFT, MAIL))
    assert table["action"].tolist() == ["gift", "gift", "mail"]
    assert table["selected"].all()


def test_a_budget_that_binds_goes_where_it_brings_most_per_cost():
    # Two mails bring 134 and 89 at a cost of 1 each; the first gift 128 more at 7 more.
    table = listed(customers([0.9, 0.9, 0.9], [300, 200, 10]), bare(9, GIFT, MAIL))
    assert table["customer_id"].tolist() == ["c0", "c1", "c2"]
    assert table["action"].tolist() == ["gift", "mail", "mail"]
    assert table["selected"].tolist() == [True, True, False]
    assert table["expected_net_value"].tolist() == pytest.approx([262, 89, 3.5])


def test_the_selected_need_not_be_the_first_of_the_list():
    offer = Action(name="offer", contact_cost=0, offer_cost=10, accept_rate=0.5, redeem_rate=1)
    # Net values 20.5, 20.0, 17.0 at costs of 9.5, 5.0 and 8.0 with a certain leaver in the middle.
    table = listed(customers([0.1, 1.0, 0.4], [600, 50, 125]), bare(5, offer))
    assert table["customer_id"].tolist() == ["c0", "c1", "c2"]
    assert table["selected"].tolist() == [False, True, False]
    assert table["do_not_contact_reason"].tolist()[0] == "does not fit the budget"


def test_who_is_most_likely_gone_is_listed_but_not_contacted():
    policy = RetentionPolicy(actions=(CALL,), budget=1000, min_p_alive=0.05)
    table = customers([0.9, 0.9, 0.9], [300, 200, 100]).assign(p_alive=[0.049, 0.05, 0.9])
    by_id = listed(table, policy).set_index("customer_id").sort_index()
    assert by_id["selected"].tolist() == [False, True, True]
    assert by_id.loc["c0", "do_not_contact_reason"] == "most likely gone for good"
    assert by_id.loc["c0", "risk_band"] == "no action"
    assert by_id.loc["c0", "expected_net_value"] == pytest.approx(77)
    assert by_id["rank"].tolist() == [3, 1, 2]
    assert pd.isna(by_id.loc["c0", "do_by"])


def test_a_chance_of_a_thousandth_to_be_there_heads_no_list_unless_asked():
    table = customers([0.99, 0.5], [5000, 100]).assign(p_alive=[0.001, 0.9])
    assert listed(table, bare(100, CALL))["customer_id"].tolist() == ["c1", "c0"]
    asked = RetentionPolicy(actions=(CALL,), budget=100, min_p_alive=0)
    assert listed(table, asked)["customer_id"].tolist() == ["c0", "c1"]


def test_who_is_gone_takes_nothing_of_the_budget():
    policy = RetentionPolicy(actions=(CALL,), budget=4, min_p_alive=0.05)
    table = customers([0.9, 0.9], [300, 200]).assign(p_alive=[0.0, 0.9])
    by_id = listed(table, policy).set_index("customer_id")
    assert by_id["selected"].to_dict() == {"c0": False, "c1": True}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), budget=st.floats(0, 60))
def test_the_order_of_the_rows_changes_nothing(seed, budget):
    rng = np.random.default_rng(seed)
    table = customers(rng.choice([0.2, 0.5, 0.8], 12), rng.choice([50.0, 90.0], 12))
    mixed = table.sample(frac=1, random_state=seed)
    policy = bare(budget, VOUCHER, CALL)
    pd.testing.assert_frame_equal(listed(table, policy), listed(mixed, policy))


def test_the_bands_follow_from_the_economics():
    call = bare(8, CALL)
    table = listed(customers([0.9, 0.8, 0.7, 0.10, 0.01, 0.99], [100, 100, 100, 100, 100, 2]), call)
    by_id = table.set_index("customer_id")
    assert by_id["risk_band"].to_dict() == {
        "c0": "act",
        "c1": "act",
        "c2": "worth it, over budget",
        "c3": "watch",  # pays from 4 / 30 = 0.133 on
        "c4": "no action",
        "c5": "no action",
    }
    assert by_id["do_not_contact_reason"].to_dict() == {
        "c0": "",
        "c1": "",
        "c2": "does not fit the budget",
        "c3": "costs more than it saves",
        "c4": "costs more than it saves",
        "c5": "costs more than it saves, however high the risk",
    }


def test_the_selected_have_a_day_to_act_by():
    table = listed(customers([0.9, 0.001], [100, 100]))
    assert table["do_by"].iloc[0] == pd.Timestamp("1998-07-08")
    assert pd.isna(table["do_by"].iloc[1])
    assert set(table["owner"]) == {"Ada"}
    assert set(table["as_of"]) == {pd.Timestamp("1998-07-01")}


def test_the_percentile_counts_those_at_no_higher_risk():
    table = listed(customers([0.1, 0.2, 0.2, 0.4], [100] * 4)).set_index("customer_id")
    assert table["percentile"].to_dict() == {"c0": 25, "c1": 75, "c2": 75, "c3": 100}


def test_reasons_go_to_their_customers():
    reasons = pd.DataFrame(
        {"customer_id": ["c1"], "reason_1": ["late"], "reason_2": [None], "reason_3": [""]}
    )
    table = listed(customers([0.5, 0.5], [100, 100]), reasons=reasons).set_index("customer_id")
    assert table.loc["c1", ["reason_1", "reason_2", "reason_3"]].tolist() == ["late", "", ""]
    assert table.loc["c0", ["reason_1", "reason_2", "reason_3"]].tolist() == ["", "", ""]


@pytest.mark.parametrize(
    "nobody",
    [customers([], []), customers([0.5], [9], eligible=False)],
    ids=["no customers", "none eligible"],
)
def test_an_empty_list_is_a_list(nobody):
    table = listed(nobody)
    assert len(table) == 0
    assert tuple(table.columns) == AT_RISK_COLUMNS


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.floats(0, 1), st.floats(-100, 5000)), max_size=40),
    budget=st.floats(0, 200),
)
def test_the_budget_holds_and_nobody_who_fits_is_left_out(rows, budget):
    p_churn, value = zip(*rows, strict=True) if rows else ((), ())
    table = listed(customers(p_churn, value), bare(budget, VOUCHER, CALL))
    spent = fsum(table.loc[table["selected"], "action_cost"])
    assert spent <= budget + 1e-6
    assert (table.loc[table["selected"], "expected_net_value"] > 0).all()
    assert table["expected_net_value"].is_monotonic_decreasing
    left_out = table[~table["selected"] & (table["expected_net_value"] > 0)]
    assert (left_out["action_cost"] > budget - spent - 1e-6).all()


def test_nothing_handed_in_is_altered():
    table, reasons = customers([0.9, 0.1], [100, 50]), NO_REASONS.copy()
    before = table.copy()
    listed(table, reasons=reasons)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(reasons, NO_REASONS)


def test_a_missing_probability_is_refused():
    with pytest.raises(DataError, match=r"p_churn is missing .* for 1 of 3 .* first 'c1'"):
        listed(customers([0.5, np.nan, 0.5], [1, 1, 1]))


def test_a_missing_value_of_one_who_is_not_listed_does_no_harm():
    assert len(listed(customers([0.5, 0.5], [100, np.nan], eligible=[True, False]))) == 1


def test_a_score_that_is_no_probability_is_refused():
    with pytest.raises(DataError, match="outside 0 to 1 for 1 of 2 eligible customers, first 1.2"):
        listed(customers([0.5, 1.2], [1, 1]))


def test_a_customer_comes_once():
    with pytest.raises(DataError, match="1 rows of a customer_id seen before, first 'a'"):
        listed(customers([0.5, 0.5], [1, 1], ids=["a", "a"]))


def test_the_scores_are_of_the_day_of_the_list():
    with pytest.raises(DataError, match="customers is as of 1998-07-01, the list as of 1998-08-01"):
        listed(customers([0.5], [1]), as_of=date(1998, 8, 1))


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="customers lacks clv, value_if_kept"):
        listed(customers([0.5], [1]).drop(columns=["clv", "value_if_kept"]))


def test_a_missing_reason_column_is_named():
    with pytest.raises(DataError, match="reasons lacks reason_3"):
        listed(customers([0.5], [1]), reasons=NO_REASONS.drop(columns="reason_3"))
