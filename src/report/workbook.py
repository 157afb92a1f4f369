"""The at-risk list as an Excel workbook, for a retention team to work from."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from patronage.config import Action
from patronage.horizon_columns import horizons_in
from patronage.report.columns import (
    ACT_NOW_COLUMNS,
    ALL_COLUMNS,
    WATCH_COLUMNS,
    ListColumn,
    with_horizons,
)
from patronage.report.why_nobody import why_nobody
from patronage.report.workbook_sheet import MAX_ROWS, cell_formats, write_customers
from patronage.retention import RetentionPolicy
from patronage.retention.at_risk import GONE, OVER_BUDGET, WATCH
from patronage.retention.wording import counted, money

_ASSUMED = "These are assumptions, from the settings."
_IN_MEMORY_ROWS = 20_000
_TEXTS_ONLY = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write_at_risk_xlsx(
    at_risk: pd.DataFrame,
    path: Path,
    *,
    currency: str,
    policy: RetentionPolicy,
    summary: Mapping[str, str],
) -> None:
    """Write the workbook with the sheets Act now, Watch and How to read.

    Act now holds the selected customers, with a column `Outcome` to fill in; Watch the next ones
    that would be worth an action now or at twice the chance to leave, with those who are most
    likely gone for good, and why they were not selected; How to read what each column means and
    how the ranking came about. A sheet that Excel cannot hold is cut, and How to read says so. No
    cell is a formula or a link, whatever an id looks like.

    Parameters
    ----------
    at_risk
        As made by `patronage.retention.at_risk_list`.
    path
        The file; its folder exists.
    currency
        ISO 4217 code of the amounts.
    policy
        The policy that the list was made by.
    summary
        More to know about the list, shown on How to read: a name and a sentence each, such as
        how good the model is and which days the data cover.
    """
    act_now, watched, shown = (
        with_horizons(columns, [*horizons_in(at_risk)])
        for columns in (ACT_NOW_COLUMNS, WATCH_COLUMNS, ALL_COLUMNS)
    )
    constant = len(at_risk) > _IN_MEMORY_ROWS
    options = {**_TEXTS_ONLY, "constant_memory": constant}
    chosen = at_risk[at_risk["selected"].astype(bool)]
    with xlsxwriter.Workbook(str(path), options) as book:
        formats = cell_formats(book, currency)
        act, watch = book.add_worksheet("Act now"), book.add_worksheet("Watch")
        write_customers(act, chosen, act_now, formats)
        if chosen.empty:
            act.insert_textbox(2, 1, why_nobody(at_risk, budget=policy.budget, currency=currency))
        write_customers(watch, _watched(at_risk, policy.watch_rows), watched, formats)
        facts = {**_facts(at_risk, chosen, currency, policy), **summary}
        _write_guide(book.add_worksheet("How to read"), facts, shown, formats)


def _watched(at_risk: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Who comes next; last, on half of the rows at most, who would if not most likely gone."""
    is_gone = (at_risk["do_not_contact_reason"] == GONE) & (at_risk["expected_net_value"] > 0)
    gone = at_risk[is_gone].head(rows // 2)
    watched = at_risk[at_risk["risk_band"].isin([OVER_BUDGET, WATCH])]
    return pd.concat([watched.head(rows - len(gone)), gone])


def _facts(
    at_risk: pd.DataFrame, chosen: pd.DataFrame, currency: str, policy: RetentionPolicy
) -> dict[str, str]:
    """What this list is, in a name and a sentence each."""
    days = pd.to_datetime(at_risk["as_of"])
    facts = {
        "Day of the list": f"{days.iloc[0]:%Y-%m-%d}"
        if len(at_risk)
        else "No customer is eligible.",
        "Selected": (
            f"{counted(len(chosen), 'customer')} of {len(at_risk):,}, at an expected cost of "
            f"{money(chosen['action_cost'].sum(), currency)}; "
            f"the budget is {money(policy.budget, currency)}."
            f"{_why_nobody(at_risk, chosen, currency, policy)}"
        ),
        "What it should bring": (
            f"{money(chosen['expected_net_value'].sum(), currency)} of margin, costs deducted."
        ),
        "Ranking": (
            "For every customer each action is valued: the chance to leave x the share who accept "
            "x what a kept customer is worth, less the offer, less the offer given to those who "
            "would have stayed anyway, less the contact. The list is sorted by that value. When "
            "the budget pays for all, everybody gets the best action whose value is above zero. "
            "When it does not, it goes where it brings most per unit of cost: a customer may get a "
            "cheaper action, and the selected need not be the first ones by rank."
            f"{_left_alone(policy)}"
        ),
        **{f"Action: {action.name}": _terms(action, currency) for action in policy.actions},
    }
    if len(chosen) > MAX_ROWS:
        facts["Cut"] = (
            f"Excel takes {MAX_ROWS:,} rows: the sheet Act now holds the first of "
            f"{len(chosen):,} selected customers. at_risk.csv holds all."
        )
    return facts


def _why_nobody(
    at_risk: pd.DataFrame, chosen: pd.DataFrame, currency: str, policy: RetentionPolicy
) -> str:
    if len(chosen) or at_risk.empty:
        return ""
    return f" {why_nobody(at_risk, budget=policy.budget, currency=currency)}"


def _left_alone(policy: RetentionPolicy) -> str:
    if not policy.min_p_alive:
        return ""
    return (
        f" Who is still a customer with a chance below {policy.min_p_alive:.0%} is not contacted "
        "and comes last: they are most likely gone for good. The sheet Watch names those for whom "
        "an action would pay if they were not; try them in a win-back campaign."
    )


def _terms(action: Action, currency: str) -> str:
    contact = f"A contact costs {money(action.contact_cost, currency)}"
    if not action.offer_cost:
        return f"{contact}; {action.accept_rate:.0%} of those about to leave stay. {_ASSUMED}"
    return (
        f"{contact}, an offer {money(action.offer_cost, currency)} when redeemed; "
        f"{action.accept_rate:.0%} of those about to leave accept and stay, "
        f"{action.redeem_rate:.0%} of those who would have stayed redeem it all the same. "
        f"{_ASSUMED}"
    )


def _write_guide(
    sheet: Worksheet,
    facts: Mapping[str, str],
    columns: Sequence[ListColumn],
    formats: dict[str, Format],
) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 100)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, "How to read this list", formats["title"])
    for row, (name, text) in enumerate(_guide_rows(facts, columns), start=2):
        sheet.write_string(row, 0, name, formats["name" if text else "heading"])
        sheet.write_string(row, 1, text, formats["prose"])


def _guide_rows(
    facts: Mapping[str, str], columns: Sequence[ListColumn]
) -> Iterator[tuple[str, str]]:
    yield from {"This list": "", **facts}.items()
    yield "", ""
    yield "Columns", ""
    shown: dict[str, ListColumn] = {column.header: column for column in columns}
    for header, column in shown.items():
        yield header, f"{column.meaning} (hidden)" if column.hidden else column.meaning
