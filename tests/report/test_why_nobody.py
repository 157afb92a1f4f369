import pytest

from patronage.report.why_nobody import why_nobody
from patronage.retention.at_risk import GONE, NO_ACTION, OVER_BUDGET

CASES = {
    "nothing pays": ([NO_ACTION] * 3, 0, "Nobody is to be contacted: no action pays."),
    "no budget": (
        [OVER_BUDGET, OVER_BUDGET, NO_ACTION],
        0,
        "Nobody is to be contacted: the budget is 0; with enough of it 2 customers would pay.",
    ),
    "a small budget": (
        [OVER_BUDGET],
        0.5,
        "Nobody is to be contacted: the budget of 0.50 EUR is less than any contact would cost; "
        "with enough of it 1 customer would pay.",
    ),
}


@pytest.mark.parametrize(("bands", "budget", "text"), CASES.values(), ids=CASES.keys())
def test_the_reason_is_said(at_risk, bands, budget, text):
    table = at_risk.head(len(bands)).assign(
        risk_band=bands, selected=False, do_not_contact_reason=""
    )
    assert why_nobody(table, budget=budget, currency="EUR") == text


def test_who_is_gone_is_told_apart(at_risk):
    table = at_risk.head(3).assign(risk_band=NO_ACTION, selected=False, expected_net_value=5.0)
    reasons = ["costs more than it saves", GONE, GONE]
    assert why_nobody(table.assign(do_not_contact_reason=reasons), budget=9, currency="EUR") == (
        "Nobody is to be contacted: no action pays but for 2 customers who are most likely gone "
        "for good ([retention] min_p_alive)."
    )
