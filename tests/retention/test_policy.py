import dataclasses

import pytest

from patronage.config import Action, RetentionSection
from patronage.errors import SettingsError
from patronage.retention import RetentionPolicy

CALL = Action(name="call", contact_cost=3, offer_cost=0, accept_rate=0.3)


def test_a_policy_holds_what_the_settings_say():
    section = RetentionSection(
        budget=1200,
        actions=[CALL],
        min_p_alive=0.05,
        act_within_days=5,
        owner="Ada",
        watch_rows=50,
    )
    assert RetentionPolicy.from_settings(section) == RetentionPolicy(
        actions=(CALL,),
        budget=1200,
        min_p_alive=0.05,
        act_within_days=5,
        owner="Ada",
        watch_rows=50,
    )


def test_a_policy_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError, match="budget"):
        RetentionPolicy(actions=(CALL,), budget=1).budget = 2


def test_a_policy_needs_an_action():
    with pytest.raises(SettingsError, match=r"\[retention\] actions is empty. Name at least one"):
        RetentionPolicy(actions=(), budget=10)


@pytest.mark.parametrize("budget", [-1.5, float("nan"), float("inf")])
def test_a_budget_is_an_amount(budget):
    with pytest.raises(SettingsError, match=rf"budget = {budget} must be a finite amount"):
        RetentionPolicy(actions=(CALL,), budget=budget)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_the_least_chance_to_be_active_is_a_probability(share):
    with pytest.raises(SettingsError, match=rf"min_p_alive = {share} must lie between 0 and 1"):
        RetentionPolicy(actions=(CALL,), budget=1, min_p_alive=share)
