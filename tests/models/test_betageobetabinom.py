import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from patronage.errors import DataError, SettingsError
from patronage.models import BetaGeoBetaBinomModel

TEN_PERCENT = np.log(1.1)


@pytest.fixture(scope="module")
def donations():
    """11,104 donors over 6 yearly opportunities: the file of lifetimes, 22 distinct histories."""
    folder = Path(next(iter(find_spec("lifetimes").submodule_search_locations))) / "datasets"
    return pd.read_csv(folder / "donations.csv").rename(columns={"periods": "T"})


@pytest.fixture(scope="module")
def model(donations):
    return BetaGeoBetaBinomModel().fit(donations, weights=donations["weights"])


def donors(*histories):
    x, t_x = zip(*histories, strict=True)
    ids = [f"{x},{t_x}" for x, t_x in histories]
    return pd.DataFrame({"customer_id": ids, "frequency": x, "recency": t_x, "T": 6})


def test_fit_matches_the_paper(model):
    # Fader, Hardie & Shang (2010) print 1.204, .750, .657, 2.783 and LL -33,225.6; the digits
    # beyond are an independent optimiser's.
    exact = (1.203522, 0.749716, 0.656718, 2.783441)
    assert model.params_ == pytest.approx(exact, rel=2e-6)
    assert model.log_likelihood_ == pytest.approx(-33225.581274, abs=1e-6)
    assert (model.converged_, model.diagnosis_, model.n_customers_) == (True, "", 11104)


def test_new_donors_match_the_walkthrough(model):
    # BTYD's walkthrough, at parameters that differ from the optimum in the 5th digit.
    assert model.expected_purchases_new_customer(10)[10.0] == pytest.approx(3.179805, rel=2e-5)


def test_expected_purchases_match_the_paper(model):
    five = model.expected_purchases(
        donors((0, 0), (1, 1), (1, 6), (3, 5), (4, 4), (5, 5), (5, 6), (6, 6)), 5
    )
    printed = [0.0729, 0.0857, 1.1479, 1.8047, 0.5832, 1.8130, 3.2316, 3.7525]
    assert five.tolist() == pytest.approx(printed, abs=6e-5)
    # BTYD's walkthrough.
    ten = model.expected_purchases(donors((0, 0), (4, 5)), [5, 10])
    assert ten[10.0].tolist() == pytest.approx([0.1302169, 3.627858], rel=5e-5)
    assert ten.loc["0,0", 5.0] == five["0,0"]


def test_p_alive_matches_the_paper(model):
    found = model.probability_alive(donors((0, 0), (1, 5), (4, 4), (4, 5), (1, 6), (6, 6)))
    printed = [0.1081, 0.8281, 0.2002, 0.6968, 0.9304, 0.9304]
    assert found.tolist() == pytest.approx(printed, abs=5e-5)
    later = model.probability_alive(donors((6, 6)), after=3)
    _, _, gamma, delta = model.params_
    stays = [(delta + 6 + j) / (gamma + delta + 6 + j) for j in range(4)]
    assert later.tolist() == pytest.approx([np.prod(stays)], rel=1e-12)


def test_dert_matches_btyd(model):
    found = model.discounted_purchases(donors((0, 0), (4, 5), (6, 6)), np.inf, TEN_PERCENT)
    assert found.tolist() == pytest.approx([0.114767, 3.1971, 5.909805], rel=2e-4)


def test_quantities_agree_with_each_other(model, donations):
    rfm = donations.assign(customer_id=donations.index)
    pmf = model.purchase_count_pmf(rfm, 5, 5)
    np.testing.assert_allclose(pmf.sum(axis=1), 1, rtol=1e-13)
    np.testing.assert_allclose(pmf @ np.arange(6), model.expected_purchases(rfm, 5), rtol=1e-12)
    np.testing.assert_allclose(pmf[0], model.probability_no_purchase(rfm, 5), rtol=1e-13)
    kept = model.discounted_purchases(rfm, 9, 0.1, given_alive=True)
    one_by_one = model.discounted_purchases(rfm, 9, 0.1) / model.probability_alive(rfm)
    np.testing.assert_allclose(kept, one_by_one, rtol=1e-12)
    counted = model.discounted_purchases(rfm, 9, 0)
    np.testing.assert_allclose(counted, model.expected_purchases(rfm, 9), rtol=1e-13)
    late = model.probability_no_purchase(rfm, 2, lead=3)
    ahead = model.expected_purchases(rfm, 5) - model.expected_purchases(rfm, 3)
    assert (1 - late < ahead).all()
    assert (1 - late > ahead / 2).all()


def test_the_fit_reproduces_the_donors(model, donations):
    # The largest gap is 5.7 %, at 2 purchases.
    counted = donations.groupby("frequency")["weights"].sum()
    expected = model.purchase_count_pmf_new_customer(6, 6) * 11104
    assert (np.abs(expected - counted) < 0.06 * counted).all()
    assert expected.sum() == pytest.approx(11104)


def test_the_next_purchase_may_never_come(model):
    found = model.next_purchase(donors((6, 6), (0, 0)), interval=0.5)
    assert found.loc["6,6"].tolist() == [1, 1, 1]
    assert found.loc["0,0", ["low", "median"]].tolist() == [2, 7]
    assert found.loc["0,0", "high"] == np.inf


def test_donors_one_by_one_give_the_same_fit(model, donations):
    rows = donations.loc[donations.index.repeat(donations["weights"])]
    single = BetaGeoBetaBinomModel().fit(rows.assign(customer_id=range(11104)))
    assert single.params_ == pytest.approx(model.params_, rel=1e-11)
    assert single.data_digest_ == model.data_digest_
    assert single.standard_errors_ == pytest.approx(model.standard_errors_, rel=1e-9)


def test_simulated_customers_are_fitted(model):
    rng = np.random.default_rng(3)
    drawn = model.draw_customers(50_000, rng.integers(4, 12, 50_000), rng)
    fitted = BetaGeoBetaBinomModel().fit(drawn)
    error = np.array(fitted.params_) - np.array(model.params_)
    assert (np.abs(error) < 4 * np.array(fitted.standard_errors_)).all()
    assert drawn["active"].mean() == pytest.approx(model.probability_alive(drawn).mean(), abs=0.01)
    six = model.draw_customers(50_000, 6, rng)
    expected = model.expected_purchases_new_customer(6)[6.0]
    assert six["frequency"].mean() == pytest.approx(expected, abs=0.04)


def table(x, t_x, n):
    rows = {"customer_id": range(len(n)), "frequency": x, "recency": t_x, "T": n}
    return pd.DataFrame(rows)


def same_chance(rng):
    made = rng.random((4000, 8)) < 0.3
    last = np.where(made.any(axis=1), 8 - np.argmax(made[:, ::-1], axis=1), 0)
    return table(made.sum(axis=1), last, np.full(4000, 8))


DEGENERATE = {
    "same chance, nobody leaves": (
        same_chance,
        "4,000 customers.*(no dropout can be identified|no heterogeneity of purch)",
    ),
    "always": (lambda _: table([5] * 9, [5] * 9, [5] * 9), "all buy at every opportunity"),
    "two opportunities": (
        lambda rng: table([0, 1, 1, 2] * 9, [0, 1, 2, 2] * 9, [2] * 36),
        "T is at most 2, too few opportunities",
    ),
}


@pytest.mark.parametrize(("simulate", "text"), DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_data_are_named_not_fitted(simulate, text):
    rfm = simulate(np.random.default_rng(0))
    model = BetaGeoBetaBinomModel().fit(rfm)
    assert not model.converged_
    assert re.search(text, model.diagnosis_)
    assert np.isnan(model.standard_errors_).all()
    assert np.isfinite(model.expected_purchases(rfm, 9)).all()
    saved = json.dumps(model.to_dict(), allow_nan=False)
    assert BetaGeoBetaBinomModel.from_dict(json.loads(saved)).diagnosis_ == model.diagnosis_


BAD = {
    "no purchase": (table([0, 0], [0, 0], [6, 6]), "frequency is 0 for all 2 customers"),
    "more purchases than opportunities": (
        table([1, 4], [1, 3], [6, 6]),
        "frequency exceeds recency for 1 of 2 .*customer 1 .4.",
    ),
    "a date for T": (
        table([0, 1], [0, 1], [6, 20260101]),
        "T exceeds 100,000 for 1 of 2 .*no date",
    ),
    "half an opportunity": (
        table([1, 2], [1, 2.5], [6, 6]),
        "recency is not a whole number for 1 of 2 .*1 .2.5.",
    ),
    "T in days": (table([1, 2], [1, 2], [6, 6.2]), "T is not a whole number for 1 of 2 .*1 .6.2."),
    "recency past T": (table([1, 2], [1, 7], [6, 6]), "recency exceeds T for 1 of 2 .*1 .7."),
}


@pytest.mark.parametrize(("rfm", "text"), BAD.values(), ids=BAD.keys())
def test_histories_that_cannot_be_are_refused(rfm, text):
    with pytest.raises(DataError, match=text):
        BetaGeoBetaBinomModel().fit(rfm)


def test_horizons_are_whole_numbers(model):
    with pytest.raises(SettingsError, match=r"horizon=1.5 must be a whole number"):
        model.expected_purchases(donors((1, 2)), 1.5)
    with pytest.raises(SettingsError, match=r"after=0.5 must be a whole number"):
        model.probability_alive(donors((1, 2)), after=0.5)


def test_a_saved_model_predicts_the_same(model):
    loaded = BetaGeoBetaBinomModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert loaded.to_dict() == model.to_dict()
    rfm = donors((1, 2), (6, 6))
    pd.testing.assert_series_equal(
        loaded.expected_purchases(rfm, 3), model.expected_purchases(rfm, 3)
    )


def test_clone_forgets_the_fit(model):
    with pytest.raises(NotFittedError, match="BetaGeoBetaBinomModel instance is not fitted"):
        clone(model).probability_alive(donors((1, 2)))


SHARED = Path(__file__).parents[2].parent / "shared/data/discrete_contractual"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the donors' holdout is not on this machine")
def test_the_donors_later_years_are_forecast(model, donations):
    stored = pd.read_parquet(SHARED / "donations_rf_matrix.parquet")
    stored = stored.rename(columns={"x": "frequency", "t_x": "recency", "n_cal": "T"})
    fitted = BetaGeoBetaBinomModel().fit(stored, weights=stored["custs"])
    assert fitted.params_ == pytest.approx(model.params_, rel=1e-11)
    rfm = stored.assign(customer_id=stored.index)
    expected = (fitted.expected_purchases(rfm, 5) * stored["custs"]).sum()
    # 13,260 gifts were made; the forecast is 2.8 % lower.
    assert expected == pytest.approx(stored["x_star"].sum(), rel=0.05)
