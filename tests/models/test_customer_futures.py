"""Futures drawn for intervals, against the same simulated one customer at a time."""

import numpy as np
import pandas as pd
import pytest

from patronage.models import (
    BetaGeoBetaBinomModel,
    BetaGeoCNBDModel,
    BetaGeoModel,
    CustomerValueModel,
    GammaGammaModel,
    ParetoNBDModel,
    customer_futures,
)

DRAWS = 200_000
SPEND = {"p": 6.0, "q": 4.0, "v": 15.0}


def customer(frequency, recency, T):
    found = {"customer_id": [1], "frequency": frequency, "recency": recency, "T": T}
    return pd.DataFrame(found | {"monetary_value": 30.0})


def amounts(made, frequency, rng):
    nu = rng.gamma(SPEND["q"] + SPEND["p"] * frequency, size=len(made)) / (
        SPEND["v"] + frequency * 30
    )
    return rng.gamma(SPEND["p"], size=made.shape) / nu[:, None] * made


def check(found, worth):
    found = found.loc[1]
    assert np.mean(worth < found["low"]) == pytest.approx(0.1, abs=0.02)
    assert np.mean(worth > found["high"]) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("since", [0.0, 2.0, 8.0])
@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_regular_customers_buy_sooner_the_longer_it_is(since, rate):
    # All buy alike, with every third event of rate 1, and nobody leaves.
    known = {"r": 1e7, "alpha": 1e7, "a": 1e-9, "b": 1.0}
    purchases = BetaGeoCNBDModel.with_params(k=3, **known)
    value = CustomerValueModel.of_fitted(purchases, GammaGammaModel.with_params(**SPEND), "Y")
    found = value.clv(customer(8, 20.0, 20.0 + since), 30, rate, 1.0, interval=0.8)
    rng = np.random.default_rng(0)
    weight = np.array([1, since, since**2 / 2])
    passed = rng.choice(3, DRAWS, p=weight / weight.sum())
    gaps = rng.gamma(np.where(np.arange(30) > 0, 3, 3 - passed[:, None]))
    time = gaps.cumsum(axis=1)
    worth = amounts(time <= 30, 8, rng) if rate == 0 else amounts(time <= 30, 8, rng) * 1.5**-time
    check(found, worth.sum(axis=1))


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_opportunities_are_taken_until_she_leaves(rate):
    purchases = BetaGeoBetaBinomModel.with_params(alpha=1.2, beta=0.75, gamma=0.66, delta=2.78)
    value = CustomerValueModel.of_fitted(purchases, GammaGammaModel.with_params(**SPEND), "Y")
    found = value.clv(customer(5, 6, 6), 12, rate, 1.0, interval=0.8)
    rng = np.random.default_rng(0)
    buys, leaves = rng.beta(6.2, 1.75, DRAWS), rng.beta(0.66, 9.78, DRAWS)
    alive = purchases.probability_alive(customer(5, 6, 6)).iloc[0]
    stays = rng.random((DRAWS, 12)) > np.where(np.arange(12) > 0, leaves[:, None], 1 - alive)
    made = stays.cumprod(axis=1) * (rng.random((DRAWS, 12)) < buys[:, None])
    worth = amounts(made, 5, rng) * (1 + rate) ** -np.arange(1.0, 13)
    check(found, worth.sum(axis=1))


KINDS = {
    BetaGeoModel: {"r": 1.2, "alpha": 10, "a": 0.6, "b": 3.0},
    BetaGeoCNBDModel: {"k": 2, "r": 1.2, "alpha": 5, "a": 0.6, "b": 3.0},
    ParetoNBDModel: {"r": 1.2, "alpha": 10, "s": 0.6, "beta": 30.0},
}


@pytest.mark.parametrize("kind", KINDS)
def test_counts_of_very_long_horizons_are_drawn(kind, monkeypatch):
    rng = np.random.default_rng(4)
    model = kind.with_params(**KINDS[kind])
    rfm = model.draw_customers(300, rng.integers(10, 60, 300), rng)
    computed = model.predict_purchases(rfm, 40, interval=0.8)
    monkeypatch.setattr(customer_futures, "LONGEST", 0.0)
    drawn = model.predict_purchases(rfm, 40, interval=0.8)
    assert drawn["probability"].mean() == pytest.approx(computed["probability"].mean(), abs=0.01)
    assert drawn["high"].mean() == pytest.approx(computed["high"].mean(), rel=0.02)


def test_a_horizon_of_a_million_ages_has_an_interval():
    model = BetaGeoModel.with_params(**KINDS[BetaGeoModel])
    found = model.predict_purchases(customer(2, 0.5, 1.0), 1e7, interval=0.8)
    assert np.isfinite(found).all(axis=None)
    assert found["high"].iloc[0] > 1
