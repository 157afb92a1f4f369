"""How each column of the at-risk list is shown to a retention team, and what it means."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from patronage.horizon_columns import horizon_columns, horizons_in
from patronage.report.label_words import LabelWords
from patronage.retention.wording import counted

Kind = Literal["text", "money", "chance", "percent", "whole", "decimal", "date"]


@dataclass(frozen=True)
class ListColumn:
    """One column of the list.

    Attributes
    ----------
    name
        In the table that `patronage.retention.at_risk_list` makes.
    header
        In plain words; `meaning` explains it in a sentence.
    width
        In characters.
    hidden
        Kept for later joins, not shown.
    """

    name: str
    header: str
    kind: Kind
    width: int
    meaning: str
    hidden: bool = False


RANK = ListColumn(
    "rank",
    "Rank",
    "whole",
    7,
    "1 is the customer with the highest expected net value; who is most likely gone comes last.",
)
CUSTOMER = ListColumn("customer_id", "Customer", "text", 18, "The customer's id, as in your data.")
WHY_NOT = ListColumn(
    *("do_not_contact_reason", "Why not now", "text", 26),
    "Why the customer was not selected.",
)
DO_BY = ListColumn("do_by", "Do by", "date", 12, "The day by which to contact the customer.")
OUTCOME = ListColumn(
    *("outcome", "Outcome", "text", 16),
    "For you to fill in: choose what came of it.",
)
GROUP = ListColumn(
    *("risk_band", "Group", "text", 20),
    "act: selected. worth it, over budget: contacting would pay, but does not fit the budget. "
    "watch: contacting does not pay yet; it would if the chance to leave were twice as high. "
    "no action: all others.",
)

_SHARED = (
    ListColumn(
        *("action", "What to do", "text", 18),
        "The action that the budget pays for; of a customer not selected, the one that pays most.",
    ),
    ListColumn("reason_1", "Main reason", "text", 44, "What raises this customer's risk most."),
    ListColumn(
        "reason_2",
        "Second reason",
        "text",
        44,
        'What raises it next; "at stake" is no cause, but what there is to lose.',
    ),
    ListColumn(
        "reason_3", "Third reason", "text", 44, "What raises it after that, or what is at stake."
    ),
    ListColumn(
        *("p_churn", "Chance to leave", "chance", 10),
        "Probability that the customer buys nothing within the horizon; who leaves in this sense "
        "may come back later. Of 100 customers at 70%, about 70 buy nothing.",
    ),
    ListColumn(
        *("p_alive", "Chance still a customer", "chance", 11),
        "Probability that the customer has not left for good already, from the value model. Where "
        "it is small, a win-back campaign is the better thing than keeping.",
    ),
    ListColumn(
        *("value_if_kept", "Value if kept", "money", 14),
        "Margin to be expected from the customer over the value horizon if they stay.",
    ),
    ListColumn(
        *("value_at_risk", "Value at risk", "money", 14),
        "Chance to leave x value if kept: what is at stake, not what contacting brings.",
    ),
    ListColumn(
        *("action_cost", "Expected cost", "money", 13),
        "The contact, plus the offer as often as it will be redeemed.",
    ),
    ListColumn(
        *("expected_net_value", "Expected net value", "money", 14),
        "What contacting brings on average, less what it costs. The list is sorted by it; who is "
        "most likely gone for good comes last.",
    ),
    ListColumn(
        *("days_since_last", "Days since last purchase", "whole", 11),
        "Days since the customer last bought.",
    ),
    ListColumn(
        *("usual_gap_days", "Usual days between purchases", "decimal", 12),
        "The median; empty for one who has bought once.",
    ),
    ListColumn(
        *("expected_purchases", "Purchases expected", "decimal", 11),
        "Purchases to be expected over the value horizon, nothing done.",
    ),
    ListColumn(
        *("expected_spend", "Spend per purchase", "money", 14),
        "Spend to be expected at each of them.",
    ),
    ListColumn(
        *("clv", "Lifetime value", "money", 14),
        "As value if kept, but with the chance in it that the customer has already left.",
    ),
    ListColumn(
        *("accept_rate", "Assumed acceptance", "percent", 11),
        "Share of those about to leave whom the action keeps: an assumption from the settings.",
    ),
    ListColumn(
        *("percentile", "Risk percentile", "whole", 10),
        "100 is the customer most likely to leave, 50 is in the middle.",
    ),
)
_TECHNICAL = (
    ListColumn("as_of", "As of", "date", 12, "The day the list is for.", True),
    ListColumn("run_id", "Run", "text", 24, "The run that made the list.", True),
    ListColumn("model_version", "Model version", "text", 10, "The model that scored it.", True),
)
_OWNER = ListColumn("owner", "Owner", "text", 16, "Who works the list.")

ACT_NOW_COLUMNS = (RANK, CUSTOMER, _SHARED[0], DO_BY, _OWNER, OUTCOME, *_SHARED[1:], *_TECHNICAL)
WATCH_COLUMNS = (RANK, CUSTOMER, GROUP, WHY_NOT, *_SHARED, *_TECHNICAL)
ALL_COLUMNS = (*ACT_NOW_COLUMNS, GROUP, WHY_NOT)

_OF_SNAPSHOTS = {
    "rank": "1 is the customer with the highest expected net value.",
    "expected_net_value": "What contacting brings on average, less what it costs.",
    "reason_2": "What raises it next.",
    "reason_3": "What raises it after that.",
    "value_if_kept": "What the customer is worth if they stay, as your table or settings have it.",
}


def columns_of(
    at_risk: pd.DataFrame, columns: Sequence[ListColumn], words: LabelWords
) -> list[ListColumn]:
    """Those of the columns that the list has, further horizons too, in its question's words."""
    told = {"p_churn": words.chance_column, **(_OF_SNAPSHOTS if words.of_snapshot else {})}
    return [
        replace(column, meaning=told.get(column.name, column.meaning))
        for one in columns
        for column in _and_further(one, [*horizons_in(at_risk)])
        if column.name in at_risk
    ]


def _and_further(column: ListColumn, horizons_days: Sequence[int]) -> Iterator[ListColumn]:
    yield column
    if column.name != "p_churn":
        return
    for days in horizons_days:
        span = counted(days, "day")
        yield ListColumn(
            *(horizon_columns(days)[0], f"Chance to leave, {span}", "chance", 10),
            f"Probability that the customer buys nothing in {span}; for information: the ranking "
            "goes by Chance to leave.",
        )
