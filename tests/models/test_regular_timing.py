import json

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError, SettingsError
from patronage.models import (
    BetaGeoCNBDModel,
    BetaGeoModel,
    BetaGeoParams,
    CustomerValueModel,
    GammaGammaModel,
    ModifiedBetaGeoCNBDModel,
    ModifiedBetaGeoModel,
)

FAMILY = {BetaGeoCNBDModel: BetaGeoModel, ModifiedBetaGeoCNBDModel: ModifiedBetaGeoModel}
both = pytest.mark.parametrize("family", FAMILY)
TRUTH = BetaGeoParams(0.8, 10.0, 0.8, 2.5)


def true_model(family, k):
    return family.with_params(k=k, **TRUTH._asdict())


def drawn(family, k, n=40_000, seed=5):
    rng = np.random.default_rng(seed)
    return true_model(family, k).draw_customers(n, rng.integers(20, 60, n), rng)


@both
@pytest.mark.parametrize("k", [1, 2, 5])
def test_drawn_customers_are_the_models(family, k):
    customers = drawn(family, k)
    fitted = family().fit(customers)
    assert fitted.k_ == k
    assert (
        np.abs(np.array(fitted.params_) - TRUTH) < 3.5 * np.array(fitted.standard_errors_)
    ).all()
    alive = true_model(family, k).probability_alive(customers)
    for low in np.arange(0, 1, 0.2):
        some = (alive >= low) & (alive < low + 0.2)
        if some.sum() > 1000:
            truth = customers["active"][some.to_numpy()].mean()
            assert truth == pytest.approx(alive[some].mean(), abs=0.025)


@both
def test_cdnow_customers_buy_without_rhythm(family, cdnow_exact):
    # BTYDplus's demonstrations: "k=1 -> no regularity detected for CDNow".
    assert family().fit(cdnow_exact).k_ == 1


@both
def test_k_1_is_the_model_of_timing_by_chance(family, cdnow_exact):
    regular, plain = family(1).fit(cdnow_exact), FAMILY[family]().fit(cdnow_exact)
    assert regular.params_ == pytest.approx(plain.params_, rel=1e-9)
    assert regular.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)
    np.testing.assert_allclose(
        regular.expected_purchases(cdnow_exact, 39), plain.expected_purchases(cdnow_exact, 39)
    )


@both
def test_the_likelihood_is_the_density_of_histories(family):
    """Summed over k = 2's own simulated histories, the true k's likelihood is the highest."""
    customers = drawn(family, 2, n=5000)
    found = {k: family(k).fit(customers).log_likelihood_ for k in range(1, 5)}
    assert max(found, key=found.get) == 2
    assert family().fit(customers).log_likelihood_ == found[2]


@both
@pytest.mark.parametrize("factor", [7.0, 1 / 52, 1e6])
def test_the_unit_of_time_changes_no_prediction(family, factor):
    weeks = drawn(family, 3, n=4000)
    other = weeks.assign(
        recency=weeks["recency"] * factor,
        T=weeks["T"] * factor,
        log_gap_sum=weeks["log_gap_sum"] + weeks["frequency"] * np.log(factor),
    )
    here, there = family().fit(weeks), family().fit(other)
    assert here.k_ == there.k_
    shift = weeks["frequency"].sum() * np.log(factor)
    assert there.log_likelihood_ == pytest.approx(here.log_likelihood_ - shift, rel=1e-10)
    for name, times in {"expected_purchases": (39,), "probability_no_purchase": (39, 2)}.items():
        ours = getattr(here, name)(weeks, *times)
        theirs = getattr(there, name)(other, *[time * factor for time in times])
        np.testing.assert_allclose(theirs, ours, rtol=1e-9)


@both
def test_holdout_purchases_are_predicted(family):
    """The exact expectation has no bias on the model's own customers."""
    rng, n = np.random.default_rng(11), 4000
    model = true_model(family, 3)
    T = np.full(n, 40.0)
    customers = model.draw_customers(n, T, rng)
    expected = model.expected_purchases(customers, 30.0)
    some = customers.iloc[::20]
    pmf = model.purchase_count_pmf(some, 30.0, 200)
    np.testing.assert_allclose(pmf @ pmf.columns.to_numpy(), expected.iloc[::20], rtol=1e-8)
    new = model.expected_purchases_new_customer([40.0, 70.0])
    assert customers["frequency"].mean() == pytest.approx(new[40.0], rel=0.1)
    assert expected.mean() == pytest.approx(new[70.0] - new[40.0], rel=0.15)


@pytest.mark.parametrize("b", [0.4, 1.0])
def test_who_could_not_leave_yet_is_active_for_sure(b):
    """Also where b <= 1, so that b - 1 has no logarithm."""
    model = BetaGeoCNBDModel.with_params(k=2, r=1.0, alpha=10.0, a=0.5, b=b)
    customers = model.draw_customers(200, 100.0, np.random.default_rng(0))
    alive = model.probability_alive(customers)
    once = customers["frequency"].to_numpy() == 0
    assert (alive[once] == 1).all()
    assert alive[~once].between(0, 1, inclusive="neither").all()


def test_value_of_regular_customers(cdnow_exact):
    model = CustomerValueModel(ModifiedBetaGeoCNBDModel(2), GammaGammaModel(), "W").fit(cdnow_exact)
    loaded = CustomerValueModel.from_dict(json.loads(json.dumps(model.to_dict())))
    terms = {"horizon": 52, "annual_discount_rate": 0.15, "margin": 0.25}
    pd.testing.assert_series_equal(
        loaded.clv(cdnow_exact, **terms), model.clv(cdnow_exact, **terms)
    )
    assert loaded.purchases_.k_ == 2


def test_weights_stand_for_customers():
    customers = drawn(BetaGeoCNBDModel, 2, n=3000).drop(columns="customer_id")
    twice = pd.concat([customers, customers]).assign(customer_id=np.arange(6000))
    counted = BetaGeoCNBDModel().fit(customers, weights=np.full(3000, 2))
    listed = BetaGeoCNBDModel().fit(twice)
    assert counted.params_ == pytest.approx(listed.params_, rel=1e-9)
    assert counted.log_likelihood_ == pytest.approx(listed.log_likelihood_, rel=1e-12)


def test_the_sum_of_log_gaps_is_asked_for(cdnow_exact):
    with pytest.raises(DataError, match=r"log_gap_sum is missing.*rfm_summary\(days.*gaps=True"):
        BetaGeoCNBDModel().fit(cdnow_exact.drop(columns="log_gap_sum"))


def test_impossible_gaps_are_refused():
    rfm = pd.DataFrame({"customer_id": ["a", "b"], "frequency": [2, 0], "T": [9.0, 9.0]})
    rfm = rfm.assign(recency=[4.0, 0.0], log_gap_sum=[2 * np.log(2) + 0.1, 0.0])
    with pytest.raises(DataError, match="log_gap_sum exceeds what gaps.* for 1 of 2.*'a' .1.48"):
        ModifiedBetaGeoCNBDModel(2).fit(rfm)


@pytest.mark.parametrize(("k", "text"), [(0, "k=0 must be"), (13, "k=13 must be"), (1.5, "k=1.5")])
def test_a_k_that_cannot_be_is_refused(cdnow_exact, k, text):
    with pytest.raises(SettingsError, match=text):
        BetaGeoCNBDModel(k).fit(cdnow_exact)


def test_a_saved_model_predicts_the_same():
    customers = drawn(BetaGeoCNBDModel, 3, n=2000)
    model = BetaGeoCNBDModel().fit(customers)
    loaded = BetaGeoCNBDModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert loaded.k_ == model.k_
    assert loaded.expected_purchases(customers, 9).equals(model.expected_purchases(customers, 9))
