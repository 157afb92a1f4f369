"""What each chart says, in one sentence computed from what it shows."""

import pandas as pd

from patronage.report.calibration_chart import calibration_bins
from patronage.report.gains_chart import share_reached
from patronage.report.value_chart import value_by_decile
from patronage.retention.wording import chance, counted, money


def calibration_reading(p_churn: pd.Series, churned: pd.Series) -> str:
    """What was predicted for the tenth at highest risk, and what came of it."""
    top = calibration_bins(p_churn, churned).iloc[-1]
    return (
        f"Of the tenth most likely to leave, {counted(int(top['n']), 'customer')}, "
        f"{chance(top['predicted'])} were expected to leave and {chance(top['observed'])} did."
    )


def gains_reading(evaluation: pd.DataFrame) -> str:
    """What contacting a fifth of the customers reaches, in the model's order and by recency.

    Where the model reaches no more than recency does, as the shares are shown, it says so.
    """
    churned = evaluation["churned"]
    ours = share_reached(evaluation["patronage"], churned, 0.2)
    text = f"Contacting the 20% most likely to leave reaches {chance(ours)} of all who leave"
    if "recency" not in evaluation:
        return f"{text}; 20% taken at random reach 20%."
    recency = share_reached(evaluation["recency"], churned, 0.2)
    text = f"{text}; the 20% who have been away longest are {chance(recency)} of them"
    if round(ours, 2) > round(recency, 2):
        return f"{text}."
    return f"{text}: that far down the list the model is no better than days since last purchase."


def lift_reading(evaluation: pd.DataFrame) -> str:
    """What lift is, by the tenth most likely to leave."""
    lift = share_reached(evaluation["patronage"], evaluation["churned"], 0.1) / 0.1
    return (
        f"Lift: of 100 contacted in the tenth most likely to leave, {lift:.1f} times as many are "
        "about to leave as of 100 drawn by lot."
    )


def value_reading(customers: pd.DataFrame, *, currency: str) -> str:
    """Which tenth holds most of the value at risk."""
    value = value_by_decile(customers)["value_at_risk"]
    total = value.sum()
    if not total > 0:
        return f"The value at risk is {money(total, currency)}."
    return (
        f"Of {money(total, currency)} at risk, {chance(value.max() / total)} lies in tenth "
        f"{value.idxmax()}: risk alone does not say whom to contact, value and cost count too."
    )


def alive_reading() -> str:
    """How to read the heat map."""
    return (
        "The more often a customer has bought, the sooner silence means that they have left: the "
        "same pause counts more in an upper row than in a lower one."
    )


def tracking_reading(tracking: pd.DataFrame) -> str:
    """Purchases expected and made, in all."""
    actual, expected = tracking["actual"].sum(), tracking["expected"].sum()
    text = f"Over {len(tracking):,} weeks {expected:,.0f} repeat purchases were expected"
    if not actual > 0:
        return f"{text} and none was made."
    off = expected / actual - 1
    direction = "high" if off > 0 else "low"
    return f"{text} and {actual:,.0f} were made: the model is {abs(off):.1%} too {direction}."
