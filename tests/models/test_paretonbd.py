import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from patronage.errors import DataError, SettingsError
from patronage.models import CustomerValueModel, GammaGammaModel, ParetoNBDModel, ParetoNBDParams

# Published: .553, 10.580, .606, 11.656 with LL -9594.976 (BTYD walkthrough); the digits beyond are
# those of an independent optimiser on each version of the data.
EXACT = (0.553277, 10.577684, 0.606240, 11.668736)
CSV = (0.553275, 10.577612, 0.606214, 11.667913)
# CLVTools on the exact data, from a numerical Hessian.
STANDARD_ERRORS = (0.04762, 0.84270, 0.18705, 6.20367)


@pytest.fixture(scope="module")
def model(cdnow_exact):
    return ParetoNBDModel().fit(cdnow_exact)


def customers(*rows):
    x, t_x, T = zip(*rows, strict=True)
    return pd.DataFrame({"customer_id": range(len(rows)), "frequency": x, "recency": t_x, "T": T})


def known(*params):
    return ParetoNBDModel.with_params(**ParetoNBDParams(*params)._asdict())


def test_fit_matches_on_exact_cdnow(model):
    assert model.params_ == pytest.approx(EXACT, rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(-9594.976179, abs=1e-6)
    assert model.standard_errors_ == pytest.approx(STANDARD_ERRORS, rel=2e-3)
    assert (model.converged_, model.diagnosis_, model.n_customers_) == (True, "", 2357)


def test_fit_matches_the_rounded_cdnow(cdnow_csv):
    model = ParetoNBDModel().fit(cdnow_csv)
    assert model.params_ == pytest.approx(CSV, rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(-9594.973930, abs=1e-6)


def test_predictions_match_on_cdnow(model, cdnow_exact):
    assert model.probability_alive(cdnow_exact).loc[1] == pytest.approx(0.869134, abs=1e-6)
    assert model.probability_alive(cdnow_exact).mean() == pytest.approx(0.446277, abs=1e-6)
    expected = model.expected_purchases(cdnow_exact, horizon=39)
    assert expected.loc[1] == pytest.approx(1.455202, abs=1e-6)
    assert expected.sum() == pytest.approx(1665.513, abs=1e-3)


def test_predictions_match_the_btyd_walkthrough(model):
    assert model.expected_purchases_new_customer(52).tolist() == [pytest.approx(1.473434, abs=1e-6)]
    # BTYD's own estimates differ in the fourth digit.
    loyal = customers((26, 216 / 7, 31))
    assert model.expected_purchases(loyal, 52).tolist() == [pytest.approx(25.45647, rel=1e-4)]
    assert model.probability_alive(loyal).tolist() == [pytest.approx(0.997874, abs=1e-6)]
    btyd = known(0.5533971, 10.5801985, 0.6060625, 11.6562237)
    lapsed = customers(*((x, 20, 39) for x in (10, 15, 20, 25)))
    expected = [0.70597, 0.14419, 0.02250, 0.00309]
    assert btyd.expected_purchases(lapsed, 52).tolist() == pytest.approx(expected, abs=5e-6)
    value = btyd.discounted_purchases(customers((7, 26, 39)), np.inf, 0.0027)
    assert value.tolist() == [pytest.approx(12.30530409, rel=1e-7)]


# Fader, Hardie & Lee (2005), Journal of Marketing Research 42(4), eq. (2), in 40 digits, checked by
# quadrature: by discount rate per week.
RESIDUAL = {
    0.0027: (0.477136229, 0.7623602937, 6.483773568, 12.3099764, 21.35440654, 86.0564936),
    np.log(1.1) / 52: (
        0.6003743819,
        0.9592681549,
        8.15844891,
        15.49068494,
        26.8720567,
        107.7843156,
    ),
    np.log(1.1): (
        0.03127767609,
        0.0499749482,
        0.4250303313,
        0.8062705543,
        1.398656556,
        5.942495603,
    ),
}


@pytest.mark.parametrize(("rate", "expected"), RESIDUAL.items())
def test_discounted_residual_purchases(rate, expected):
    model = known(0.553, 10.578, 0.606, 11.669)
    table = customers(
        (0, 0, 38.86),
        (1, 1.71, 38.86),
        (2, 30.43, 38.86),
        (7, 26, 39),
        (10, 30, 39),
        (26, 30.86, 31),
    )
    found = model.discounted_purchases(table, np.inf, rate)
    assert found.tolist() == pytest.approx(expected, rel=1e-9)


# Where CLVTools and BTYD are off by 0.8 %, NaN or infinite.
@pytest.mark.parametrize(
    ("beta", "rate", "expected"),
    [
        (7721, np.log(1.1), 0.3211360856),
        (1e5, np.log(1.1), 0.3801838134),
        (7721, 0.0027, 3.062137),
    ],
)
def test_discounted_residual_purchases_when_leaving_is_rare(beta, rate, expected):
    model = known(0.5, 38, 64, beta)
    found = model.discounted_purchases(customers((2, 20, 30)), np.inf, rate)
    assert found.tolist() == [pytest.approx(expected, rel=1e-7)]


@pytest.mark.parametrize("factor", [7.0, 7.0 * 24, 1 / 52, 1e-9, 1e9])
def test_the_unit_of_time_changes_no_prediction(model, cdnow_exact, factor):
    other = cdnow_exact.assign(recency=cdnow_exact["recency"] * factor, T=cdnow_exact["T"] * factor)
    fitted = ParetoNBDModel().fit(other)
    r, alpha, s, beta = model.params_
    assert fitted.params_ == pytest.approx((r, alpha * factor, s, beta * factor), rel=1e-8)
    shift = cdnow_exact["frequency"].sum() * np.log(factor)
    assert fitted.log_likelihood_ == pytest.approx(model.log_likelihood_ - shift, rel=1e-11)
    for ours, theirs in (
        (fitted.expected_purchases(other, 39 * factor), model.expected_purchases(cdnow_exact, 39)),
        (
            fitted.probability_no_purchase(other, 39 * factor, lead=2 * factor),
            model.probability_no_purchase(cdnow_exact, 39, lead=2),
        ),
        (
            fitted.discounted_purchases(other, np.inf, 0.01 / factor),
            model.discounted_purchases(cdnow_exact, np.inf, 0.01),
        ),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_weights_stand_for_customers(model, cdnow_exact):
    columns = ["frequency", "recency", "T"]
    counted = cdnow_exact.groupby(columns).size().reset_index(name="n")
    weighted = ParetoNBDModel().fit(counted[columns], weights=counted["n"])
    assert weighted.params_ == pytest.approx(model.params_, rel=1e-9)
    assert weighted.standard_errors_ == pytest.approx(model.standard_errors_, rel=1e-8)
    assert weighted.data_digest_ == model.data_digest_


def test_counts_are_a_distribution_with_the_expected_mean(model, cdnow_exact):
    few = cdnow_exact.head(200)
    pmf = model.purchase_count_pmf(few, 39, 250)
    np.testing.assert_allclose(pmf.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(pmf @ np.arange(251), model.expected_purchases(few, 39), rtol=1e-11)
    np.testing.assert_allclose(pmf[0], model.probability_no_purchase(few, 39), rtol=1e-13)
    assert pmf.columns.name == "purchases"
    newcomers = model.purchase_count_pmf_new_customer(39, 400)
    mean = model.expected_purchases_new_customer(39).iloc[0]
    assert newcomers @ np.arange(401) == pytest.approx(mean, rel=1e-9)


def test_no_horizon_no_purchase(model, cdnow_exact):
    assert (model.expected_purchases(cdnow_exact, 0) == 0).all()
    np.testing.assert_allclose(model.probability_no_purchase(cdnow_exact, 0, lead=5), 1, rtol=1e-14)
    assert model.purchase_count_pmf(cdnow_exact.head(2), 0, 2).to_numpy().tolist() == [
        [1, 0, 0],
        [1, 0, 0],
    ]


def test_several_horizons_are_columns(model, cdnow_exact):
    both = model.expected_purchases(cdnow_exact, [13, 39])
    pd.testing.assert_series_equal(
        both[39.0], model.expected_purchases(cdnow_exact, 39), check_names=False
    )


def test_who_is_alive_later_was_alive_before(model, cdnow_exact):
    now = model.probability_alive(cdnow_exact)
    later = model.probability_alive(cdnow_exact, after=10)
    _, _, s, beta = model.params_
    staying = (1 + 10 / (beta + cdnow_exact["T"])) ** -s
    np.testing.assert_allclose(later, now * staying, rtol=1e-13)


def test_residual_purchases_without_discount():
    table = customers((2, 30, 39))
    endless = known(0.5, 10, 0.9, 10).discounted_purchases(table, np.inf, 0)
    finite = known(0.5, 10, 1.5, 10).discounted_purchases(table, np.inf, 0, given_alive=True)
    assert endless.tolist() == [np.inf]
    assert finite.tolist() == [pytest.approx(2.5 / 49 * 49 / 0.5)]


def test_discounting_at_rate_zero_counts_purchases(model, cdnow_exact):
    counted = model.expected_purchases(cdnow_exact, 52)
    np.testing.assert_allclose(model.discounted_purchases(cdnow_exact, 52, 0), counted, rtol=1e-13)
    barely = model.discounted_purchases(cdnow_exact, 52, 1e-15)
    np.testing.assert_allclose(barely, counted, rtol=1e-12)


def test_next_purchase_is_when_its_chance_is_reached(model, cdnow_exact):
    some = cdnow_exact.head(50)
    times = model.next_purchase(some, interval=0.8)
    active = some.assign(recency=some["T"])[some["frequency"] > 0]
    for column, share in (("median", 0.5), ("low", 0.1), ("high", 0.9)):
        for customer, time in times.loc[active.index, column].items():
            if np.isfinite(time):
                quiet = model.probability_no_purchase(active.loc[[customer]], time).iloc[0]
                assert quiet == pytest.approx(1 - share, rel=1e-12)
            else:
                quiet = model.probability_no_purchase(active.loc[[customer]], 1e15).iloc[0]
                assert quiet > 1 - share


def test_given_alive_is_finite_where_the_customer_is_gone(model):
    gone = customers((400, 1.0, 5000.0))
    assert model.probability_alive(gone).tolist() == [0.0]
    assert model.discounted_purchases(gone, 52, 0.003, given_alive=True)[0] > 1


def test_simulated_customers_bring_the_parameters_back():
    truth = ParetoNBDParams(0.55, 74.0, 0.61, 82.0)
    drawn = known(*truth).draw_customers(200_000, np.full(200_000, 300.0), np.random.default_rng(1))
    fitted = ParetoNBDModel().fit(drawn)
    z = (np.array(fitted.params_) - truth) / fitted.standard_errors_
    assert np.abs(z).max() < 3
    alive = fitted.probability_alive(drawn)
    assert alive.mean() == pytest.approx(drawn["active"].mean(), abs=0.005)
    assert (drawn["recency"] <= np.minimum(drawn["T"], drawn["lifetime"])).all()


def no_dropout(rng):
    x = rng.integers(100, 400, 500)
    return x, 500 - rng.exponential(500 / x), np.full(500, 500.0)


def one_rate(rng):
    """Even more regular than chance."""
    stay = np.minimum(rng.exponential(1 / rng.gamma(0.7, 1 / 60, 2000)), 365)
    x = np.floor(stay / 20)
    return x, 20 * x, np.full(2000, 365.0)


def one_rate_of_leaving(rng):
    stay = np.minimum(rng.exponential(50, 5000), 365)
    x = rng.poisson(rng.gamma(1, 1 / 20, 5000) * stay)
    last = stay * rng.uniform(size=5000) ** (1 / np.maximum(x, 1))
    return x, np.where(x > 0, last, 0), np.full(5000, 365.0)


DEGENERATE = {
    "nobody leaves": (no_dropout, "500 with a repeat.*no dropout can be identified"),
    "one rate": (one_rate, "no heterogeneity of purchase rates"),
    "one rate of leaving": (one_rate_of_leaving, "of the rate of leaving .*, 7.* in the longest T"),
    "one customer": (lambda _: ([3], [5.0], [10.0]), "these 1 customers.*too few"),
}


@pytest.mark.parametrize(("data", "cause"), DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_data_are_named(data, cause):
    x, t_x, T = data(np.random.default_rng(1))
    table = customers(*zip(x, t_x, T, strict=True))
    model = ParetoNBDModel().fit(table)
    assert not model.converged_
    assert re.search(cause, model.diagnosis_)
    assert np.isnan(model.standard_errors_).all()
    assert np.isfinite(model.expected_purchases(table, 30)).all()
    assert ParetoNBDModel.from_dict(model.to_dict()).diagnosis_ == model.diagnosis_


def test_one_time_buyers_alone_are_refused():
    table = customers((0, 0, 10), (0, 0, 20))
    with pytest.raises(DataError, match="frequency is 0 for all 2 customers"):
        ParetoNBDModel().fit(table)


@pytest.mark.parametrize("data", [case[0] for case in DEGENERATE.values()], ids=DEGENERATE.keys())
def test_a_weak_prior_gives_an_answer(data):
    x, t_x, T = data(np.random.default_rng(1))
    table = customers(*zip(x, t_x, T, strict=True))
    model = ParetoNBDModel(prior="weak").fit(table)
    assert model.converged_
    assert np.isfinite(model.standard_errors_).all()
    hours = table.assign(recency=table["recency"] * 24, T=table["T"] * 24)
    np.testing.assert_allclose(
        ParetoNBDModel(prior="weak").fit(hours).expected_purchases(hours, 24 * 30),
        model.expected_purchases(table, 30),
        rtol=1e-8,
    )
    assert ParetoNBDModel().fit(table).log_likelihood_ > model.log_likelihood_


def test_what_is_uncertain_is_said(model, cdnow_exact):
    # CLVTools prints AIC 19197.952.
    assert model.aic_ == pytest.approx(19197.952, abs=1e-3)
    delta = model.confidence_intervals()
    profile = model.confidence_intervals(method="profile", data=cdnow_exact)
    assert (profile["low"] < list(model.params_)).all()
    assert (profile["high"] > list(model.params_)).all()
    np.testing.assert_allclose(np.log(profile), np.log(delta), atol=0.5)
    found = model.predict_purchases(cdnow_exact.head(100), 39)
    assert (found["low"] <= found["high"]).all()


def test_a_model_is_saved_as_plain_values(model, cdnow_exact):
    again = ParetoNBDModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again.params_ == model.params_
    assert again.standard_errors_ == model.standard_errors_
    pd.testing.assert_frame_equal(again.covariance_, model.covariance_)
    pd.testing.assert_frame_equal(again.effects_, model.effects_)
    pd.testing.assert_series_equal(
        again.expected_purchases(cdnow_exact, 39), model.expected_purchases(cdnow_exact, 39)
    )


def test_it_is_a_scikit_learn_estimator(model, cdnow_exact):
    assert clone(model).get_params() == {"prior": None, "covariates": None}
    with pytest.raises(NotFittedError):
        ParetoNBDModel().expected_purchases(cdnow_exact, 39)


def test_it_values_customers_with_gamma_gamma(cdnow_exact):
    value = CustomerValueModel(ParetoNBDModel(), GammaGammaModel(), time_unit="W").fit(cdnow_exact)
    found = value.clv(cdnow_exact, 39, annual_discount_rate=0.1, margin=0.3)
    assert (found > 0).all()


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
