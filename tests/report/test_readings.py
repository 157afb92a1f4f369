import pandas as pd

from patronage.report import readings

EVALUATION = pd.DataFrame(
    {
        "churned": [1, 1, 0, 1, 0, 0, 0, 0, 0, 0],
        "patronage": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0],
        "recency": [10, 1, 9, 2, 3, 4, 5, 6, 7, 8],
    }
)


def test_calibration_is_read_off_the_top_tenth():
    text = readings.calibration_reading(EVALUATION["patronage"], EVALUATION["churned"])
    assert text == (
        "Of the tenth most likely to leave, 1 customer, 90% were expected to leave and 100% did."
    )


def test_gains_are_read_at_a_fifth():
    assert readings.gains_reading(EVALUATION) == (
        "Contacting the 20% most likely to leave reaches 67% of all who leave; the 20% who have "
        "been away longest are 33% of them."
    )
    worse = EVALUATION.rename(columns={"patronage": "recency", "recency": "patronage"})
    assert readings.gains_reading(worse).endswith(
        "longest are 67% of them: that far down the list the model is no better than days since "
        "last purchase."
    )
    assert readings.gains_reading(EVALUATION.drop(columns="recency")).endswith("random reach 20%.")


def test_lift_is_said_in_words():
    # The first of ten customers leaves, one of three who do: 1 of 1 against 3 of 10.
    assert readings.lift_reading(EVALUATION) == (
        "Lift: of 100 contacted in the tenth most likely to leave, 3.3 times as many are about to "
        "leave as of 100 drawn by lot."
    )


def test_the_tenth_with_most_value_is_named():
    customers = pd.DataFrame({"eligible": True, "p_churn": range(10), "value_at_risk": 1.0})
    customers.loc[6, "value_at_risk"] = 11.0
    text = readings.value_reading(customers, currency="EUR")
    assert text.startswith("Of 20.00 EUR at risk, 55% lies in tenth 7:")
    nothing = readings.value_reading(customers.assign(value_at_risk=0.0), currency="EUR")
    assert nothing == "The value at risk is 0.00 EUR."


def test_tracking_says_how_far_off_and_which_way():
    tracking = pd.DataFrame({"week": [1, 2], "actual": [60, 40], "expected": [50.0, 45.0]})
    assert readings.tracking_reading(tracking) == (
        "Over 2 weeks 95 repeat purchases were expected and 100 were made: "
        "the model is 5.0% too low."
    )
    assert readings.tracking_reading(tracking.assign(actual=0)).endswith("and none was made.")
