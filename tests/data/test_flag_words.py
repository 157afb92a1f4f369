import pytest

from patronage.data.flag_words import FALSE_WORDS, TRUE_WORDS


def test_no_word_is_both_true_and_false_or_listed_twice():
    words = [*TRUE_WORDS, *FALSE_WORDS]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("tak", "nie"),
        ("ano", "ne"),
        ("igen", "nem"),
        ("evet", "hayır"),
        ("ja", "nej"),
        ("da", "nu"),
    ],
)
def test_yes_and_no_of_a_language(yes, no):
    assert yes in TRUE_WORDS
    assert no in FALSE_WORDS
