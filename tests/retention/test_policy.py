import dataclasses

import pytest

from patronage.config import Action, RetentionSection
from patronage.errors import SettingsError
from patronage.retention import RetentionPolicy

CALL = Action(name="call", contact_cost=3, offer_cost=0, accept_rate=0.3)


def test_a_policy_holds_what_the_settings_say():
    section = RetentionSection(
        budget=1200, actions=[CALL], act_within_days=5, owner="Ada", watch_rows=50
    )
    assert RetentionPolicy.from_settings(section) == RetentionPolicy(
        actions=(CALL,), budget=1200, act_within_days=5, owner="Ada", watch_rows=50
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
