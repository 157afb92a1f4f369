import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from patronage.models.segments import customer_divisions, segments


@pytest.fixture(scope="module")
def judged():
    """Probabilities that hold for all but the plan "odd", where many more leave."""
    rng = np.random.default_rng(4)
    n = 3_000
    odds = rng.normal(-0.5, 1, n)
    odd = rng.random(n) < 0.1
    test = pd.DataFrame(
        {
            "T": rng.integers(1, 1_000, n).astype(float),
            "frequency": rng.poisson(2, n),
            "total_spend": rng.gamma(1, 100, n),
            "plan": pd.array(np.where(odd, "odd", "usual"), dtype="str"),
            "churned": (rng.random(n) < expit(odds + 1.5 * odd)).astype(int),
        }
    )
    return test, pd.Series(expit(odds))


@pytest.fixture(scope="module")
def found(judged):
    test, p = judged
    return segments(test, p, customer_divisions(test, {"plan": ["odd", "usual"]}))


def test_customers_are_divided_without_a_rest(found):
    n = pd.Series([one.n for one in found]).groupby([one.by for one in found], sort=False).sum()
    assert n.to_dict() == {
        "time as a customer": 3_000,
        "purchases so far": 3_000,
        "spend so far": 3_000,
        "plan": 3_000,
    }


def test_kinds_are_named_in_words(found):
    names = [one.name for one in found]
    assert names[:2] == ["0 to 29 days", "30 to 89 days"]
    assert names[5:9] == ["730 days or more", "1 purchase", "2 purchases", "3 to 5 purchases"]
    assert "highest quarter of spend" in names


def test_kinds_hold_who_they_say(judged, found):
    test, _ = judged
    by_name = {(one.by, one.name): one for one in found}
    assert by_name["purchases so far", "1 purchase"].n == (test["frequency"] == 0).sum()
    three_to_five = test["frequency"].between(2, 4)
    assert by_name["purchases so far", "3 to 5 purchases"].n == three_to_five.sum()
    year = test["T"].between(365, 729)
    assert by_name["time as a customer", "365 to 729 days"].n == year.sum()


def test_what_is_off_is_flagged(found):
    odd, usual = (one for one in found if one.by == "plan")
    assert (odd.off, usual.off) == (True, False)
    assert odd.churn_rate > odd.mean_predicted + 0.2
    assert odd.intercept == pytest.approx(1.5, abs=0.3)


def test_what_holds_is_not_flagged_beyond_chance(judged):
    test, p = judged
    as_said = (np.random.default_rng(8).random(len(p)) < p).astype(int)
    found = segments(
        test.assign(churned=as_said), p, customer_divisions(test, {"plan": ["odd", "usual"]})
    )
    assert sum(one.off for one in found) <= 3


def test_figures_are_those_of_the_rows(judged, found):
    test, p = judged
    odd = next(one for one in found if one.name == "odd")
    rows = test["plan"] == "odd"
    assert odd.churn_rate == pytest.approx(test["churned"][rows].mean())
    assert odd.mean_predicted == pytest.approx(p[rows].mean())
    assert odd.log_loss_low < odd.log_loss < odd.log_loss_high
    assert odd.low < odd.churn_rate < odd.high
    assert len(odd.bins) == 5


def test_few_customers_are_no_segment(judged):
    test, p = judged
    assert (
        segments(test.head(29), p.head(29), customer_divisions(test.head(29), {"plan": []})) == ()
    )


def test_of_one_outcome_nothing_is_ranked(judged):
    test, p = judged
    stayed = segments(test.assign(churned=0), p, customer_divisions(test, {}))
    assert {(one.auc, one.slope, one.intercept) for one in stayed} == {(None, None, None)}
    assert all(one.off for one in stayed)


def test_a_table_without_a_log_is_divided_by_its_categories(judged):
    test, p = judged
    found = segments(test, p, customer_divisions(test[["plan"]], {"plan": ["odd", "usual"]}))
    assert [one.by for one in found] == ["plan", "plan"]
