import numpy as np
import pandas as pd
import pytest

from patronage.config import Action
from patronage.report.cuts import CUT_NAMES, PROFIT_NAMES, cuts_section
from patronage.retention.judged_money import judged_money

VOUCHER = Action(name="voucher", contact_cost=1, offer_cost=10, accept_rate=0.5)
CALL = Action(name="call", contact_cost=2, offer_cost=0, accept_rate=0.5)


def metrics(worth):
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
    left = np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0])
    scores = pd.DataFrame({"churned": left, "patronage": p, "p_no_purchase": 0.4, "worth": worth})
    names = ["patronage", "p_no_purchase"]
    money = judged_money(scores, names, value="worth", actions=[VOUCHER, CALL])
    return {"test": {"as_of": "1998-04-02", "n": 10, "money": money}}


def test_what_contacting_would_have_brought_is_said_in_words():
    # The call at 50 pays above 2 / 25: nine customers, of whom four left.
    found = cuts_section(metrics(50.0), "EUR")
    assert found.sentence == (
        "Of the 10 customers as of 1998-04-02, an action promised more than it costs for 9. 4 of "
        "them did leave, 100% of all who left; 5 would have stayed anyway. Contacting them should "
        "have brought 94.50 EUR and, now that it is known who left, would have brought 82.00 EUR."
    )


def test_there_is_a_row_for_each_cut_and_each_score():
    found = cuts_section(metrics(50.0), "EUR")
    assert found.rows[3] == [
        *("The first 10%", "1", "1", "25%", "0", "100%", "2.50", "20.50 EUR", "23.00 EUR")
    ]
    assert found.rows[-1][0] == "All for whom it pays"
    assert {len(row) for row in found.rows} == {len(CUT_NAMES)}
    names = [row[0] for row in found.scores]
    assert names == ["patronage", "P(no purchase), value model"]
    assert found.scores[0][1:5] == ["9", "82.00 EUR", "call", "86.00 EUR"]
    assert {len(row) for row in found.scores} == {len(PROFIT_NAMES)}


def test_nobody_worth_a_contact_is_said_so():
    found = cuts_section(metrics(1.0), "EUR")
    assert found.sentence == (
        "For none of the 10 customers as of 1998-04-02 did an action promise more than it costs: "
        "nobody would have been contacted."
    )
    assert found.rows[-1][5:7] == ["–", "–"]


@pytest.mark.parametrize("known", [{}, {"as_of": "1998-04-02"}])
def test_what_was_not_judged_in_money_has_no_section(known):
    assert cuts_section({"test": known}, "EUR") is None
