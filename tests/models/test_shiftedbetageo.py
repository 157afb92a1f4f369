import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from patronage.errors import DataError, SettingsError
from patronage.models import ShiftedBetaGeoModel

# Survivors of 1,000 over 7 renewals: Fader & Hardie (2007), table 1; and the next 5.
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
TEN_PERCENT = np.log(1.1)

# The paper prints .704, 1.182 and .668, 3.806; the digits beyond are an independent optimiser's.
FITS = {
    "regular, 7 years": (REGULAR, (0.704077, 1.182043), -1680.265188),
    "high end, 7 years": (HIGH_END, (0.668088, 3.806095), -1611.158147),
    "regular, 4 years": (REGULAR[:5], (0.763665, 1.295830), -1401.559424),
    "high end, 4 years": (HIGH_END[:5], (1.280976, 7.790382), -1225.134907),
}


@pytest.fixture(scope="module")
def regular():
    return ShiftedBetaGeoModel().fit_survivors(REGULAR)


@pytest.fixture(scope="module")
def high_end():
    return ShiftedBetaGeoModel().fit_survivors(HIGH_END)


def contracts(recency, T):
    return pd.DataFrame({"customer_id": range(len(T)), "recency": recency, "T": T})


@pytest.mark.parametrize(("survivors", "params", "total"), FITS.values(), ids=FITS.keys())
def test_fit_matches_the_paper(survivors, params, total):
    model = ShiftedBetaGeoModel().fit_survivors(survivors)
    assert model.params_ == pytest.approx(params, rel=2e-6)
    assert model.log_likelihood_ == pytest.approx(total, abs=1e-6)
    assert (model.converged_, model.diagnosis_, model.n_customers_) == (True, "", 1000)


def test_standard_errors_are_those_of_the_curvature(high_end):
    # Numerically: minus the inverse of the second differences of the log-likelihood.
    time = np.arange(1, 8)
    kept, lost = np.array(HIGH_END[1:]), -np.diff(HIGH_END)

    def total(alpha, beta):
        rate = (beta + time - 1) / (alpha + beta + time - 1)
        return np.sum(kept * np.log(rate) + lost * np.log(1 - rate))

    at, step = np.array(high_end.params_), 1e-4 * np.array(high_end.params_)
    axes = np.diag(step)
    bend = np.array(
        [
            [
                total(*(at + u + v))
                - total(*(at + u - v))
                - total(*(at - u + v))
                + total(*(at - u - v))
                for v in axes
            ]
            for u in axes
        ]
    ) / (4 * np.outer(step, step))
    np.testing.assert_allclose(high_end.covariance_, -np.linalg.inv(bend), rtol=1e-4)
    assert high_end.standard_errors_ == pytest.approx(np.sqrt(np.diag(high_end.covariance_)))


def test_projections_match_the_paper(regular, high_end):
    expected = [22.01, 20.44, 19.12, 17.99, 17.00]
    assert (100 * regular.survival(12)[8:]).tolist() == pytest.approx(expected, abs=0.0051)
    expected = [46.04, 43.58, 41.42, 39.51, 37.80]
    assert (100 * high_end.survival(12)[8:]).tolist() == pytest.approx(expected, abs=0.0051)
    assert high_end.survival(0).tolist() == [1.0]


def test_retention_rates_match_the_paper(regular, high_end):
    rates = [0.8507, 0.8780, 0.8968, 0.9106, 0.9212, 0.9295, 0.9362]
    assert high_end.retention_rates(7).tolist() == pytest.approx(rates, abs=5e-5)
    rates = [0.6267, 0.7560, 0.8188, 0.8559, 0.8804, 0.8978, 0.9107]
    assert regular.retention_rates(7).tolist() == pytest.approx(rates, abs=5e-5)
    alpha, beta = regular.params_
    for t, rate in regular.retention_rates(300).items():
        assert rate == pytest.approx((beta + t - 1) / (alpha + beta + t - 1), rel=1e-13)


def test_mean_churn_is_the_first_loss(regular, high_end):
    losses = [1 - model.retention_rates(1)[1] for model in (high_end, regular)]
    assert losses == pytest.approx([0.1493, 0.3733], abs=5e-5)


# Fader & Hardie (2010), eq. 6, at d = 10 %; ports of the paper quote 7.530 for n = 8.
DERL = {
    "high end": (
        HIGH_END,
        5.922254,
        [5.414479, 5.901378, 6.293892, 6.619920, 6.896707, 7.135661, 7.344721, 7.529628],
    ),
    "regular": (
        REGULAR,
        3.694908,
        [2.964399, 4.103140, 4.869805, 5.442059, 5.894095, 6.264410, 6.575655, 6.842315],
    ),
}


@pytest.mark.parametrize(("survivors", "lifetime", "residual"), DERL.values(), ids=DERL.keys())
def test_discounted_lifetimes_match_the_paper(survivors, lifetime, residual):
    model = ShiftedBetaGeoModel().fit_survivors(survivors)
    assert model.discounted_lifetime(TEN_PERCENT) == pytest.approx(lifetime, abs=1e-6)
    found = model.discounted_residual_lifetime(range(1, 9), TEN_PERCENT)
    assert found.tolist() == pytest.approx(residual, abs=1e-6)
    customers = contracts(range(1, 9), range(1, 9))
    before = model.discounted_renewals(customers, TEN_PERCENT, wait=0)
    assert before.tolist() == pytest.approx(residual, abs=1e-6)
    after = model.discounted_renewals(customers, TEN_PERCENT)
    assert (1.1 * after).tolist() == pytest.approx(before.tolist(), rel=1e-13)


def test_cohorts_of_different_age_share_parameters():
    # Fader & Hardie's note on several cohorts: alpha about 3.80, beta about 15.19.
    survivors = [10000, 8000, 6480, 5307, 4391]
    model = ShiftedBetaGeoModel().fit_survivors(*(survivors[:n] for n in (5, 4, 3, 2)))
    assert model.params_ == pytest.approx((3.80, 15.19), abs=5e-3)
    assert model.n_customers_ == 40_000


def test_customers_and_counts_give_one_fit(high_end):
    lost = -np.diff(HIGH_END)
    recency = np.repeat(np.arange(1, 9), [*lost, HIGH_END[-1]])
    model = ShiftedBetaGeoModel().fit(contracts(recency, np.full(1000, 8)))
    assert model.params_ == high_end.params_
    assert model.data_digest_ == high_end.data_digest_


def test_who_was_lost_stays_lost(high_end):
    customers = contracts([3, 8, 8], [8, 8, 8])
    now, later = high_end.probability_alive(customers), high_end.probability_alive(customers, 2)
    assert now.tolist() == [0, 1, 1]
    survival = high_end.survival(9)
    assert later.tolist() == pytest.approx([0, *[survival[9] / survival[7]] * 2], rel=1e-13)
    assert high_end.expected_renewals(customers)[0] == 0
    kept = high_end.discounted_renewals(customers, 0.1, given_alive=True)
    assert kept.nunique() == 1


def test_expected_renewals_are_residual_lifetimes(high_end):
    # Infinite for these data, as alpha < 1; (beta + T - 1) / (alpha - 1) where alpha > 1.
    customers = contracts([4, 2], [4, 2])
    assert np.isinf(high_end.expected_renewals(customers)).all()
    survival = high_end.survival(8)
    ahead = high_end.expected_renewals(customers, horizon=5)
    assert ahead[0] == pytest.approx((survival[4:9] / survival[3]).sum(), rel=1e-13)
    model = ShiftedBetaGeoModel().fit_survivors(HIGH_END[:5])
    alpha, beta = model.params_
    expected = [(beta + 3) / (alpha - 1), (beta + 1) / (alpha - 1)]
    assert model.expected_renewals(customers).tolist() == pytest.approx(expected, rel=1e-10)


def test_customers_to_come_are_projected(high_end):
    customers = contracts([1, 8, 8, 3], [1, 8, 8, 5])
    ahead = high_end.expected_active(customers, 3)
    for after, count in ahead.items():
        one_by_one = high_end.probability_alive(customers, after).sum()
        assert count == pytest.approx(one_by_one, rel=1e-13)
    weighted = high_end.expected_active(contracts([8], [8]), 5, weights=[491])
    survival = high_end.survival(12)
    assert weighted[5] == pytest.approx(491 * survival[12] / survival[7], rel=1e-13)


def test_value_is_margin_times_discounted_renewals(high_end):
    customers = contracts([8, 2], [8, 3])
    yearly = high_end.clv(customers, 100, 0.1, 1)
    assert yearly.tolist() == pytest.approx([100 * 7.529628 / 1.1, 0], abs=1e-4)
    monthly = high_end.clv(customers, 100, 0.1, 12, horizon=24, wait=0.5)
    renewals = high_end.discounted_renewals(customers, TEN_PERCENT / 12, 24, wait=0.5)
    assert monthly.tolist() == pytest.approx((100 * renewals).tolist())


def test_simulated_customers_are_fitted(high_end):
    rng = np.random.default_rng(1)
    drawn = high_end.draw_customers(50_000, rng.integers(2, 10, 50_000), rng)
    assert (drawn["active"] == (drawn["recency"] == drawn["T"])).all()
    model = ShiftedBetaGeoModel().fit(drawn)
    error = np.array(model.params_) - np.array(high_end.params_)
    assert (np.abs(error) < 4 * np.array(model.standard_errors_)).all()


DEGENERATE = {
    "nobody leaves": ([100, 100, 100], "nobody was lost, so no churn can be identified"),
    "all leave at once": ([100, 0, 0], "all were lost at their first renewal"),
    "one chance for all": ([1000, 500, 250, 125], "no heterogeneity of churn.*theta = 0.5"),
    "all or nothing": ([100, 60, 60, 60], "who renews once never leaves"),
    "one renewal": ([100, 60], r"only 1 renewal\(s\) were seen, fewer than parameters"),
}


@pytest.mark.parametrize(("survivors", "text"), DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_data_are_named_not_fitted(survivors, text):
    model = ShiftedBetaGeoModel().fit_survivors(survivors)
    assert not model.converged_
    assert re.search(f"on these {survivors[0]:,} customers.*{text}", model.diagnosis_)
    assert np.isnan(model.standard_errors_).all()
    left = model.survival(len(survivors) - 1) * survivors[0]
    assert left.tolist() == pytest.approx(survivors, abs=1e-3)
    assert np.isfinite(model.discounted_lifetime(TEN_PERCENT))
    saved = json.dumps(model.to_dict(), allow_nan=False)
    assert ShiftedBetaGeoModel.from_dict(json.loads(saved)).diagnosis_ == model.diagnosis_


def test_new_customers_alone_teach_nothing():
    with pytest.raises(DataError, match="T is 1 for all 3 customers: no renewal was seen"):
        ShiftedBetaGeoModel().fit(contracts([1, 1, 1], [1, 1, 1]))


def test_a_saved_model_predicts_the_same(high_end):
    loaded = ShiftedBetaGeoModel.from_dict(json.loads(json.dumps(high_end.to_dict())))
    assert loaded.to_dict() == high_end.to_dict()
    pd.testing.assert_series_equal(loaded.survival(9), high_end.survival(9))


def test_clone_forgets_the_fit(high_end):
    with pytest.raises(NotFittedError, match="ShiftedBetaGeoModel instance is not fitted"):
        clone(high_end).survival(3)


ARGUMENTS = {
    "after": lambda m, t: m.probability_alive(t, after=1.5),
    "horizon": lambda m, t: m.expected_renewals(t, horizon=0.5),
    "rate": lambda m, t: m.discounted_renewals(t, rate=-0.1),
    "wait": lambda m, t: m.discounted_renewals(t, 0.1, wait=-1),
    "margin": lambda m, t: m.clv(t, np.inf, 0.1, 1),
    "periods_per_year": lambda m, t: m.clv(t, 10, 0.1, 0),
    "periods": lambda m, _: m.retention_rates(0),
    "renewal": lambda m, _: m.discounted_residual_lifetime(0, 0.1),
}


@pytest.mark.parametrize(("name", "call"), ARGUMENTS.items(), ids=ARGUMENTS.keys())
def test_arguments_that_cannot_be_are_refused(high_end, name, call):
    with pytest.raises(SettingsError, match=f"^{name}=.* must be"):
        call(high_end, contracts([1], [1]))


SHARED = Path(__file__).parents[2].parent / "shared/data/discrete_contractual"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the table of survivors is not on this machine")
@pytest.mark.parametrize(("segment", "case"), [("regular", REGULAR), ("highend", HIGH_END)])
def test_the_stored_survivors_are_the_papers(segment, case):
    table = pd.read_parquet(SHARED / "sbg_contractual_survival.parquet")
    survivors = table[table["segment"] == segment].sort_values("year")["survivors"].tolist()
    assert survivors == case
    assert ShiftedBetaGeoModel().fit_survivors(survivors).converged_
