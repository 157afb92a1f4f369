import pytest

from patronage.report.why_nobody import why_nobody
from patronage.retention.at_risk import NO_ACTION, OVER_BUDGET

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
    table = at_risk.head(len(bands)).assign(risk_band=bands, selected=False)
    assert why_nobody(table, budget=budget, currency="EUR") == text
