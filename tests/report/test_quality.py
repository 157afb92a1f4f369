from patronage.report.quality import METRIC_NAMES, gate_sentence, quality_rows, quality_sentence

RANKS = {"auc": 0.7, "average_precision": 0.5, "top_decile_lift": 2.0, "log_loss": None}
METRICS = {
    "test": {"as_of": "1998-01-01", "n": 1234, "models": {"patronage": {"auc": 0.7812}}},
}


def test_patronage_comes_first_and_none_is_a_dash():
    rows = quality_rows({"recency": RANKS, "own_rule": RANKS, "patronage": {"auc": 0.81234}})
    assert [row[0] for row in rows] == ["patronage", "Days since last purchase", "own_rule"]
    assert {len(row) for row in rows} == {len(METRIC_NAMES) + 1}
    assert rows[0][1:3] == ["0.812", "–"]
    assert rows[1][1:4] == ["0.700", "0.500", "–"]


def test_the_auc_is_said_in_words():
    assert quality_sentence(METRICS).startswith("Of one customer who left and one who stayed")
    assert "in 78 of 100 cases" in quality_sentence(METRICS)
    assert "1,234 customers as of 1998-01-01" in quality_sentence(METRICS)


def test_an_auc_of_nearly_one_is_not_certainty():
    models = {"patronage": {"auc": 0.999}}
    assert "in more than 99 of 100 cases" in quality_sentence(
        {"test": METRICS["test"] | {"models": models}}
    )


FAILED = {
    "version": "3",
    "gate": {
        "passed": False,
        "comparisons": [
            {"other": "p_no_purchase", "passed": True},
            {"other": "inactivity_rule", "passed": False},
            {"other": "champion", "passed": False},
        ],
    },
}
MANIFEST = {
    "as_of": "1998-07-01",
    "model_version": "2",
    "model": {"version": "2", "trained_as_of": "1998-06-01"},
    "training": FAILED,
}


def test_a_model_that_did_not_pass_is_said_with_what_it_did_not_beat():
    assert gate_sentence(MANIFEST) == (
        "A new model was trained today (version 3, on what was known on 1998-07-01) but did not "
        "beat the simple rule of days since the last purchase and the model in use, version 2; "
        "the list was made by version 2, trained as of 1998-06-01."
    )


def test_a_list_made_anew_does_not_say_today():
    assert "trained when the scores were made (version 3" in gate_sentence(
        MANIFEST | {"command": "report"}
    )


def test_nothing_is_said_of_a_gate_that_was_passed_or_not_asked():
    passed = {"version": "3", "gate": {"passed": True}}
    assert gate_sentence({"model_version": "3", "training": passed}) is None
    assert gate_sentence({"model_version": "3"}) is None
