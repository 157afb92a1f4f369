from patronage.report.value_models import model_comparison

FOUND = {
    "chosen": "ParetoNBDModel",
    "as_of": "1998-01-02",
    "horizon_days": 90,
    "customers": 2000,
    "actual": 627,
    "models": [
        {
            "model": "ParetoNBDModel",
            "log_likelihood": -1206.4,
            "expected": 595.6,
            "converged": True,
            "note": "",
        },
        {
            "model": "OwnModel",
            "log_likelihood": None,
            "expected": None,
            "converged": False,
            "note": "frequency is 0",
        },
    ],
}


def test_every_model_has_a_row_of_texts():
    rows = model_comparison({"value_models": FOUND}).rows
    assert rows == [
        ["Pareto/NBD", "-1,206.4", "-0.6032", "596", ""],
        ["OwnModel", "–", "–", "–", "frequency is 0"],
    ]


def test_the_question_names_the_day_and_the_customers():
    question = model_comparison({"value_models": FOUND}).question
    assert "before 1998-01-02" in question
    assert "2,000 customers in the 90 days after; 627 purchases came" in question


def test_a_fit_that_did_not_converge_is_said():
    unsettled = {**FOUND["models"][0], "converged": False}
    rows = model_comparison({"value_models": {**FOUND, "models": [unsettled]}}).rows
    assert rows[0][-1] == "did not converge"


def test_regular_timing_tells_how_regular():
    regular = {**FOUND["models"][0], "model": "BetaGeoCNBDModel", "k": 3}
    rows = model_comparison({"value_models": {**FOUND, "models": [regular]}}).rows
    assert rows[0][0] == "BG/CNBD-k, k = 3"


def test_models_trained_before_there_was_a_choice_have_none():
    assert model_comparison({}) is None


TRIED = {
    "windows": [
        {"as_of": "2025-04-01", "actual": 90, "plain": 80.2, "seasonal": 88.7, "gain": 4.5},
        {"as_of": "2025-01-01", "actual": 40, "plain": 61.0, "seasonal": 43.0, "gain": 8.0},
    ],
    "gain": 12.5,
    "chance": 3.25,
    "months": [0.5] * 11 + [6.5],
    "note": "",
    "taken": True,
}


def test_the_season_is_told_with_its_windows_and_months():
    comparison = model_comparison({"value_models": {**FOUND, "season": TRIED}})
    assert "by +12.5 over 2 windows, where chance may give 3.2. It is used." in comparison.season
    assert comparison.season.endswith(
        "Over all windows 130 purchases came; 132 were expected with a season and 141 without."
    )
    assert comparison.windows == [
        ["2025-04-01", "90", "89", "80"],
        ["2025-01-01", "40", "43", "61"],
    ]
    assert comparison.months == [["Fitted", *["0.50"] * 11, "6.50"]]


def test_what_was_counted_stands_above_what_was_fitted():
    both = {**TRIED, "counted": [0.8] * 11 + [3.2]}
    comparison = model_comparison({"value_models": {**FOUND, "season": both}})
    assert [row[0] for row in comparison.months] == ["Counted", "Fitted"]
    assert comparison.months[0][-1] == "3.20"


def test_a_season_that_is_not_used_has_no_months():
    refused = {**TRIED, "taken": False, "gain": -2.0}
    comparison = model_comparison({"value_models": {**FOUND, "season": refused}})
    assert "by -2.0 over 2 windows" in comparison.season
    assert "It is not used." in comparison.season
    assert comparison.months == []


def test_why_no_season_was_tried_is_said():
    none = {**TRIED, "windows": [], "taken": False, "note": "No season was tried: too short."}
    comparison = model_comparison({"value_models": {**FOUND, "season": none}})
    assert comparison.season == "No season was tried: too short."
