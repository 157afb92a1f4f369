import numpy as np
import pandas as pd
import pytest

from patronage.models import ParetoNBDModel, ParetoNBDParams


@pytest.fixture(scope="module")
def model(cdnow_exact):
    return ParetoNBDModel().fit(cdnow_exact)


def customers(*rows):
    x, t_x, T = zip(*rows, strict=True)
    return pd.DataFrame({"customer_id": range(len(rows)), "frequency": x, "recency": t_x, "T": T})


def known(*params):
    return ParetoNBDModel.with_params(**ParetoNBDParams(*params)._asdict())


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
