"""What a retention team may spend, on which actions, and by when."""

from dataclasses import dataclass
from math import isfinite
from typing import Self

from patronage.config import Action, RetentionSection
from patronage.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """The actions a retention team can take and the budget that pays for them.

    Parameters
    ----------
    actions
        At least one; costs in the ledger's currency.
    budget
        Expected cost of all actions of one list, at most; finite, >= 0, in the ledger's currency.
    min_p_alive
        Who is less likely than this to be still active is not contacted; from 0 to 1. An action's
        `accept_rate` is a mean over would-be leavers and does not hold for who has long gone.
    act_within_days
        Days from the list's `as_of` to its `do_by`.
    owner
        Who works the list; may be empty.
    watch_rows
        The Watch sheet holds at most so many customers.

    Raises
    ------
    SettingsError
        If there is no action, the budget is no amount, or `min_p_alive` no probability.
    """

    actions: tuple[Action, ...]
    budget: float
    min_p_alive: float = 0.05
    act_within_days: int = 7
    owner: str = ""
    watch_rows: int = 500

    def __post_init__(self) -> None:
        """Check the policy once, when it is made."""
        if not self.actions:
            raise SettingsError(
                "[retention] actions is empty. Name at least one: [[retention.actions]] name = ..."
            )
        if not (isfinite(self.budget) and self.budget >= 0):
            raise SettingsError(
                f"[retention] budget = {self.budget} must be a finite amount of at least 0."
            )
        if not 0 <= self.min_p_alive <= 1:
            raise SettingsError(
                f"[retention] min_p_alive = {self.min_p_alive} must lie between 0 and 1."
            )

    @classmethod
    def from_settings(cls, section: RetentionSection) -> Self:
        """Policy of the section `[retention]` of the settings."""
        return cls(
            actions=tuple(section.actions),
            budget=section.budget,
            min_p_alive=section.min_p_alive,
            act_within_days=section.act_within_days,
            owner=section.owner,
            watch_rows=section.watch_rows,
        )
