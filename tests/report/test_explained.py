import pytest

from patronage.features.catalogue import FAMILIES
from patronage.report.dependence_chart import dependence_chart
from patronage.report.explained import explained_section, plain_words
from patronage.report.family_words import FAMILY_WORDS
from patronage.report.importance_chart import importance_chart

FEATURE = {"usual": 3.0, "unit": "days"}
INPUTS = {
    "days_since_last": {"family": "rfm", "plain": "days since the last purchase", **FEATURE},
    "plan": {"family": "attributes", "plain": "plan <b>", **FEATURE, "usual": "monthly"},
    "p_no_purchase": {"family": "value_model", "plain": "chance of no purchase", **FEATURE},
}
IMPORTANCE = {
    "rows": 900,
    "of": 1200,
    "repeats": 5,
    "log_loss": 0.5,
    "families": [
        {"name": "value_model", "columns": ["p_no_purchase"], "increase": 0.08, "spread": 0.004},
        {"name": "rfm", "columns": ["days_since_last"], "increase": 0.03, "spread": 0.004},
        {"name": "attributes", "columns": ["plan"], "increase": 0.001, "spread": 0.004},
    ],
    "features": [
        {"name": "p_no_purchase", "columns": ["p_no_purchase"], "increase": 0.08, "spread": 0.004},
        {"name": "days_since_last", "columns": ["days_since_last"], "increase": 0.03, "spread": 0},
    ],
}
DEPENDENCE = [
    {
        "feature": "days_since_last",
        "values": [1.0, 40.0, 90.0],
        "p_churn": [0.2, 0.4, 0.6],
        "edges": [1.0, 30.0, 90.0],
        "counts": [700, 200],
        "p_missing": 0.5,
        "missing": 0.1,
    },
    {
        "feature": "plan",
        "values": ["monthly", "<script>"],
        "p_churn": [0.5, 0.3],
        "edges": [],
        "counts": [600, 300],
        "p_missing": None,
        "missing": 0.0,
    },
]
EXPLAINED = {"inputs": INPUTS, "importance": IMPORTANCE, "dependence": DEPENDENCE}


@pytest.fixture(scope="module")
def section():
    return explained_section({"explained": EXPLAINED})


def test_the_section_says_what_most_hangs_on(section):
    assert section.pictures[0].reading == (
        "Most hangs on rhythm and pause, by the model of purchases: without it the "
        "log loss would be 0.580 instead of 0.500. Next: how often, how lately, for how much; "
        "columns of the customers table."
    )
    assert section.sentence == (
        "The model would be no worse, beyond chance, without 1 family: columns of the customers "
        "table."
    )
    assert "900 customers kept aside" in section.how
    assert "5 times over" in section.how


def test_dependence_names_the_widest(section):
    assert "days since the last purchase, from 20% to 60%" in section.pictures[1].reading


def test_a_model_that_was_not_asked_has_no_section():
    assert explained_section({"test": {}}) is None


def test_without_dependence_there_is_one_chart():
    section = explained_section({"explained": {**EXPLAINED, "dependence": []}})
    assert len(section.pictures) == 1


def test_the_start_is_told_from_features():
    assert plain_words(INPUTS)["p_no_purchase"] == "chance of no purchase (model of purchases)"


def test_the_charts_show_what_was_found():
    left, right = importance_chart(IMPORTANCE, plain_words(INPUTS)).axes
    assert [round(bar.get_width(), 3) for bar in left.patches] == [0.08, 0.03, 0.001]
    assert right.get_yticklabels()[1].get_text() == "days since the last purchase"
    panels = dependence_chart(DEPENDENCE, plain_words(INPUTS)).axes
    line = panels[0].lines[0]
    assert line.get_ydata().tolist() == [0.2, 0.4, 0.6]
    assert [panel.get_title(loc="left") for panel in panels[:2]] == [
        "days since the last purchase",
        "plan <b>",
    ]
    assert not panels[2].get_visible()


def test_one_long_bar_is_cut_and_says_how_long_it_is():
    long = {**IMPORTANCE["families"][0], "increase": 0.9}
    families = [long, *IMPORTANCE["families"][1:]]
    left, _ = importance_chart({**IMPORTANCE, "families": families}, {}).axes
    assert left.get_xlim()[1] == pytest.approx(0.045)
    assert [text.get_text() for text in left.texts] == ["+0.900, not drawn to its end "]


def test_the_start_has_an_axis_of_its_own():
    start = {**DEPENDENCE[0], "feature": "p_no_purchase", "p_churn": [0.05, 0.5, 0.95]}
    first, second = dependence_chart([start, DEPENDENCE[0]], {}).axes[:2]
    assert first.get_ylim() == (0, 1)
    assert second.get_ylim() == pytest.approx((0.16, 0.64))


def test_every_family_has_words():
    assert {family.name for family in FAMILIES} | {"value_model", "own"} == set(FAMILY_WORDS)
