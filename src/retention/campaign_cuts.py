"""What contacting the first so many customers would have brought, once it is known who left."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from patronage.config import Action
from patronage.retention.economics import Flags, Floats, of_action, prospects

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
THRESHOLD = "threshold"


@dataclass(frozen=True)
class Outcome:
    """Every customer's best action as it was foreseen, and what it comes to.

    Attributes
    ----------
    pays
        Whether p lies above the customer's own threshold, the p at which the best action's
        expected net value is zero.
    expected
        Expected net value of the action, by p.
    realised
        The same with what came in place of p. Who leaves is known; that the assumed share accepts
        is still an assumption.
    """

    pays: Flags
    expected: Floats
    realised: Floats

    @property
    def by_threshold(self) -> Floats:
        """What each customer would have brought had those been contacted for whom it pays."""
        return np.where(self.pays, self.realised, 0.0)


def campaign_outcome(
    p_churn: Floats, churned: Floats, value_if_kept: Floats, actions: Sequence[Action]
) -> Outcome:
    """Give every customer the action that p recommends, then look at the label.

    Parameters
    ----------
    p_churn, churned, value_if_kept
        One finite number per customer: probability, label (0 or 1), and an amount of money.
    actions
        At least one.
    """
    foreseen = prospects(p_churn, value_if_kept, actions)
    action = foreseen.best()
    came = prospects(churned, value_if_kept, actions)
    expected = of_action(foreseen.net_value, action)
    return Outcome(expected > 0, expected, of_action(came.net_value, action))


def campaign_cuts(
    p_churn: Floats,
    churned: Floats,
    value_if_kept: Floats,
    actions: Sequence[Action],
    *,
    shares: Sequence[float] = SHARES,
) -> pd.DataFrame:
    """Judge cuts of a score on customers whose label is known.

    Parameters
    ----------
    p_churn, churned, value_if_kept, actions
        As for `campaign_outcome`; somebody churned.
    shares
        Of the customers, those with the highest p first; of equal p, the more valuable first.

    Returns
    -------
    DataFrame
        A row per share, and one (`cut` = "threshold") for everybody whose p lies above their own
        threshold: `cut`, `customers`, `churners_caught`, `share_of_churners` (the gains),
        `wasted_contacts` (who would have stayed), `precision`, `lift`, `expected_net_value` and
        `realised_net_value` in the currency of the values. A cut without customers has neither
        precision nor lift (NaN).
    """
    outcome = campaign_outcome(p_churn, churned, value_if_kept, actions)
    order = np.lexsort((-value_if_kept, -p_churn))
    n = len(p_churn)
    cuts = {f"{share:.0%}": order[: max(round(share * n), 1)] for share in shares}
    cuts[THRESHOLD] = np.flatnonzero(outcome.pays)
    return pd.DataFrame([_cut(name, rows, churned, outcome) for name, rows in cuts.items()])


def _cut(
    name: str, rows: "np.ndarray[tuple[int], np.dtype[np.intp]]", churned: Floats, of: Outcome
) -> dict[str, str | int | float]:
    contacted, caught = len(rows), int(churned[rows].sum())
    precision = caught / contacted if contacted else float("nan")
    return {
        "cut": name,
        "customers": contacted,
        "churners_caught": caught,
        "share_of_churners": caught / float(churned.sum()),
        "wasted_contacts": contacted - caught,
        "precision": precision,
        "lift": precision / float(churned.mean()),
        "expected_net_value": float(of.expected[rows].sum()),
        "realised_net_value": float(of.realised[rows].sum()),
    }
