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
