"""What the search for parameters brought, in words."""

from collections.abc import Mapping
from typing import Any

SAME = 5e-5
"""Nats that are told as no difference."""


def gain_sentence(gain: Mapping[str, Any]) -> str:
    """What the search brought, for the log and the report."""
    folds, test = gain["folds"], gain["test"]
    if not gain["taken"]:
        ahead = folds["untuned"] - gain["best_on_folds"]
        return (
            f"Tuning: {gain['trials']} trials, the best {ahead:.4f} nats ahead of the default "
            "parameters on the folds, too little to be told from chance: the defaults are used."
        )
    ahead, later = folds["untuned"] - folds["tuned"], test["untuned"] - test["tuned"]
    return (
        f"Tuning: {gain['trials']} trials; trial {gain['best_trial']} is {ahead:.4f} nats ahead of "
        f"the default parameters on the folds, and out of time {_in_words(later)}."
    )


def _in_words(later: float) -> str:
    if abs(later) < SAME:
        return "as good"
    return f"{abs(later):.4f} {'ahead' if later > 0 else 'behind'}"
