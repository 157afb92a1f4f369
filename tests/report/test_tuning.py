import pytest

from patronage.report.tuning import gain_sentence

TAKEN = {
    "trials": 9,
    "taken": True,
    "best_trial": 4,
    "best_on_folds": 0.5,
    "folds": {"untuned": 0.52, "tuned": 0.5},
}


@pytest.mark.parametrize(
    ("later", "words"),
    [(0.5, "0.0300 ahead"), (0.53001, "as good"), (0.55, "0.0200 behind")],
)
def test_the_sentence_is_honest_out_of_time(later, words):
    told = gain_sentence({**TAKEN, "test": {"untuned": 0.53, "tuned": later}})
    assert told == (
        "Tuning: 9 trials; trial 4 is 0.0200 nats ahead of the default parameters on the folds, "
        f"and out of time {words}."
    )


def test_a_gain_within_chance_is_told_as_such():
    same = {"untuned": 0.53, "tuned": 0.53}
    gain = {**TAKEN, "taken": False, "best_on_folds": 0.519, "test": same}
    assert gain_sentence(gain) == (
        "Tuning: 9 trials, the best 0.0010 nats ahead of the default parameters on the folds, too "
        "little to be told from chance: the defaults are used."
    )
