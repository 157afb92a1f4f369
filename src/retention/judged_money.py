"""Scores of customers whose label is known, judged in money: for metrics.json and the report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from patronage.config import Action
from patronage.retention.campaign_cuts import campaign_cuts, campaign_outcome
from patronage.retention.economics import Floats
from patronage.retention.profit_scores import profit_scores


def judged_money(
    scores: pd.DataFrame,
    names: Sequence[str],
    *,
    value: str,
    actions: Sequence[Action],
) -> dict[str, Any]:
    """What contacting by each score would have brought.

    Parameters
    ----------
    scores
        One row per customer: `churned`, the column `value`, and a probability of churn per name.
    names
        The scores to judge; the cuts are those of the first.
    value
        The column with each customer's value if kept, as it was known then.
    actions
        What can be done, with its costs.

    Returns
    -------
    dict
        For JSON: `cuts`, as by `campaign_cuts`; `models`, for each score its `contacts` and their
        `expected_net_value` and `realised_net_value` when everybody above their own threshold is
        contacted, and under `actions`, in their order, the `action` and its `profit_scores`.
    """
    left, worth = (scores[name].to_numpy(dtype=float) for name in ("churned", value))
    chances = {name: scores[name].to_numpy(dtype=float) for name in names}
    cuts = campaign_cuts(chances[names[0]], left, worth, actions).astype(object)
    return {
        "cuts": cuts.where(cuts.notna(), None).to_dict("records"),
        "models": {name: _model(p, left, worth, actions) for name, p in chances.items()},
    }


def _model(p: Floats, left: Floats, worth: Floats, actions: Sequence[Action]) -> dict[str, Any]:
    outcome = campaign_outcome(p, left, worth, actions)
    return {
        "contacts": int(outcome.pays.sum()),
        "expected_net_value": float(outcome.expected[outcome.pays].sum()),
        "realised_net_value": float(outcome.by_threshold.sum()),
        "actions": [
            {"action": action.name, **profit_scores(p, left, worth, action)} for action in actions
        ],
    }


def money_figures(money: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Name and number of every figure of `judged_money`.

    The names are such as "cut.10%.lift" and "patronage.voucher.empc".
    """
    for cut in money["cuts"]:
        yield from _numbers(f"cut.{cut['cut']}", cut)
    for name, model in money["models"].items():
        yield from _numbers(name, model)
        for action in model["actions"]:
            yield from _numbers(f"{name}.{action['action']}", action)


def _numbers(prefix: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, figure in figures.items():
        if isinstance(figure, int | float):
            yield f"{prefix}.{name}", figure
