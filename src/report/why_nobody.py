"""Why a list selects nobody."""

import pandas as pd

from patronage.retention.at_risk import GONE, OVER_BUDGET
from patronage.retention.wording import counted, money


def why_nobody(at_risk: pd.DataFrame, *, budget: float, currency: str) -> str:
    """One sentence for a list on which nobody is selected: no action pays, or none is affordable.

    Parameters
    ----------
    at_risk
        As made by `patronage.retention.at_risk_list`.
    budget
        In the currency, an ISO 4217 code.
    """
    worth_it = int((at_risk["risk_band"] == OVER_BUDGET).sum())
    if not worth_it:
        return f"Nobody is to be contacted: no action pays{_but_for_the_gone(at_risk)}."
    more = f"with enough of it {counted(worth_it, 'customer')} would pay"
    if not budget:
        return f"Nobody is to be contacted: the budget is 0; {more}."
    return (
        "Nobody is to be contacted: the budget of "
        f"{money(budget, currency)} is less than any contact would cost; {more}."
    )


def _but_for_the_gone(at_risk: pd.DataFrame) -> str:
    gone = (at_risk["do_not_contact_reason"] == GONE) & (at_risk["expected_net_value"] > 0)
    if not gone.any():
        return ""
    found = counted(int(gone.sum()), "customer who is", "customers who are")
    return f" but for {found} most likely gone for good ([retention] min_p_alive)"
