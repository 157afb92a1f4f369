"""What contacting changed: customers who stayed, treated against control, list by list."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pandas as pd

from patronage.features import CustomerTables, DayTable
from patronage.tracking.realised import ScoredRun, labels_of, share_interval

TREAT, CONTROL = "treat", "control"
OUTCOMES = ("customer_id", "list_id", "arm", "outcome")


@dataclass(frozen=True, kw_only=True)
class ListOutcome:
    """One list: who was treated, who was kept as control, and how many of each stayed.

    The numbers of customers count those whose label is known. `difference` is the share of the
    treated who stayed less that of the control group, with its 95 % interval; None without both
    arms or before the label is known. It is the effect of the contact only if chance decided who
    was in which arm. `told` counts the outcomes that the retention team reported.
    """

    list_id: str
    as_of: date | None
    matured: bool
    treated: int
    treated_stayed: int
    control: int
    control_stayed: int
    difference: float | None
    low: float | None
    high: float | None
    cost: float | None
    told: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def difference_interval(
    stayed: int, n: int, other_stayed: int, other_n: int
) -> tuple[float, float, float]:
    """Difference of two shares and its 95 % interval, after Newcombe [1]_, method 10.

    References
    ----------
    .. [1] Newcombe (1998), Interval estimation for the difference between independent proportions,
       Statistics in Medicine 17(8).
    """
    share, other = stayed / n, other_stayed / other_n
    low, high = share_interval(stayed, n)
    other_low, other_high = share_interval(other_stayed, other_n)
    down = ((share - low) ** 2 + (other_high - other) ** 2) ** 0.5
    up = ((high - share) ** 2 + (other - other_low) ** 2) ** 0.5
    difference = share - other
    return difference, difference - down, difference + up


def save_rates(
    outcomes: pd.DataFrame,
    runs: Mapping[str, ScoredRun],
    tables: DayTable | CustomerTables,
    *,
    data_end: date,
) -> list[ListOutcome]:
    """What came of each list, the earliest first; lists of no known run last.

    Parameters
    ----------
    outcomes
        The table of that contract.
    runs
        By run_id, which is the `list_id` of their lists.
    tables
        The customer days of today; of contracts the customer tables, with the subscriptions.
    data_end
        The first day that they do not cover.
    """
    found = [
        _list_outcome(str(list_id), rows, runs.get(str(list_id)), tables, data_end)
        for list_id, rows in outcomes.groupby("list_id", sort=True)
    ]
    return sorted(found, key=lambda one: (one.as_of is None, one.as_of or date.min, one.list_id))


def _list_outcome(
    list_id: str,
    rows: pd.DataFrame,
    run: ScoredRun | None,
    tables: DayTable | CustomerTables,
    data_end: date,
) -> ListOutcome:
    matured = run is not None and run.matures <= data_end
    arms = rows.groupby("customer_id", as_index=False).agg(
        treat=("arm", lambda arm: TREAT in set(arm))
    )
    stayed = {True: (0, 0), False: (0, 0)}
    if run is not None and matured:
        labels = labels_of(run, tables, data_end=data_end)
        known = arms.assign(customer_id=arms["customer_id"].astype(str)).merge(labels)
        kept = known["churned"] == 0
        stayed = {
            arm: (int(kept[known["treat"] == arm].sum()), int((known["treat"] == arm).sum()))
            for arm in (True, False)
        }
    both = stayed[True][1] > 0 and stayed[False][1] > 0
    interval = difference_interval(*stayed[True], *stayed[False]) if both else (None, None, None)
    cost = rows["cost"].sum(min_count=1) if "cost" in rows else None
    return ListOutcome(
        list_id=list_id,
        as_of=None if run is None else run.as_of,
        matured=matured,
        treated_stayed=stayed[True][0],
        treated=stayed[True][1],
        control_stayed=stayed[False][0],
        control=stayed[False][1],
        difference=interval[0],
        low=interval[1],
        high=interval[2],
        cost=None if cost is None or pd.isna(cost) else float(cost),
        told={str(name): int(n) for name, n in rows["outcome"].value_counts().items()},
    )
