import numpy as np
import pandas as pd
import pytest

from patronage.models.snapshot_probes import snapshot_suspicions


def table(n=2000, seed=0):
    """Honest columns, a good one among them, and who churned."""
    rng = np.random.default_rng(seed)
    churned = rng.random(n) < 0.25
    return pd.DataFrame(
        {
            "churned": churned.astype(int),
            "noise": rng.normal(size=n),
            "useful": rng.normal(size=n) + 1.1 * churned,
            "plan": np.where(rng.random(n) < 0.2 + 0.3 * churned, "a", "b"),
        }
    ), rng


HONEST = ["noise", "useful", "plan"]


def found(rows, *more):
    return [one.feature for one in snapshot_suspicions(rows, [*HONEST, *more])]


def test_honest_columns_are_not_suspected():
    rows, _ = table()
    assert found(rows) == []


def test_a_planted_leak_is_named_with_what_it_knows():
    rows, rng = table()
    rows["score"] = rows["churned"] + rng.normal(size=len(rows)) / 3
    (one,) = snapshot_suspicions(rows, [*HONEST, "score"])
    assert one.feature == "score"
    assert one.value > 0.95
    assert 'leave_out = ["score"]' in one.text
    assert "useful has 0.7" in one.text


def test_several_leaks_do_not_hide_each_other():
    rows, rng = table()
    rows["copy"] = 1 - rows["churned"]
    rows["score"] = rows["churned"] + rng.normal(size=len(rows)) / 2
    assert found(rows, "score", "copy") == ["copy", "score"]


@pytest.mark.parametrize("empty", [None, np.nan, ""])
def test_what_is_filled_in_only_for_who_left_is_named(empty):
    rows, rng = table()
    reasons = rng.choice(["price", "moved"], len(rows))
    rows["reason"] = np.where(rows["churned"] == 1, reasons.astype(object), empty)
    assert found(rows, "reason") == ["reason"]
    rows["days_to_call"] = np.where(rows["churned"] == 1, rng.integers(1, 9, len(rows)), np.nan)
    assert found(rows, "days_to_call") == ["days_to_call"]


def test_ids_of_many_values_are_not_suspected():
    rows, _ = table()
    rows["id"] = [f"c{number}" for number in range(len(rows))]
    assert found(rows, "id") == []


def test_too_few_churners_are_not_judged_by():
    rows, _ = table(100)
    rows["copy"] = rows["churned"]
    few = pd.concat([rows[rows["churned"] == 1].head(29), rows[rows["churned"] == 0]])
    assert found(few, "copy") == []
