import re
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import betaln
from sklearn.base import clone

from patronage.errors import DataError, SettingsError
from patronage.features import customer_days, day_table, rfm_summary
from patronage.features.arrays import day_number
from patronage.features.grid import Grid
from patronage.models import (
    BetaGeoBetaBinomModel,
    BetaGeoCNBDModel,
    BetaGeoModel,
    BetaGeoParams,
    CustomerValueModel,
    GammaGammaModel,
    GammaGammaParams,
    ModifiedBetaGeoCNBDModel,
    ModifiedBetaGeoModel,
    ParetoNBDModel,
    ParetoNBDParams,
    PurchaseSeason,
    SeasonalModel,
    load_model,
    simulate_log,
)
from patronage.models.backtest import holdout_table
from patronage.models.purchase_tracking import track_purchases
from patronage.models.season_calendar import SeasonCurve, Terms
from patronage.models.season_fit import SeasonData, SeasonLikelihood

START, AS_OF, END = date(2023, 1, 1), date(2025, 9, 10), date(2026, 1, 1)
TRUTH = SeasonCurve(Terms(2), (0.3, -0.35, 0.1, -0.1))
PARAMS = BetaGeoParams(1.2, 30.0, 0.8, 4.0)
MODELS = {
    "BG/NBD": BetaGeoModel(),
    "MBG/NBD": ModifiedBetaGeoModel(),
    "Pareto/NBD": ParetoNBDModel(),
    "BG/CNBD-2": BetaGeoCNBDModel(k=2),
    "MBG/CNBD-3": ModifiedBetaGeoCNBDModel(k=3),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
FLAT = PurchaseSeason(factors=dict.fromkeys(range(1, 13), 2.0))


def seasonal(model, params, curve=TRUTH):
    """A model with a season as if fitted."""
    model.params_, model.covariates_ = params, None
    found = SeasonalModel(clone(model))
    found.purchases_, found.season_, found.params_ = model, curve, params
    return found


def log_of(model, customers, end=END, seed=5, **more):
    log = simulate_log(model, customers=customers, start=START, end=end, seed=seed, **more)
    return log if "amount" in log else log.assign(amount=1.0)


@pytest.fixture(scope="module")
def truth():
    return seasonal(ModifiedBetaGeoModel(), PARAMS)


@pytest.fixture(scope="module")
def days(truth):
    return day_table(customer_days(log_of(truth, 6_000)))


@pytest.fixture(scope="module")
def fitted(days):
    return SeasonalModel(ModifiedBetaGeoModel()).fit_days(days, as_of=AS_OF)


@pytest.fixture(scope="module")
def few(days):
    return days.sample(150, seed=1)


@pytest.fixture(scope="module")
def rfm(few):
    return rfm_summary(few, as_of=AS_OF, gaps=True)


QUESTIONS = {
    "purchases": lambda model, rfm: model.expected_purchases(rfm, [30, 90.5, 700]),
    "alive": lambda model, rfm: model.probability_alive(rfm),
    "alive later": lambda model, rfm: model.probability_alive(rfm, after=60),
    "quiet": lambda model, rfm: model.probability_no_purchase(rfm, 90, lead=7),
    "counts": lambda model, rfm: model.purchase_count_pmf(rfm, 90, 4),
    "next": lambda model, rfm: model.next_purchase(rfm),
    "discounted": lambda model, rfm: model.discounted_purchases(rfm, 365, 0.0004),
    "undiscounted": lambda model, rfm: model.discounted_purchases(rfm, 365, 0.0),
    "endless": lambda model, rfm: model.discounted_purchases(rfm, np.inf, 0.0004),
    "new": lambda model, rfm: model.expected_purchases_new_customer([30, 90]),
    "counts of new": lambda model, rfm: model.purchase_count_pmf_new_customer(90, 4),
}


@each_model
def test_a_season_of_factor_one_is_none(model, few, rfm):
    plain = clone(model).fit(rfm)
    same = SeasonalModel(model, FLAT).fit_days(few, as_of=AS_OF)
    np.testing.assert_allclose(same.params_, plain.params_, rtol=1e-7)
    assert same.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)
    np.testing.assert_allclose(same.covariance_, plain.covariance_, rtol=1e-4)
    same.purchases_.params_ = plain.params_
    for name, ask in QUESTIONS.items():
        loose = 1e-9 if name == "endless" else 1e-12
        np.testing.assert_allclose(ask(same, rfm), ask(plain, rfm), rtol=loose, err_msg=name)


def one_by_one(days, model, curve, as_of):
    """The log-likelihood from the individual days of purchase: an integral for each customer."""
    r, alpha, a, b = model.params_
    norm = r * np.log(alpha) - float(np.log(quad(lambda u: u ** (r - 1) * np.exp(-u), 0, 50)[0]))
    total, end = 0.0, day_number(as_of)
    for c in range(len(days)):
        own = days.purchase_day[days.purchase_offsets[c] : days.purchase_offsets[c + 1]]
        own = own[own < end]
        if not own.size:
            continue
        factors = {
            d: float(np.exp(curve.log_factors(np.array([d]))[0])) for d in range(own[0], end)
        }
        until = sum(factors[d] for d in range(own[0] + 1, own[-1] + 1))
        after = sum(factors[d] for d in range(own[-1] + 1, end)) + 1
        x = len(own) - 1
        stays = np.exp(betaln(a, b + x + 1) - betaln(a, b))
        leaves = np.exp(betaln(a + 1, b + x) - betaln(a, b))

        def density(rate, x=x, until=until, after=after, stays=stays, leaves=leaves):
            made = rate ** (r + x - 1) * np.exp(-rate * (alpha + until))
            return made * (leaves + stays * np.exp(-rate * after))

        grid = [0, *np.logspace(-5, 1, 25)]
        parts = [quad(density, *ends, epsabs=0)[0] for ends in zip(grid, grid[1:], strict=False)]
        total += norm + np.log(sum(parts)) + sum(np.log(factors[d]) for d in own[1:])
    return total


def test_the_likelihood_is_that_of_the_days_of_purchase(few):
    season = PurchaseSeason(factors={m: 2.5 if m > 9 else 0.8 for m in range(1, 13)})
    some = few.sample(40, seed=2)
    model = SeasonalModel(ModifiedBetaGeoModel(prior="weak"), season).fit_days(some, as_of=AS_OF)
    expected = one_by_one(some, model.purchases_, model.season_, AS_OF)
    assert model.log_likelihood_ == pytest.approx(expected, rel=1e-7)


@each_model
def test_the_slope_along_the_season_is_exact(model, few):
    terms = Terms(1, events=(("sale", (day_number(date(2024, 11, 29)),)),))
    likelihood = SeasonLikelihood(model, SeasonData.of(Grid.of(few, [AS_OF])), terms)
    at, step = np.array([0.2, -0.1, 0.3]), 1e-4
    for place, slope in enumerate(likelihood.at(at).slope):
        up, down = (likelihood.at(at + sign * step * np.eye(3)[place]) for sign in (1, -1))
        difference = (up.log_likelihood - down.log_likelihood) / (2 * step)
        assert slope == pytest.approx(difference, rel=1e-5, abs=1e-5)


def test_a_known_season_is_found(fitted):
    effects = fitted.season_effects_
    expected = np.array([*TRUTH.coefficients, 0, 0])
    assert (np.abs(effects["effect"] - expected) / effects["se"]).max() < 4
    assert (effects["se"] < 0.03).all()
    errors = np.array(fitted.params_) - PARAMS
    # Purchases of one day count once, so that the truth itself is not quite what is estimated.
    assert np.abs(errors / np.array(fitted.standard_errors_)).max() < 5
    assert fitted.converged_
    assert fitted.diagnosis_ == ""


def test_a_sample_shows_the_way_and_all_give_the_estimate(fitted, days, monkeypatch):
    monkeypatch.setattr("patronage.models.season_fit.MANY", 1_000)
    model = SeasonalModel(ModifiedBetaGeoModel()).fit_days(days, as_of=AS_OF)
    apart = (model.season_effects_["effect"] - fitted.season_effects_["effect"]).abs()
    assert (apart < 0.01 * fitted.season_effects_["se"]).all()
    ratio = model.season_effects_["se"] / fitted.season_effects_["se"]
    assert ratio.between(0.9, 1.1).all()


def test_the_season_is_worth_its_parameters(fitted, days):
    plain = ModifiedBetaGeoModel().fit_days(days, as_of=AS_OF)
    assert fitted.bic_ < plain.bic_ - 100
    assert list(fitted.covariance_.columns[4:]) == [
        f"season:{wave}{k}" for k in (1, 2, 3) for wave in ("cos", "sin")
    ]


def test_what_is_expected_before_christmas_comes(fitted, days):
    known = holdout_table(days, AS_OF, 90)
    came, n = known["holdout_purchases"], len(known)
    expected = fitted.expected_purchases(known, 90)
    assert expected.sum() == pytest.approx(came.sum(), abs=4 * came.std() * np.sqrt(n))
    quiet = fitted.probability_no_purchase(known, 90)
    assert quiet.mean() == pytest.approx((came == 0).mean(), abs=2 / np.sqrt(n))
    plain = ModifiedBetaGeoModel().fit_days(days, as_of=AS_OF)
    missed = abs(plain.expected_purchases(known, 90).sum() - came.sum())
    assert missed > 5 * abs(expected.sum() - came.sum())


@pytest.mark.parametrize("name", ["MBG/NBD", "Pareto/NBD", "BG/CNBD-2"])
def test_answers_are_what_simulated_customers_do(name):
    params = ParetoNBDParams(1.2, 30.0, 0.7, 200.0) if name == "Pareto/NBD" else PARAMS
    inner = clone(MODELS[name])
    inner.k_ = getattr(inner, "k", 1)
    model = seasonal(inner, params)
    first = date(2025, 9, 10)
    span = {"start": first, "end": first + timedelta(days=91), "seed": 3}
    log = simulate_log(model, customers=20_000, last_arrival=first + timedelta(days=1), **span)
    later = log[log["timestamp"] >= pd.Timestamp(first + timedelta(days=1))]
    counts = later.groupby("customer_id").size().reindex(range(20_000), fill_value=0)
    # They come in the course of the first day: half a day of it is theirs.
    expected = model.expected_purchases_new_customer([90], first_day=first).item()
    assert counts.mean() == pytest.approx(expected, abs=4 * counts.std() / np.sqrt(20_000))
    assert model.expected_purchases_new_customer([90]).item() < 0.9 * expected


def test_weeks_are_tracked_with_the_season(truth, days):
    weeks = track_purchases(days, truth, end=END)
    plain = track_purchases(days, truth.purchases_, end=END)
    tail = weeks.tail(50)
    error = (tail["actual"] - tail["expected"]).abs().mean()
    assert error < 0.1 * tail["actual"].mean()
    assert error < 0.5 * (plain["actual"] - plain["expected"]).tail(50).abs().mean()


def test_the_wait_for_the_next_purchase_is_in_calendar_days(fitted, rfm):
    waits = fitted.next_purchase(rfm, interval=0.5)
    for customer in (0, 7, 20):
        one = rfm.iloc[[customer]]
        for share, column in ((0.5, "median"), (0.25, "low"), (0.75, "high")):
            days = waits[column].iloc[customer]
            quiet = fitted._no_purchase(fitted._read(one), days, 0.0)
            assert 1 - quiet.item() == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("horizon", [30.5, 365])
def test_discounting_runs_in_calendar_time(horizon, rfm):
    curve = SeasonCurve(
        Terms(2, events=(("sale", (day_number(date(2025, 9, 20)),)),)), (*TRUTH.coefficients, 1.5)
    )
    model = seasonal(ModifiedBetaGeoModel(), PARAMS, curve)
    nodes, shares = np.polynomial.legendre.leggauss(3)
    edges = np.append(np.arange(np.ceil(horizon)), horizon)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    times, rate = (middle[:, None] + half[:, None] * nodes).ravel(), 0.002
    weights = (half[:, None] * shares).ravel() * rate * np.exp(-rate * times)
    expected = model.expected_purchases(rfm, times) @ weights
    expected += np.exp(-rate * horizon) * model.expected_purchases(rfm, horizon)
    found = model.discounted_purchases(rfm, horizon, rate)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_each_row_is_answered_as_of_its_own_day(fitted, few):
    spring = rfm_summary(few, as_of=date(2025, 3, 1))
    autumn = rfm_summary(few, as_of=AS_OF)
    renamed = spring.assign(customer_id="spring " + spring["customer_id"].astype(str))
    both = pd.concat([renamed, autumn.assign(customer_id=autumn["customer_id"].astype(str))])
    mixed = both.sample(frac=1, random_state=0)
    for ask in (QUESTIONS["quiet"], QUESTIONS["next"], QUESTIONS["discounted"]):
        parts = np.concatenate([ask(fitted, spring), ask(fitted, autumn)])
        found = ask(fitted, mixed).loc[both["customer_id"]]
        np.testing.assert_allclose(found, parts, rtol=1e-12)
    interval = fitted.predict_purchases(mixed, 90).loc[both["customer_id"]]
    alone = pd.concat([fitted.predict_purchases(part, 90) for part in (spring, autumn)])
    np.testing.assert_allclose(interval, alone, rtol=1e-9)


def test_intervals_hold_what_comes(fitted, days):
    known = holdout_table(days, AS_OF, 90).head(2_000)
    found = fitted.predict_purchases(known, 90, interval=0.9)
    held = known["holdout_purchases"].between(found["low"].to_numpy(), found["high"].to_numpy())
    assert held.mean() == pytest.approx(found["probability"].mean(), abs=0.03)


def test_lifetime_value_has_the_season(truth):
    spend = GammaGammaModel()
    spend.params_ = GammaGammaParams(5, 4, 20)
    days = day_table(customer_days(log_of(truth, 800, spend=spend)))
    value = CustomerValueModel(SeasonalModel(ModifiedBetaGeoModel()), GammaGammaModel())
    value.fit_days(days, as_of=AS_OF)
    rfm = rfm_summary(days, as_of=AS_OF)
    clv = value.clv(rfm, 90, 0.15, 0.3, interval=0.9)
    rate = np.log(1.15) / 365.25
    count = value.purchases_.discounted_purchases(rfm, 90, rate)
    np.testing.assert_allclose(clv["clv"], 0.3 * value.spend_.expected_spend(rfm) * count)
    assert (clv["low"] <= clv["high"]).all()
    sure = value.purchases_.probability_alive(rfm) > 0.9
    assert (clv["high"] > clv["clv"])[sure].all()
    again = CustomerValueModel.from_dict(value.to_dict())
    pd.testing.assert_series_equal(again.clv(rfm, 90, 0.15, 0.3), value.clv(rfm, 90, 0.15, 0.3))


def test_an_event_is_learned_and_expected_again():
    sales = [date(2023, 6, 1), date(2024, 6, 5), date(2025, 10, 1)]
    curve = SeasonCurve(
        Terms(0, events=(("sale", tuple(day_number(day) for day in sales)),)), (np.log(4),)
    )
    truth = seasonal(ModifiedBetaGeoModel(), PARAMS._replace(alpha=200.0), curve)
    days = day_table(customer_days(log_of(truth, 6_000, end=AS_OF)))
    season = PurchaseSeason(harmonics=0, events={"sale": sales})
    model = SeasonalModel(ModifiedBetaGeoModel(), season).fit_days(days, as_of=AS_OF)
    effect, error = model.season_effects_.loc["sale"]
    assert effect == pytest.approx(np.log(4), abs=4 * error)
    assert error < 0.2
    rfm = rfm_summary(days, as_of=AS_OF)
    per_day = model.expected_purchases(rfm, [20, 21, 22, 23]).sum().diff()
    assert per_day[22] == pytest.approx(np.exp(effect) * per_day[21], rel=0.03)
    assert per_day[23] == pytest.approx(per_day[21], rel=0.03)


def test_less_than_a_year_tells_no_season(days):
    early = START + timedelta(days=364)
    model = SeasonalModel(ModifiedBetaGeoModel()).fit_days(days, as_of=early)
    assert "the data cover 364 days before 2023-12-31" in model.diagnosis_
    assert model.season_.coefficients == ()
    plain = ModifiedBetaGeoModel().fit_days(days, as_of=early)
    np.testing.assert_allclose(model.params_, plain.params_, rtol=1e-7)


def test_days_from_as_of_on_change_nothing(days, fitted, truth):
    log = log_of(truth, 6_000)
    cut = day_table(customer_days(log[log["timestamp"] < pd.Timestamp(AS_OF)]))
    again = SeasonalModel(ModifiedBetaGeoModel()).fit_days(cut, as_of=AS_OF)
    assert again.to_dict() == fitted.to_dict()


def test_a_fit_with_events_is_saved(few, rfm, tmp_path):
    season = PurchaseSeason(harmonics=1, events={"sale": [date(2024, 11, 29), date(2025, 11, 28)]})
    model = SeasonalModel(ParetoNBDModel(prior="weak"), season).fit_days(few, as_of=AS_OF)
    model.save(tmp_path / "model.json")
    again = load_model(tmp_path / "model.json")
    assert again.to_dict() == model.to_dict()
    assert repr(again) == repr(model)
    assert again.confidence_intervals().equals(model.confidence_intervals())
    pd.testing.assert_frame_equal(again.season_effects_, model.season_effects_)
    pd.testing.assert_frame_equal(again.next_purchase(rfm), model.next_purchase(rfm))


def test_a_table_without_its_day_is_refused(fitted, rfm):
    with pytest.raises(DataError, match="as_of is missing from the customer table"):
        fitted.probability_alive(rfm.drop(columns="as_of"))
    gone = rfm.assign(as_of=rfm["as_of"].where(rfm.index != 3))
    with pytest.raises(DataError, match="as_of is missing for 1 of"):
        fitted.probability_alive(gone)


@pytest.mark.parametrize(
    ("value", "shown"), [(20250910, "20250910"), (1.5, "1.5"), ("2025-09-10", "'2025-09-10'")]
)
def test_an_as_of_that_is_no_date_is_refused(value, shown, fitted, rfm):
    with pytest.raises(DataError, match=rf"as_of holds {shown} \(.*\), which is no date"):
        fitted.probability_alive(rfm.assign(as_of=value))


@pytest.mark.parametrize(
    "as_of",
    [AS_OF, pd.Timestamp(AS_OF, tz="Asia/Tokyo"), pd.Timestamp(AS_OF) + pd.Timedelta(hours=23)],
    ids=["date", "time zone", "time"],
)
def test_any_date_is_an_as_of(as_of, fitted, rfm):
    same = fitted.expected_purchases(rfm.assign(as_of=as_of), 30)
    pd.testing.assert_series_equal(same, fitted.expected_purchases(rfm, 30))


def test_a_season_is_valued_in_days(fitted, rfm):
    spend = GammaGammaModel.with_params(p=6, q=4, v=15)
    for ask in (
        lambda: CustomerValueModel(fitted, spend, "W").fit(rfm),
        lambda: CustomerValueModel.of_fitted(fitted, spend, "W"),
    ):
        with pytest.raises(SettingsError, match='time_unit="W" with a SeasonalModel.*in days'):
            ask()


@pytest.mark.parametrize(
    ("horizon", "message"),
    [
        (-1, "horizon=-1 must be a finite number at least 0"),
        ([30, np.nan], "horizon=nan must be"),
        ("30", "horizon='30' is a str"),
        ([], r"horizon=\[\] must be a number or a list"),
    ],
)
def test_horizons_of_new_customers_are_checked(horizon, message, fitted):
    with pytest.raises(SettingsError, match=message):
        fitted.expected_purchases_new_customer(horizon, first_day=AS_OF)
    with pytest.raises(SettingsError, match="first_day='soon' must be a day"):
        fitted.expected_purchases_new_customer(30, first_day="soon")


def test_an_event_that_has_not_come_is_told(few):
    season = PurchaseSeason(harmonics=0, events={"sale": [date(2025, 11, 28)]})
    model = SeasonalModel(BetaGeoModel(), season).fit_days(few, as_of=AS_OF)
    assert re.search(
        r"No day of 'sale' lies in the data \(2023-.* to 2025-09-09\)", model.diagnosis_
    )
    assert model.season_effects_["effect"].item() == pytest.approx(0, abs=1e-6)


def test_weeks_are_refused(fitted, few):
    weeks = rfm_summary(few, as_of=AS_OF, time_unit="W")
    with pytest.raises(DataError, match="no whole number of days for .* customers, first customer"):
        fitted.probability_alive(weeks)


def test_a_table_does_not_tell_a_season(rfm):
    with pytest.raises(SettingsError, match="ModifiedBetaGeoModel with this season learns from"):
        SeasonalModel(ModifiedBetaGeoModel()).fit(rfm)
    with pytest.raises(SettingsError, match="BetaGeoCNBDModel with this season learns from"):
        SeasonalModel(BetaGeoCNBDModel(), FLAT).fit(rfm)


def test_profile_intervals_are_not_offered(fitted):
    with pytest.raises(SettingsError, match='"profile" is not offered with a season'):
        fitted.confidence_intervals(method="profile")


NO_SEASON = {
    "opportunities": (BetaGeoBetaBinomModel(), "BetaGeoBetaBinomModel takes no season.*CNBDModel"),
    "a season within": (SeasonalModel(BetaGeoModel()), "SeasonalModel takes no season.*BetaGeo"),
    "none": (None, "purchases=None is no model of purchases.*Take an unfitted BetaGeoModel, Mod"),
    "a class": (BetaGeoModel, "purchases=the class BetaGeoModel is no model of purchases"),
    "spend": (GammaGammaModel(), r"purchases=GammaGammaModel\(\) is no model of purchases"),
    "covariates": (
        BetaGeoModel(covariates=["age"]),
        r"BetaGeoModel\(covariates=\['age'\]\).*covariates and a season do not go together",
    ),
}


@pytest.mark.parametrize(("model", "message"), NO_SEASON.values(), ids=NO_SEASON.keys())
def test_models_that_take_no_season_are_refused(model, message, few, rfm):
    with pytest.raises(SettingsError, match=message):
        SeasonalModel(model).fit_days(few, as_of=AS_OF)
    with pytest.raises(SettingsError, match=message):
        SeasonalModel(model, FLAT).fit(rfm)
