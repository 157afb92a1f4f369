import json

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError, SettingsError
from patronage.models import BetaGeoModel, ModifiedBetaGeoModel, likelihood_ratio_test
from patronage.models.betageo_covariates import CovariateBetaGeoLikelihood
from patronage.models.betageo_likelihood import BetaGeoLikelihood
from patronage.models.betageo_quantities import BetaGeoParams
from patronage.models.covariate_effects import Sets
from patronage.models.groups import TimingGroups

PURCHASES, DROPOUT = np.array([0.01, 0.5]), np.array([-0.02, 0.4])
TRUTH = (0.8, 30.0, 0.9, 3.0)


def known(kind, *params):
    return kind.with_params(**BetaGeoParams(*params)._asdict())


def covariate_customers(kind, n=40_000):
    rng = np.random.default_rng(5)
    coded = np.column_stack([rng.integers(2, 7, n) * 10.0, rng.random(n) < 0.3])
    r, alpha, a, b = TRUTH
    drawn = [
        known(kind, r, alpha * np.exp(-row @ PURCHASES), a, b * np.exp(-row @ DROPOUT))
        .draw_customers(count, 300.0, rng)
        .assign(age=row[0], channel="web" if row[1] else "shop")
        for row, count in zip(*np.unique(coded, axis=0, return_counts=True), strict=True)
    ]
    table = pd.concat(drawn, ignore_index=True).assign(customer_id=np.arange(n))
    return table.drop(columns=["age", "channel"]), table[["customer_id", "age", "channel"]]


@pytest.fixture(scope="module", params=[BetaGeoModel, ModifiedBetaGeoModel])
def both(request):
    table, covariates = covariate_customers(request.param)
    return table, covariates, request.param().fit(table, covariates=covariates)


@pytest.fixture(scope="module")
def with_effects():
    table, covariates = covariate_customers(BetaGeoModel, 15_000)
    return table, covariates, BetaGeoModel().fit(table, covariates=covariates)


def test_effects_of_covariates_come_back(both):
    table, _, model = both
    assert model.effects_.index.tolist() == ["age", "channel=web"]
    for kind, truth in (("purchases", PURCHASES), ("dropout", DROPOUT)):
        z = (model.effects_[kind] - truth) / model.effects_[f"{kind}_se"]
        assert np.abs(z).max() < 3
    z = (np.array(model.params_) - TRUTH) / model.standard_errors_
    assert np.abs(z).max() < 3
    found = likelihood_ratio_test(type(model)().fit(table), model)
    assert found.degrees_of_freedom == 4
    assert found.statistic > 200


def test_the_odds_of_dropout_move_by_the_effect(both):
    *_, model = both
    shop, web = (model.for_covariates(age=30, channel=c).params_ for c in ("shop", "web"))
    effects = model.effects_.loc["channel=web"]
    assert np.log(web.a / web.b) - np.log(shop.a / shop.b) == pytest.approx(effects["dropout"])
    assert np.log(shop.alpha / web.alpha) == pytest.approx(effects["purchases"])
    assert (web.r, web.a) == pytest.approx((shop.r, shop.a), rel=1e-12)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("params", [(0.5, 0.2, 0.8, 2.4), (9, 3, 0.05, 20), (0.02, 0.01, 7, 0.1)])
def test_gradient_and_hessian_are_the_derivatives(params, first):
    rng = np.random.default_rng(0)
    x, T = rng.integers(0, 9, 200).astype(float), rng.uniform(0.1, 1, 200)
    t_x = np.where(x > 0, T * rng.uniform(size=200), 0)
    groups = TimingGroups(x, t_x, T, rng.uniform(0.5, 3, 200), 1.0)
    sets = Sets(rng.integers(0, 7, 200), rng.normal(size=(7, 2)))
    likelihood = CovariateBetaGeoLikelihood(groups, sets, leaves_at_first=first)
    at, step = np.append(np.log(params), [0.3, -0.2, 0.1, 0.5]), 1e-5
    found = likelihood(at)
    for i, axis in enumerate(np.eye(8) * step):
        up, down = likelihood(at + axis), likelihood(at - axis)
        slope = (up.value - down.value) / (2 * step)
        assert found.gradient[i] == pytest.approx(slope, abs=1e-8)
        bend = (up.gradient - down.gradient) / (2 * step)
        np.testing.assert_allclose(found.hessian[i], bend, atol=1e-8)


@pytest.mark.parametrize("first", [False, True])
def test_value_is_that_of_each_set_by_its_own_parameters(first):
    rng = np.random.default_rng(1)
    x, T, label = rng.integers(0, 9, 90).astype(float), np.ones(90), np.arange(90) % 3
    t_x, z = np.where(x > 0, rng.uniform(size=90), 0), rng.normal(size=(3, 1))
    groups = TimingGroups(x, t_x, T, np.ones(90), 1.0)
    likelihood = CovariateBetaGeoLikelihood(groups, Sets(label, z), leaves_at_first=first)
    expected = []
    for i in range(3):
        rows = label == i
        some = TimingGroups(x[rows], t_x[rows], T[rows], np.ones(30), 1.0)
        own = 0.5, 0.2 * np.exp(-0.3 * z[i, 0]), 0.8, 2.4 * np.exp(0.7 * z[i, 0])
        expected.append(BetaGeoLikelihood(some, leaves_at_first=first)(np.log(own)).value)
    found = likelihood(np.append(np.log([0.5, 0.2, 0.8, 2.4]), [0.3, -0.7])).value
    assert found == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.parametrize("first", [False, True])
def test_effects_of_0_give_the_likelihood_without_covariates(first):
    x, t_x, T = (np.array(each, dtype=float) for each in ([0, 1, 4, 1500], [0, 3, 9, 8], [9] * 4))
    groups = TimingGroups(x, t_x / 9, T / 9, np.array([3.0, 2, 1, 1]), 9.0)
    sets = Sets(np.array([0, 1, 1, 0]), np.array([[-1.0], [2.0]]))
    at = np.log([0.5, 0.2, 0.8, 2.4])
    plain = BetaGeoLikelihood(groups, leaves_at_first=first)(at)
    likelihood = CovariateBetaGeoLikelihood(groups, sets, leaves_at_first=first)
    found = likelihood(np.append(at, [0, 0]))
    assert found.value == pytest.approx(plain.value, rel=1e-12)
    np.testing.assert_allclose(found.gradient[:4], plain.gradient, rtol=1e-10)
    np.testing.assert_allclose(found.hessian[:4, :4], plain.hessian, rtol=1e-9, atol=1e-12)
    assert likelihood(np.append(at, [500, 0])).value == -np.inf


def test_covariates_without_effect_leave_the_fit_alone(with_effects):
    """Each customer once with the covariate and once without: its best effect is none at all."""
    table, _, _ = with_effects
    table = table.head(2000)
    twice = pd.concat([table, table.assign(customer_id=table["customer_id"] + 100_000)])
    covariates = twice[["customer_id"]].assign(flag=np.repeat([False, True], len(table)))
    plain, model = BetaGeoModel().fit(twice), BetaGeoModel().fit(twice, covariates=covariates)
    assert plain.converged_
    assert model.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)
    assert model.params_ == pytest.approx(plain.params_, rel=1e-6)
    np.testing.assert_allclose(model.effects_[["purchases", "dropout"]], 0, atol=1e-6)
    asked = twice.merge(covariates)
    np.testing.assert_allclose(
        model.expected_purchases(asked, 90), plain.expected_purchases(twice, 90), rtol=1e-6
    )


def test_units_change_no_prediction(with_effects):
    table, covariates, model = with_effects
    weeks = table.assign(recency=table["recency"] / 7, T=table["T"] / 7)
    other = covariates.assign(age=10 + covariates["age"] / 365)
    fitted = BetaGeoModel().fit(weeks, covariates=other)
    assert fitted.effects_.loc["age", "dropout"] == pytest.approx(
        365 * model.effects_.loc["age", "dropout"], rel=1e-6
    )
    np.testing.assert_allclose(
        fitted.expected_purchases(weeks.merge(other), 90 / 7),
        model.expected_purchases(table.merge(covariates), 90),
        rtol=1e-8,
    )


def test_weights_stand_for_customers(with_effects):
    table, covariates, _ = with_effects
    some, own = table.iloc[::5], covariates.iloc[::5]
    ids = np.arange(2 * len(some))
    doubled, owned = (pd.concat([t, t]).assign(customer_id=ids) for t in (some, own))
    one = BetaGeoModel().fit(doubled, covariates=owned)
    two = BetaGeoModel().fit(some, np.full(len(some), 2.0), covariates=own)
    np.testing.assert_allclose(two.effects_, one.effects_, rtol=1e-8)


QUESTIONS = {
    "purchases": lambda m, t: m.expected_purchases(t, 90),
    "alive": lambda m, t: m.probability_alive(t),
    "alive later": lambda m, t: m.probability_alive(t, after=30),
    "no purchase": lambda m, t: m.probability_no_purchase(t, 90, lead=7),
    "discounted": lambda m, t: m.discounted_purchases(t, np.inf, 0.001),
    "next": lambda m, t: m.next_purchase(t)["low"],
    "counts": lambda m, t: m.purchase_count_pmf(t, 90, 2)[2],
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_customers_are_answered_by_the_model_of_their_covariates(both, ask):
    table, covariates, model = both
    mine = table.merge(covariates).iloc[::40]
    answers = ask(model, mine)
    for (age, channel), some in mine.groupby(["age", "channel"]):
        alone = ask(model.for_covariates(age=age, channel=channel), some)
        np.testing.assert_allclose(answers.loc[alone.index], alone, rtol=1e-10)


def test_intervals_are_those_of_the_model_of_their_covariates(both):
    table, covariates, model = both
    mine = table.merge(covariates)
    some = mine[(mine["age"] == 30) & (mine["channel"] == "web")].nlargest(80, "frequency")
    found = model.predict_purchases(some, 90, interval=0.8)
    alone = model.for_covariates(age=30, channel="web").predict_purchases(some, 90, interval=0.8)
    np.testing.assert_allclose(found["high"].mean(), alone["high"].mean(), rtol=0.05)
    np.testing.assert_allclose(found["low"].mean(), alone["low"].mean(), rtol=0.08)
    np.testing.assert_allclose(found["probability"], alone["probability"], atol=0.08)
    few = model.predict_purchases(some.iloc[[3, 40]], 90, interval=0.8)
    pd.testing.assert_frame_equal(few, found.iloc[[3, 40]])


def test_the_model_of_some_covariates_is_one_without(both):
    *_, model = both
    alone = model.for_covariates(age=30, channel="web")
    z = np.array([30, 1])
    r, alpha, a, b = TRUTH
    truth = (r, alpha * np.exp(-z @ PURCHASES), a, b * np.exp(-z @ DROPOUT))
    assert np.abs((np.array(alone.params_) - truth) / alone.standard_errors_).max() < 3
    assert alone.expected_purchases_new_customer(90).iloc[0] > 0
    assert len(alone.draw_customers(3, 10, np.random.default_rng(0))) == 3
    with pytest.raises(SettingsError, match="without covariates: use it as it is"):
        alone.for_covariates(age=3)


def test_covariates_are_columns_of_the_customer_table(with_effects):
    table, covariates, model = with_effects
    mine = table.merge(covariates)
    named = BetaGeoModel(covariates=["age", "channel"]).fit(mine)
    np.testing.assert_allclose(named.params_, model.params_, rtol=1e-12)
    assert (
        named.data_digest_
        == BetaGeoModel(covariates=["age", "channel"]).fit(mine[::-1]).data_digest_
    )
    assert named.data_digest_ == model.data_digest_
    one = BetaGeoModel(covariates=["age"]).fit(table, covariates=covariates)
    assert list(one.effects_.index) == ["age"]
    with pytest.raises(DataError, match="covariates names age, channel, which the customer table"):
        BetaGeoModel(covariates=["age", "channel"]).fit(table)
    with pytest.raises(SettingsError, match="covariates='age' must be a list of column names"):
        BetaGeoModel(covariates="age").fit(mine)


def test_profiles_with_covariates_lie_around_the_estimates(with_effects):
    mine = with_effects[0].merge(with_effects[1])[::5]
    model = BetaGeoModel(covariates=["age", "channel"]).fit(mine)
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
    again = BetaGeoModel.from_dict(json.loads(json.dumps(model.to_dict())))
    pd.testing.assert_frame_equal(again.effects_, model.effects_)
    pd.testing.assert_frame_equal(again.covariance_, model.covariance_)
    mine = table.merge(covariates).head(100)
    pd.testing.assert_series_equal(again.probability_alive(mine), model.probability_alive(mine))


def test_an_effect_without_bound_is_named(with_effects):
    table, covariates, _ = with_effects
    table, covariates = (each.iloc[::9].reset_index(drop=True) for each in (table, covariates))
    silent = covariates.assign(silent=(table["frequency"] == 0) & (table.index % 5 == 0))
    model = BetaGeoModel().fit(table, covariates=silent)
    assert not model.converged_
    assert "the effect of silent has no bound" in model.diagnosis_
    assert model.effects_["purchases_se"].isna().all()
    assert np.isfinite(model.expected_purchases(table.merge(silent), 30)).all()


def test_a_weak_prior_leaves_much_data_alone(with_effects):
    table, covariates, model = with_effects
    fitted = BetaGeoModel(prior="weak").fit(table, covariates=covariates)
    assert fitted.log_likelihood_ == pytest.approx(model.log_likelihood_, abs=0.1)
    assert fitted.log_likelihood_ < model.log_likelihood_


def test_covariates_that_cannot_be_used_are_refused(with_effects):
    table, covariates, _ = with_effects
    with pytest.raises(DataError, match="The covariate age is 3 for every customer"):
        BetaGeoModel().fit(table, covariates=covariates.assign(age=3))
    with pytest.raises(DataError, match="covariates lacks 1 of 15,000 customers"):
        BetaGeoModel().fit(table, covariates=covariates.iloc[1:])
    gap = covariates.assign(age=covariates["age"].where(covariates.index != 7))
    with pytest.raises(DataError, match="age is missing, NaN or infinite for 1 of 15,000.*row 7"):
        BetaGeoModel().fit(table, covariates=gap)


def test_covariates_are_asked_for(with_effects):
    table, _, model = with_effects
    with pytest.raises(DataError, match="fitted with the covariates age, channel.*Join them"):
        model.expected_purchases(table, 90)
    with pytest.raises(SettingsError, match=r"model.for_covariates\(age=..., channel=...\)"):
        model.expected_purchases_new_customer(90)
    with pytest.raises(SettingsError, match="draw_customers needs to know"):
        model.draw_customers(3, 10, np.random.default_rng(0))
