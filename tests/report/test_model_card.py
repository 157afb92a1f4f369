import numpy as np
import pandas as pd
import pytest

from patronage.report.card import Card, CardSection, CardTable
from patronage.report.model_card import CardData, card_description, limits, model_card

PROBABLE = {"auc": 0.78, "average_precision": 0.7, "top_decile_lift": 1.6, "log_loss": 0.57}
OURS = PROBABLE | {
    "brier": 0.19,
    "calibration_slope": 0.84,
    "calibration_intercept": -0.3,
    "mean_predicted": 0.544,
}
RANKS = dict.fromkeys(OURS) | {"auc": 0.7, "average_precision": 0.6, "top_decile_lift": 1.4}
SEGMENT = {
    "by": "purchases so far",
    "name": "1 purchase",
    "n": 1005,
    "churn_rate": 0.718,
    "low": 0.69,
    "high": 0.745,
    "mean_predicted": 0.797,
    "off": True,
    "off_beyond_level": True,
    "auc": 0.656,
    "slope": 1.18,
    "intercept": -0.4,
    "log_loss": 0.576,
    "log_loss_low": 0.546,
    "log_loss_high": 0.61,
    "bins": [(0.7, 0.6, 0.5, 0.7), (0.9, 0.8, 0.75, 0.85)],
}
HOSTILE = {
    "by": "plan",
    "name": "<script>alert(1)</script> | *x*",
    "off": False,
    "off_beyond_level": False,
}
METRICS = {
    "test": {
        "as_of": "2011-09-11",
        "n": 4302,
        "churn_rate": 0.492,
        "models": {"patronage": OURS, "p_no_purchase": OURS | {"auc": 0.766}, "recency": RANKS},
    },
    "intervals": {"patronage": {"auc": (0.764, 0.787)}},
    "segments": [SEGMENT, SEGMENT | HOSTILE],
    "cutoffs": [
        {"as_of": "2011-05-11", "customers": 4323, "churn_share": 0.621, "test": False},
        {"as_of": "2011-06-11", "customers": 4325, "churn_share": 0.642, "test": False},
        {"as_of": "2011-09-11", "customers": 4302, "churn_share": 0.492, "test": True},
    ],
    "train": {
        "rows": 8648,
        "cutoffs": ["2011-05-11", "2011-06-11"],
        "folds": [{"train": ["2011-05-11"], "judge": "2011-06-11"}],
        "start": {"base_odds": -0.4, "weight": 0.5, "tried": {"1.0": 0.531, "0.5": 0.5294}},
        "calibration": {
            "shape": {"name": "platt", "start_weight": 1.07, "trees_weight": 0.9},
            "level": {"shift": 0.026, "spread": 0.322, "cutoff_shifts": []},
            "tried": {"none": 0.5208, "platt": 0.5202},
        },
    },
    "leakage": [],
}
MANIFEST = {
    "run_id": "run-1",
    "as_of": "2011-12-10",
    "data": {"digest": "ff1a", "first_day": "2009-12-01", "last_day": "2011-12-09"},
    "counts": {"transactions": {"rows_kept": 805830}},
    "settings": {
        "churn": {"horizon_days": 90, "lead_days": 0},
        "features": {"active_days": 365},
        "ledger": {"currency": "GBP"},
    },
    "versions": {"patronage": "0.1.0"},
}
GATE = {"passed": True, "calibration": {"low": 0.789, "high": 0.891}}


def data_with(metrics=METRICS, **changes):
    known = {"version": "2", "mlflow_run_id": "abc", "manifest": MANIFEST, "gate": GATE}
    return CardData(**{**known, "metrics": metrics, **changes})


@pytest.fixture(scope="module")
def card():
    p = np.linspace(0.05, 0.95, 200)
    scores = pd.DataFrame({"patronage": p, "churned": (p > 0.5).astype(int)})
    return model_card(data_with(scores=scores))


def rows_of(card, title):
    return next(one for one in card.sections if one.title == title).tables[0].rows


def test_the_summary_says_what_how_well_and_beside_what(card):
    assert card.summary == (
        "The probability that a customer makes no purchase in the 90 days that begin with the day "
        "of the run. Judged on 4,302 customers as of 2011-09-11, whom it had not been trained on: "
        "AUC 0.780, log loss 0.570, beside 0.766 and 0.570 of the model of purchases; 49.2% left, "
        "54.4% were predicted. It passed the gate."
    )
    assert card_description(card).startswith(card.summary)
    assert len(card_description(card)) <= 4000


def test_every_cutoff_has_its_share_of_churn_and_its_use(card):
    assert rows_of(card, "The question, and the days it was asked") == [
        ["2011-05-11", "4,323", "62.1%", "train"],
        ["2011-06-11", "4,325", "64.2%", "train and calibrate"],
        ["2011-09-11", "4,302", "49.2%", "judge the model"],
    ]


def test_metrics_stand_with_their_intervals(card):
    ours, _, recency = rows_of(card, "Quality out of time")
    assert ours[:3] == ["patronage", "0.780 (0.764 to 0.787)", "0.570"]
    assert recency == ["Days since last purchase", "0.700", "–", "–", "1.400", "–"]


def test_weak_segments_are_named(card):
    section = next(one for one in card.sections if one.title == "Where it is weak")
    assert "Off even with that level known: purchases so far 1 purchase." in section.texts[0]
    assert section.tables[0].rows[0][-1] == "too high"
    assert section.tables[0].rows[1][-1] == ""


def test_how_to_read_p_has_figures_of_this_version(card):
    assert rows_of(card, "How to read p")[1] == ["50%", "37%", "63%"]


def test_calibration_says_shape_level_and_spread(card):
    facts = dict(next(one for one in card.sections if one.title == "Calibration").facts)
    assert facts["Start"] == (
        "log-odds of the model of purchases, times 0.5 from their mean "
        "(log loss tried: 1: 0.5310, 0.5: 0.5294)"
    )
    assert facts["Shape"].startswith("platt: 1.070 × the model of purchases + 0.900 × the trees")
    assert facts["Slope on the test day"] == "0.840 (0.789 to 0.891)"


def test_limits_follow_what_was_found():
    leaking = METRICS | {"leakage": [{"text": "x knows the future"}], "segments": []}
    plain, leaks = (" ".join(limits(data_with(one))) for one in (METRICS, leaking))
    assert "For 1 kind of customer it is off by more than the level of the day" in plain
    assert "may know the future" not in plain
    assert "may know the future" in leaks
    assert "has no season" in plain
    seasonal = METRICS | {"value_models": {"season": {"taken": True}}}
    assert "has no season" not in " ".join(limits(data_with(seasonal)))


def test_a_model_that_failed_the_gate_says_so():
    failed = model_card(data_with(gate={"passed": False}))
    assert failed.summary.endswith("It did not pass the gate.")
    assert model_card(data_with(gate={})).summary.endswith("were predicted.")


def test_the_page_holds_no_script_and_asks_for_nothing(card):
    html = card.html()
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "default-src 'none'" in html
    assert html.count('src="data:image/svg+xml') == 2


def test_markdown_takes_text_for_text(card):
    markdown = card.markdown()
    assert markdown.startswith("# patronage, version 2\n\nThe probability that")
    assert r"plan: &lt;script\>alert(1)&lt;/script\> \| \*x\*" in markdown
    tables = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {line.endswith("|") for line in tables} == {True}


def test_a_table_in_markdown_has_as_many_cells_in_every_row():
    table = CardTable(["a", "b"], [["x | y", "1\n2"]], note="n")
    card = Card("t", "s", [CardSection("S", ["text"], [("k", "v")], ["item"], [table])])
    assert card.markdown() == (
        "# t\n\ns\n\n## S\n\ntext\n\n- item\n\n|  |  |\n| --- | --- |\n| k | v |\n\n"
        "| a | b |\n| --- | --- |\n| x \\| y | 1 2 |\n\nn\n"
    )
