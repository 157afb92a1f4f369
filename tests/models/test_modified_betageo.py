import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from patronage.models import BetaGeoModel, ModifiedBetaGeoModel

# Batislam, Denizel & Filiztekin (2007) print .525, 6.183, .891, 1.614; the digits beyond are those
# of an independent optimiser on each version of the data.
EXACT = (0.524843, 6.183086, 0.891359, 1.614002)
CSV = (0.524838, 6.182992, 0.891356, 1.613999)


@pytest.fixture(scope="module")
def model(cdnow_exact):
    return ModifiedBetaGeoModel().fit(cdnow_exact)


def test_fit_matches_the_paper_on_exact_cdnow(model):
    assert model.params_ == pytest.approx(EXACT, rel=1e-5)
    assert model.log_likelihood_ == pytest.approx(-9582.135716, abs=1e-5)
    assert (model.converged_, model.diagnosis_) == (True, "")


def test_fit_matches_the_rounded_cdnow(cdnow_csv):
    model = ModifiedBetaGeoModel().fit(cdnow_csv)
    assert model.params_ == pytest.approx(CSV, rel=1e-5)
    assert model.log_likelihood_ == pytest.approx(-9582.132685, abs=1e-5)


def test_predictions_match_on_cdnow(model, cdnow_exact):
    alive, count = model.probability_alive(cdnow_exact), model.expected_purchases(cdnow_exact, 39)
    assert alive.loc[1] == pytest.approx(0.706139, abs=1e-6)
    assert alive.mean() == pytest.approx(0.448722, abs=1e-6)
    assert count.loc[1] == pytest.approx(1.262759, abs=1e-6)
    assert count.sum() == pytest.approx(1576.729, abs=1e-3)


def test_a_one_time_buyer_may_have_left(model, cdnow_exact):
    once = cdnow_exact.query("frequency == 0 and abs(T - 38.857) < 1e-3")
    assert model.probability_alive(once).iloc[0] == pytest.approx(0.389723, abs=1e-6)


def test_new_customers(model):
    r, alpha, a, b = model.params_
    for t, value in model.expected_purchases_new_customer([30, 90]).items():  # paper's eq. (4)
        term = (alpha / (alpha + t)) ** r * hyp2f1(r, b + 1, a + b, t / (alpha + t))
        assert value == pytest.approx(b / (a - 1) * (1 - term), rel=1e-9)
    pmf = model.purchase_count_pmf_new_customer(30, 60)
    mean = model.expected_purchases_new_customer(30).iloc[0]
    assert (pmf * pmf.index).sum() == pytest.approx(mean, rel=1e-3)
    assert pmf[0] > a / (a + b)


def test_1500_purchases_where_others_give_nan():
    # 60 digits of mpmath at BG/NBD's CDNOW parameters: see the table of failures of other packages.
    model = ModifiedBetaGeoModel.with_params(r=0.243, alpha=4.414, a=0.793, b=2.426)
    heavy = pd.DataFrame({"customer_id": [1], "frequency": [1500], "recency": [38.9], "T": [39.0]})
    given_alive = model.discounted_purchases(heavy, 52, 0, given_alive=True)[1]
    alive = model.probability_alive(heavy)[1]
    assert model.expected_purchases(heavy, 52)[1] == pytest.approx(alive * given_alive, rel=1e-12)
    assert given_alive > 1000


@pytest.mark.parametrize("family", [BetaGeoModel, ModifiedBetaGeoModel])
def test_drawn_customers_are_the_models(family):
    model = family.with_params(r=0.8, alpha=10.0, a=0.8, b=2.5)
    rng = np.random.default_rng(7)
    drawn = model.draw_customers(60_000, rng.integers(20, 60, 60_000), rng)
    fitted = family().fit(drawn)
    off = (np.array(fitted.params_) - model.params_) / fitted.standard_errors_
    assert np.abs(off).max() < 3.5
    alive = model.probability_alive(drawn)
    for low in np.arange(0, 1, 0.2):
        some = (alive >= low) & (alive < low + 0.2)
        if some.sum() > 1000:
            assert drawn["active"][some.to_numpy()].mean() == pytest.approx(
                alive[some].mean(), abs=0.02
            )
    assert set(drawn) == {"customer_id", "frequency", "recency", "T", "rate", "dropout", "active"}


def test_every_question_has_a_consistent_answer(model, cdnow_exact):
    some = cdnow_exact.iloc[::50]
    table = model.expected_purchases(some, [13, 39])
    assert list(table.columns) == [13, 39]
    pd.testing.assert_series_equal(table[39], model.expected_purchases(some, 39), check_names=False)
    pmf = model.purchase_count_pmf(some, 39, 400)
    np.testing.assert_allclose(pmf[0], model.probability_no_purchase(some, 39), rtol=1e-12)
    np.testing.assert_allclose(pmf @ pmf.columns.to_numpy(), table[39], rtol=1e-8)
    later = model.probability_alive(some, after=39)
    assert (later < model.probability_alive(some)).all()
    wait = model.next_purchase(some, interval=0.8)
    assert (wait["low"] < wait["median"]).all()
    assert (wait["median"] < wait["high"]).all()
    quiet = [model.probability_no_purchase(some.iloc[[i]], wait["median"].iloc[i]) for i in (0, 7)]
    alive = model.probability_alive(some).iloc[[0, 7]]
    np.testing.assert_allclose(np.concatenate(quiet), 1 - alive / 2, rtol=1e-12)
