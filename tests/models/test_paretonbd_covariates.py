import json

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError, SettingsError
from patronage.models import ParetoNBDModel, ParetoNBDParams


def known(*params):
    return ParetoNBDModel.with_params(**ParetoNBDParams(*params)._asdict())


def covariate_customers(rng, n, purchases, leaving):
    z = pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "age": rng.integers(2, 7, n) * 10.0,
            "channel": np.where(rng.random(n) < 0.3, "web", "shop"),
        }
    )
    coded = np.column_stack([z["age"], z["channel"] == "web"])
    drawn = [
        known(0.8, 60 * np.exp(-row @ purchases), 0.7, 90 * np.exp(-row @ leaving))
        .draw_customers(count, 300.0, rng)
        .assign(age=row[0], channel="web" if row[1] else "shop")
        for row, count in zip(*np.unique(coded, axis=0, return_counts=True), strict=True)
    ]
    table = pd.concat(drawn, ignore_index=True).assign(customer_id=np.arange(n))
    return table.drop(columns=["age", "channel"]), table[["customer_id", "age", "channel"]]


PURCHASES, LEAVING = np.array([0.01, 0.5]), np.array([-0.02, 0.3])


@pytest.fixture(scope="module")
def with_effects():
    rng = np.random.default_rng(5)
    table, covariates = covariate_customers(rng, 40_000, PURCHASES, LEAVING)
    return table, covariates, ParetoNBDModel().fit(table, covariates=covariates)


def test_effects_of_covariates_come_back(with_effects):
    table, _, model = with_effects
    assert model.effects_.index.tolist() == ["age", "channel=web"]
    for kind, truth in (("purchases", PURCHASES), ("leaving", LEAVING)):
        z = (model.effects_[kind] - truth) / model.effects_[f"{kind}_se"]
        assert np.abs(z).max() < 3
    z = (np.array(model.params_) - (0.8, 60, 0.7, 90)) / model.standard_errors_
    assert np.abs(z).max() < 3
    assert model.log_likelihood_ > ParetoNBDModel().fit(table).log_likelihood_ + 100
    errors = np.sqrt(np.diag(model.covariance_))
    assert errors[4:] == pytest.approx(
        [*model.effects_["purchases_se"], *model.effects_["leaving_se"]]
    )


def test_the_unit_of_a_covariate_changes_no_prediction(with_effects):
    table, covariates, model = with_effects
    other = covariates.assign(age=10 + covariates["age"] / 365)
    fitted = ParetoNBDModel().fit(table, covariates=other)
    assert fitted.effects_.loc["age", "leaving"] == pytest.approx(
        365 * model.effects_.loc["age", "leaving"], rel=1e-6
    )
    assert fitted.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-12)
    np.testing.assert_allclose(
        fitted.expected_purchases(table.merge(other), 90),
        model.expected_purchases(table.merge(covariates), 90),
        rtol=1e-8,
    )


def test_a_weak_prior_leaves_much_data_alone(with_effects):
    table, covariates, model = with_effects
    fitted = ParetoNBDModel(prior="weak").fit(table, covariates=covariates)
    assert fitted.log_likelihood_ == pytest.approx(model.log_likelihood_, abs=0.1)
    assert fitted.log_likelihood_ < model.log_likelihood_
    np.testing.assert_allclose(fitted.effects_, model.effects_, rtol=0.05)


def test_a_covariate_far_from_0_is_refused(with_effects):
    table, covariates, _ = with_effects
    with pytest.raises(DataError, match="age lies far from 0 .mean 1000.*Subtract a typical value"):
        ParetoNBDModel().fit(
            table, covariates=covariates.assign(age=1000 + covariates["age"] / 365)
        )


def test_an_effect_without_bound_is_named(with_effects):
    table, covariates, _ = with_effects
    table, covariates = (each.iloc[::13].reset_index(drop=True) for each in (table, covariates))
    silent = covariates.assign(silent=(table["frequency"] == 0) & (table.index % 5 == 0))
    model = ParetoNBDModel().fit(table, covariates=silent)
    assert "the effect of silent has no bound" in model.diagnosis_
    assert model.effects_["purchases_se"].isna().all()
    assert np.isfinite(model.expected_purchases(table.merge(silent), 30)).all()


def test_covariates_split_like_customers_apart(with_effects):
    table, covariates, model = with_effects
    mine = table.merge(covariates)
    web = mine[(mine["channel"] == "web") & (mine["age"] == 30)]
    alone = model.for_covariates(age=30, channel="web")
    for ask in (
        lambda m, t: m.expected_purchases(t, 90),
        lambda m, t: m.probability_no_purchase(t, 90, lead=7),
        lambda m, t: m.discounted_purchases(t, np.inf, 0.001),
        lambda m, t: m.next_purchase(t)["low"],
        lambda m, t: m.purchase_count_pmf(t, 90, 1)[1],
    ):
        np.testing.assert_allclose(ask(model, web), ask(alone, web), rtol=1e-12)
    assert alone.expected_purchases_new_customer(90).iloc[0] > 0
    truth = 60 * np.exp(-np.array([30, 1]) @ PURCHASES), 90 * np.exp(-np.array([30, 1]) @ LEAVING)
    z = (np.array(alone.params_) - (0.8, truth[0], 0.7, truth[1])) / alone.standard_errors_
    assert np.abs(z).max() < 3


def test_intervals_are_those_of_the_model_of_their_covariates(with_effects):
    table, covariates, model = with_effects
    mine = table.merge(covariates)
    some = mine[(mine["age"] == 30) & (mine["channel"] == "web")].nlargest(80, "frequency")
    found = model.predict_purchases(some, 90, interval=0.8)
    alone = model.for_covariates(age=30, channel="web").predict_purchases(some, 90, interval=0.8)
    np.testing.assert_allclose(found["high"].mean(), alone["high"].mean(), rtol=0.05)
    np.testing.assert_allclose(found["low"].mean(), alone["low"].mean(), rtol=0.08)
    np.testing.assert_allclose(found["probability"], alone["probability"], atol=0.08)
    few = model.predict_purchases(some.iloc[[3, 40]], 90, interval=0.8)
    pd.testing.assert_frame_equal(few, found.iloc[[3, 40]])


def test_covariates_are_columns_of_the_customer_table(with_effects):
    table, covariates, model = with_effects
    mine = table.merge(covariates)
    named = ParetoNBDModel(covariates=["age", "channel"]).fit(mine)
    np.testing.assert_allclose(named.params_, model.params_, rtol=1e-12)
    assert (
        named.data_digest_
        == ParetoNBDModel(covariates=["age", "channel"]).fit(mine[::-1]).data_digest_
    )
    assert named.data_digest_ == model.data_digest_
    one = ParetoNBDModel(covariates=["age"]).fit(table, covariates=covariates)
    assert list(one.effects_.index) == ["age"]
    with pytest.raises(DataError, match="covariates names age, channel, which the customer table"):
        ParetoNBDModel(covariates=["age", "channel"]).fit(table)
    with pytest.raises(SettingsError, match="covariates='age' must be a list of column names"):
        ParetoNBDModel(covariates="age").fit(mine)


@pytest.mark.slow
def test_profiles_with_covariates_lie_around_the_estimates(with_effects):
    mine = with_effects[0].merge(with_effects[1])[::5]
    model = ParetoNBDModel(covariates=["age", "channel"]).fit(mine)
    delta = model.confidence_intervals(0.9)
    assert list(delta.index) == list(model.covariance_.index)
    profile = model.confidence_intervals(0.9, "profile", mine)
    width = delta["high"] - delta["low"]
    np.testing.assert_allclose((profile["low"] - delta["low"]) / width, 0, atol=0.15)
    np.testing.assert_allclose((profile["high"] - delta["high"]) / width, 0, atol=0.15)
    with pytest.raises(DataError, match="are not what the model was fitted on"):
        model.confidence_intervals(0.9, "profile", mine.assign(age=mine["age"] + 1))


def test_a_model_with_covariates_is_saved(with_effects):
    table, covariates, model = with_effects
    again = ParetoNBDModel.from_dict(json.loads(json.dumps(model.to_dict())))
    pd.testing.assert_frame_equal(again.effects_, model.effects_)
    pd.testing.assert_frame_equal(again.covariance_, model.covariance_)
    mine = table.merge(covariates).head(100)
    pd.testing.assert_series_equal(again.probability_alive(mine), model.probability_alive(mine))


def test_covariates_are_asked_for(with_effects):
    table, _, model = with_effects
    with pytest.raises(DataError, match="fitted with the covariates age, channel.*Join them"):
        model.expected_purchases(table, 90)
    with pytest.raises(SettingsError, match=r"model.for_covariates\(age=..., channel=...\)"):
        model.expected_purchases_new_customer(90)
    with pytest.raises(SettingsError, match="draw_customers needs to know"):
        model.draw_customers(3, 10, np.random.default_rng(0))
    with pytest.raises(SettingsError, match="without covariates"):
        known(1, 1, 1, 1).for_covariates(age=3)
