import re

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest

from patronage.errors import DataError, SettingsError
from patronage.models import BetaGeoModel, ParetoNBDModel
from patronage.models.covariates import HISTORY, CovariateCoding, aligned, scaled

IDS = pd.Index(["a", "b", "c", "d"], name="customer_id")


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "age": [30, 40, 50, 60],
            "member": [True, False, True, True],
            "channel": ["web", "shop", "shop", "phone"],
        },
        index=IDS,
    )


def coded(frame):
    read = aligned(frame, IDS)
    return CovariateCoding.learn(read).code(read)


def test_levels_are_counted_against_the_most_common(table):
    coding = CovariateCoding.learn(aligned(table, IDS))
    assert coding.columns == ("age", "member", "channel=phone", "channel=web")
    expected = [[30, 1, 0, 1], [40, 0, 0, 0], [50, 1, 0, 0], [60, 1, 1, 0]]
    np.testing.assert_array_equal(coded(table), expected)


def test_the_order_and_kind_of_table_do_not_matter(table):
    shuffled = table.reset_index().iloc[[2, 0, 3, 1]]
    for other in (shuffled, pl.from_pandas(shuffled), table.astype({"channel": "category"})):
        np.testing.assert_array_equal(coded(other), coded(table))


def test_a_coding_is_saved_as_plain_values(table):
    coding = CovariateCoding.learn(aligned(table, IDS))
    assert CovariateCoding.from_list(coding.to_list()) == coding


def test_scaled_covariates_have_mean_0_and_spread_1():
    values, weights = np.array([[1.0, 5.0], [3.0, 1.0], [9.0, 2.0]]), np.array([1.0, 2.0, 1.0])
    unit = scaled(values, weights, ("one", "two"))
    np.testing.assert_allclose(weights @ unit.values, 0, atol=1e-14)
    np.testing.assert_allclose(weights @ unit.values**2, 4)
    np.testing.assert_allclose(unit.values * unit.spread + unit.mean, values)


REFUSED = {
    "no covariate": (lambda t: t[[]], "no column besides customer_id"),
    "a customer twice": (lambda t: pd.concat([t, t.head(1)]), "in 1 rows, first customer 'a'"),
    "a customer missing": (lambda t: t.iloc[1:], "lacks 1 of 4 customers, first customer 'a'"),
    "a gap in numbers": (
        lambda t: t.assign(age=[30, np.nan, 50, np.nan]),
        "age is missing, NaN or infinite for 2 of 4 customers, first in row 1",
    ),
    "a gap in levels": (
        lambda t: t.assign(channel=["web", None, "web", "shop"]),
        "channel is missing, NaN or infinite for 1 of 4",
    ),
    "a date": (
        lambda t: t.assign(born=pd.Timestamp("2000-01-01")),
        "born has dtype Datetime.*days since a fixed day",
    ),
    "no table": (lambda _: [1, 2], "covariates is a list; pass a pandas, Polars or Arrow table"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_covariates_that_cannot_be_used_are_refused(table, change, message):
    with pytest.raises(DataError, match=message):
        coded(change(table))


def test_too_many_levels_are_refused():
    ids = pd.RangeIndex(60, name="customer_id")
    names = pd.DataFrame({"name": [f"n{i}" for i in range(60)]}, index=ids)
    with pytest.raises(DataError, match="name has 60 levels; up to 50"):
        CovariateCoding.learn(aligned(names, ids))


def test_a_level_not_seen_is_refused(table):
    coding = CovariateCoding.learn(aligned(table, IDS))
    new = nw.from_native(table.assign(channel="mail"), eager_only=True)
    with pytest.raises(DataError, match="the level 'mail', which no.*known are shop, phone, web"):
        coding.code(new)
    text = nw.from_native(table.assign(age="old"), eager_only=True)
    with pytest.raises(DataError, match="age was a number in the fit and has dtype"):
        coding.code(text)


def test_constant_and_collinear_covariates_are_refused():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 20))
    weights = np.ones(20)
    with pytest.raises(DataError, match="age is 3 for every customer"):
        scaled(np.full((20, 1), 3.0), weights, ("age",))
    both = np.column_stack([one, rng.normal(size=20), 2 * one + 1, two])
    with pytest.raises(DataError, match=re.escape("covariates a, c follow from one another")):
        scaled(both, weights, ("a", "b", "c", "d"))


@pytest.mark.parametrize("model", [BetaGeoModel, ParetoNBDModel])
def test_a_text_of_one_level_has_no_effect(model, cdnow_exact):
    with pytest.raises(DataError, match="channel is 'web' for every customer, so it has no effect"):
        model(covariates=["channel"]).fit(cdnow_exact.assign(channel="web"))


@pytest.mark.parametrize("name", HISTORY)
def test_a_customers_history_is_no_attribute(name, cdnow_exact):
    with pytest.raises(SettingsError, match=f"covariates has {name}, which the model explains"):
        BetaGeoModel(covariates=["age", name]).fit(cdnow_exact.assign(age=1.0))
    if name != "customer_id":
        beside = pd.DataFrame({name: 1.0}, index=cdnow_exact.index)
        with pytest.raises(SettingsError, match=f"covariates has {name}, which the model explains"):
            BetaGeoModel().fit(cdnow_exact, covariates=beside)


@pytest.mark.parametrize(("values", "given"), [({}, "none"), ({"age": 3}, "age")])
def test_the_customers_meant_are_told_by_all_covariates(values, given, cdnow_exact):
    channel = np.where(np.arange(len(cdnow_exact)) % 2, "web", "shop")
    model = BetaGeoModel(covariates=["channel"]).fit(cdnow_exact.assign(channel=channel))
    with pytest.raises(
        SettingsError, match=rf"takes channel, .*given were {given}\. Ask .*\(channel=\.\.\.\)"
    ):
        model.for_covariates(**values)
