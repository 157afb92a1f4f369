from patronage.report.features_built import (
    features_left_out,
    features_sentence,
    features_unknown,
    leakage_texts,
)

MANIFEST = {
    "model_version": "3",
    "families": {
        "built": {"rfm": 1, "returns": 7, "channel": 2},
        "used": {"rfm": 1},
        "empty": {"returns": "no transaction has a negative amount"},
        "left_out": {"survey": "there is no table [surveys]"},
    },
}


def test_one_feature_is_one():
    assert features_sentence(MANIFEST) == "Model version 3 uses 1 feature of 1 family: rfm 1."


def test_what_the_model_was_not_trained_with_is_said():
    said = "Not known to model version 3, which was trained without them: channel 2."
    assert features_unknown(MANIFEST) == said


def test_nothing_is_said_where_the_model_knows_all():
    known = MANIFEST["families"] | {"used": {"rfm": 1, "channel": 2}}
    assert features_unknown(MANIFEST | {"families": known}) is None


def test_what_is_empty_or_left_out_says_why():
    assert features_left_out(MANIFEST) == [
        ("returns", "built, but empty: no transaction has a negative amount"),
        ("survey", "there is no table [surveys]"),
    ]


def test_a_manifest_of_before_says_nothing():
    assert features_sentence({}) is None
    assert features_unknown({}) is None
    assert features_left_out({}) == []
    assert leakage_texts({}) == []


def test_suspicions_are_their_texts():
    assert leakage_texts({"leakage": [{"feature": "a", "text": "a knows too much"}]}) == [
        "a knows too much"
    ]
