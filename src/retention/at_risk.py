"""The at-risk list: eligible customers, ranked by what contacting them is expected to bring."""

from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.extensions import ExtensionArray

from patronage.errors import DataError
from patronage.horizon_columns import horizons_in
from patronage.retention.allocation import NOBODY, allocate
from patronage.retention.economics import (
    Flags,
    Floats,
    Positions,
    Prospects,
    of_action,
    prospects,
)
from patronage.retention.policy import RetentionPolicy

REASONS = ("reason_1", "reason_2", "reason_3")

AT_RISK_COLUMNS = (
    *("customer_id", "as_of", "run_id", "model_version", "rank", "selected", "action"),
    *("action_cost", "accept_rate", "expected_net_value", "p_churn", "percentile", "risk_band"),
    *("p_alive", "expected_purchases", "expected_spend", "clv", "value_if_kept", "value_at_risk"),
    *("days_since_last", "usual_gap_days", "do_by", "owner", *REASONS),
    *("do_not_contact_reason", "outcome"),
)
"""The list's columns, in order."""

ACT = "act"
OVER_BUDGET = "worth it, over budget"
WATCH = "watch"
NO_ACTION = "no action"

GONE = "most likely gone for good"
BUDGET_USED_UP = "does not fit the budget"
DOES_NOT_PAY = "costs more than it saves"
NEVER_PAYS = "costs more than it saves, however high the risk"

WATCH_SHARE = 0.5
"""A customer is watched from so large a share of the chance to leave at which an action pays."""

_TAKEN_OVER = (
    *("customer_id", "run_id", "model_version", "p_churn", "p_alive", "expected_purchases"),
    *("expected_spend", "clv", "value_if_kept", "value_at_risk", "days_since_last"),
    "usual_gap_days",
)


def at_risk_list(
    customers: pd.DataFrame, reasons: pd.DataFrame, policy: RetentionPolicy, *, as_of: date
) -> pd.DataFrame:
    """Whom to contact, with what and at what cost, the most rewarding first.

    The budget is spent so that it brings as much as it can, by `allocate`: when it pays for
    everybody's best action, all customers are selected whose best action has an expected net
    value above zero; when it does not, what counts is net value per cost, and a customer may get
    a cheaper action than the best or none. The list shows the action allocated to each customer
    selected, and the best one of each other, and is sorted by its expected net value: when the
    budget binds, the customers selected need not be the first ones. Who is most likely gone for
    good, `p_alive` below the policy's `min_p_alive`, comes last and is not selected.

    The bands follow from the economics: `act` (selected); `worth it, over budget` (an action
    pays, but does not fit the budget); `watch` (no action pays yet, but the chance to leave is
    at least half of what it would have to be); `no action` (all others, and who is most likely
    gone for good).

    Parameters
    ----------
    customers
        One row per customer, unique `customer_id`, with `eligible`, the scores and the values
        (money in the ledger's currency; `value_at_risk` = `p_churn` * `value_if_kept`); values,
        `p_churn` and `p_alive` are not missing for who is eligible.
    reasons
        `customer_id`, `reason_1` to `reason_3`; a customer without a row gets none.
    policy
        Actions, budget, least chance to be still active, days to act and owner.
    as_of
        The day the scores are for; that of `customers`.

    Returns
    -------
    DataFrame
        Eligible customers with the columns `AT_RISK_COLUMNS`, the chances of further horizons
        (`p_churn_30`, ...) after `p_churn` where `customers` has them. `percentile` is the
        percentage of eligible customers with a `p_churn` no higher (100 = most at risk); `do_by` is
        missing where a customer is not selected; `outcome` is empty, to be filled in.

    Raises
    ------
    DataError
        If a column or a number is missing, a customer appears twice, or `as_of` is another day.

    References
    ----------
    .. [1] Neslin, Gupta, Kamakura, Lu & Mason (2006), Defection Detection, Journal of Marketing
       Research 43(2), eq. (1).
    """
    _check(customers, as_of)
    further = horizons_in(customers).values()
    taken_over = [*_TAKEN_OVER, *further]
    eligible = customers.loc[customers["eligible"].to_numpy(dtype=bool), taken_over]
    offers, gone = _prospects(eligible, policy), _numbers(eligible, "p_alive") < policy.min_p_alive
    plan = _plan(offers, gone, policy.budget, eligible["customer_id"])
    order = _order(plan.net_value, eligible["customer_id"], last=gone)
    table, plan = eligible.iloc[order].reset_index(drop=True), plan.take(order)
    columns = {
        **{name: table[name] for name in table},
        "as_of": pd.Timestamp(as_of),
        "rank": np.arange(1, len(table) + 1),
        "percentile": table["p_churn"].rank(method="max", pct=True) * 100,
        **_what_to_do(plan, policy, as_of),
        **_how_it_stands(table["p_churn"].to_numpy(), plan),
        **_reason_texts(reasons, table["customer_id"]),
    }
    after = AT_RISK_COLUMNS.index("p_churn") + 1
    names = [*AT_RISK_COLUMNS[:after], *further, *AT_RISK_COLUMNS[after:]]
    return pd.DataFrame(columns, index=table.index, columns=names)


@dataclass(frozen=True)
class _Plan:
    """The action shown for each customer, and whether it is taken."""

    action: Positions
    net_value: Floats
    cost: Floats
    selected: Flags
    gone: Flags
    break_even: Floats

    def take(self, order: Positions) -> Self:
        return type(self)(*(column[order] for column in vars(self).values()))


def _check(customers: pd.DataFrame, as_of: date) -> None:
    missing = [name for name in ("as_of", "eligible", *_TAKEN_OVER) if name not in customers]
    if missing:
        raise DataError(f"customers lacks {', '.join(missing)}; the at-risk list needs them.")
    twice = customers.loc[customers["customer_id"].duplicated(), "customer_id"]
    if len(twice):
        raise DataError(
            f"customers holds {len(twice):,} rows of a customer_id seen before, first "
            f"{twice.iloc[0]!r}. Hand over one row per customer."
        )
    other = [day for day in pd.to_datetime(customers["as_of"].unique()) if day.date() != as_of]
    if other:
        raise DataError(f"customers is as of {other[0]:%Y-%m-%d}, the list as of {as_of}.")


def _prospects(eligible: pd.DataFrame, policy: RetentionPolicy) -> Prospects:
    p_churn = _numbers(eligible, "p_churn")
    outside = (p_churn < 0) | (p_churn > 1)
    if outside.any():
        raise DataError(
            f"p_churn lies outside 0 to 1 for {outside.sum():,} of {len(eligible):,} eligible "
            f"customers, first {p_churn[outside][0]:g}. Hand over calibrated probabilities."
        )
    return prospects(p_churn, _numbers(eligible, "value_if_kept"), policy.actions)


def _numbers(eligible: pd.DataFrame, name: str) -> Floats:
    numbers = eligible[name].to_numpy(dtype=np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise DataError(
            f"{name} is missing or infinite for {bad.sum():,} of {len(eligible):,} eligible "
            f"customers, first {eligible['customer_id'].iloc[int(bad.argmax())]!r}. "
            "Score them, or mark them as not eligible."
        )
    return numbers


def _order(net_value: Floats, ids: pd.Series, *, last: Flags) -> Positions:
    """Highest net value first; equal ones by id. Arrow compares the ids of ties only."""
    keys = pa.table({"last": last, "net_value": net_value, "customer_id": pa.array(ids)})
    by = [("last", "ascending"), ("net_value", "descending"), ("customer_id", "ascending")]
    return np.asarray(pc.sort_indices(keys, sort_keys=by))


def _plan(offers: Prospects, gone: Flags, budget: float, ids: pd.Series) -> _Plan:
    """Spend the budget; among equals it goes by net value and id, not by the order of the rows."""
    best = offers.best()
    order = _order(of_action(offers.net_value, best), ids, last=gone)
    allowed = np.where(gone, -np.inf, offers.net_value)
    allocated = np.empty_like(best)
    allocated[order] = allocate(allowed[:, order], offers.cost[:, order], budget)
    selected = allocated != NOBODY
    action = np.where(selected, allocated, best)
    net_value, cost = of_action(offers.net_value, action), of_action(offers.cost, action)
    return _Plan(action, net_value, cost, selected, gone, offers.break_even)


def _what_to_do(plan: _Plan, policy: RetentionPolicy, as_of: date) -> dict[str, object]:
    deadline = np.datetime64(as_of, "s") + np.timedelta64(policy.act_within_days, "D")
    return {
        "selected": plan.selected,
        "action": _texts([one.name for one in policy.actions], plan.action),
        "action_cost": plan.cost,
        "accept_rate": np.array([one.accept_rate for one in policy.actions])[plan.action],
        "expected_net_value": plan.net_value,
        "do_by": np.where(plan.selected, deadline, np.datetime64("NaT", "s")),
        "owner": _texts([policy.owner], np.zeros_like(plan.action)),
        "outcome": _texts([""], np.zeros_like(plan.action)),
    }


def _how_it_stands(p_churn: Floats, plan: _Plan) -> dict[str, object]:
    worth_it, hopeless = plan.net_value > 0, np.isinf(plan.break_even)
    watched = p_churn >= WATCH_SHARE * plan.break_even
    here = ~plan.gone
    return {
        "risk_band": _first_that_holds(
            {ACT: plan.selected, OVER_BUDGET: here & worth_it, WATCH: here & watched}, NO_ACTION
        ),
        "do_not_contact_reason": _first_that_holds(
            {"": plan.selected, GONE: plan.gone, BUDGET_USED_UP: worth_it, NEVER_PAYS: hopeless},
            DOES_NOT_PAY,
        ),
    }


def _first_that_holds(conditions: dict[str, Flags], otherwise: str) -> ExtensionArray:
    """For each customer the text of the first condition that holds."""
    last = len(conditions)
    position = np.select(list(conditions.values()), list(range(last)), last)
    return _texts([*conditions, otherwise], position)


def _texts(texts: list[str], positions: Positions) -> ExtensionArray:
    """Pick from few texts; far faster than through an array of Python strings."""
    return pd.array(texts, dtype="str").take(positions)


def _reason_texts(reasons: pd.DataFrame, ids: pd.Series) -> dict[str, object]:
    missing = [name for name in ("customer_id", *REASONS) if name not in reasons]
    if missing:
        raise DataError(f"reasons lacks {', '.join(missing)}; leave texts empty, not columns out.")
    row = pd.Index(reasons["customer_id"]).get_indexer(ids)
    texts = reasons[list(REASONS)].astype("str").fillna("")
    return {name: texts[name].array.take(row, allow_fill=True, fill_value="") for name in REASONS}
