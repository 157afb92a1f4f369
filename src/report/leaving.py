"""How many are expected to leave, and what that means, in words."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from patronage.retention.wording import counted


def leaving_name(days: int | None) -> str:
    """What is counted: customers who buy nothing in so many days.

    Examples
    --------
    >>> leaving_name(90)
    'Expected not to buy in 90 days'
    """
    return f"Expected not to buy in {counted(days, 'day')}" if days else "Expected not to buy"


def leaving_share(p_churn: "pd.Series[float]", test: Mapping[str, Any]) -> str:
    """The share of all listed who are expected to, beside that which did after the test day."""
    if p_churn.empty:
        return ""
    then = f"after {test['as_of']} it was" if test.get("as_of") else "of those kept aside it was"
    return f"{p_churn.mean():.0%}; {then} {test['churn_rate']:.0%}"


def leaving_meaning(days: int | None, lead_days: int | None) -> str:
    """What the two chances of the list are chances of.

    Parameters
    ----------
    days
        Length of the horizon; None where the run does not tell.
    lead_days
        Days between the day of the list and the horizon.
    """
    span = f"in {counted(days, 'day')}" if days else "within the horizon"
    after = f", from {counted(lead_days, 'day')} after the day of the list on" if lead_days else ""
    return (
        f"Chance to leave: the probability that the customer buys nothing {span}{after}. Chance "
        "still a customer: the probability that they have not gone for good already; one who has "
        "not may still buy nothing for a while. Where it is small, think of a win-back campaign."
    )
