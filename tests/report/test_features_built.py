from patronage.report.features_built import features_left_out, features_sentence, leakage_texts

MANIFEST = {
    "families": {"built": {"rfm": 1}, "left_out": {"survey": "there is no table [surveys]"}}
}


def test_one_feature_is_one():
    assert features_sentence(MANIFEST) == "1 feature of 1 family: rfm 1."


def test_what_is_left_out_says_why():
    assert features_left_out(MANIFEST) == [("survey", "there is no table [surveys]")]


def test_a_manifest_of_before_says_nothing():
    assert features_sentence({}) is None
    assert features_left_out({}) == []
    assert leakage_texts({}) == []


def test_suspicions_are_their_texts():
    assert leakage_texts({"leakage": [{"feature": "a", "text": "a knows too much"}]}) == [
        "a knows too much"
    ]
