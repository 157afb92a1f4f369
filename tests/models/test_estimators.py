"""What holds for every estimator of the package; a walk over it finds them all."""

import inspect
import pkgutil
from datetime import date
from importlib import import_module

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator, clone

import patronage.models
from patronage.features import customer_days, day_table, rfm_summary
from patronage.models import (
    BetaGeoModel,
    CustomerValueModel,
    GammaGammaModel,
    PurchaseModel,
    PurchaseSeason,
    load_model,
    simulate_log,
)
from patronage.models.contract_model import ContractModel

AS_OF = date(2026, 1, 1)
GIVEN = PurchaseSeason(factors={month: 2.0 if month > 10 else 1.0 for month in range(1, 13)})
ARGUMENTS = {
    "CustomerValueModel": {"purchases": BetaGeoModel(), "spend": GammaGammaModel()},
    "SeasonalModel": {"purchases": BetaGeoModel(), "season": GIVEN},
    "ChurnCalibration": {"label_days": 90},
    "ChurnModel": {"features": ["frequency", "recency"], "label_days": 90},
}
"""What the estimators need that have arguments without a default."""


def estimators():
    """Classes of the package that can be made and that no other of the package derives from."""
    for module in pkgutil.iter_modules(patronage.models.__path__, "patronage.models."):
        import_module(module.name)
    found = {cls for cls in below(BaseEstimator) if cls.__module__.startswith("patronage.models.")}
    parents = {parent for cls in found for parent in cls.__mro__[1:]}
    return {cls.__name__: cls for cls in found - parents if not inspect.isabstract(cls)}


def below(parent):
    for child in parent.__subclasses__():
        yield child
        yield from below(child)


ESTIMATORS = dict(sorted(estimators().items()))
SAVED = [name for name, cls in ESTIMATORS.items() if hasattr(cls, "save")]
every = pytest.mark.parametrize("name", ESTIMATORS)
every_saved = pytest.mark.parametrize("name", SAVED)


def made(name):
    return ESTIMATORS[name](**ARGUMENTS.get(name, {}))


@pytest.fixture(scope="module")
def customers():
    """Purchases and spend of 400 customers, as whole days."""
    model = BetaGeoModel.with_params(r=0.9, alpha=15.0, a=1.0, b=3.0)
    spend = GammaGammaModel.with_params(p=5, q=4, v=20)
    log = simulate_log(
        model, customers=400, start=date(2025, 1, 1), end=AS_OF, spend=spend, seed=11
    )
    days = day_table(customer_days(log))
    gaps = pd.Series(np.log(days.gap)).groupby(
        np.repeat(np.arange(len(days)), np.diff(days.purchase_offsets))
    )
    return rfm_summary(days, as_of=AS_OF).assign(log_gap_sum=gaps.sum().to_numpy())


@pytest.fixture(scope="module")
def contracts():
    last = np.repeat([1, 2, 3, 4, 5, 5], [60, 30, 20, 10, 5, 80])
    return pd.DataFrame({"customer_id": np.arange(len(last)), "recency": last, "T": 5})


@pytest.fixture
def table(name, customers, contracts):
    return contracts if issubclass(ESTIMATORS[name], ContractModel) else customers


def answers(model, table):
    """One number per customer that depends on all that was learned."""
    if isinstance(model, CustomerValueModel):
        return model.clv(table, 90, 0.1, 0.3)
    if isinstance(model, PurchaseModel):
        return model.expected_purchases(table, 90)
    if isinstance(model, GammaGammaModel):
        return model.expected_spend(table)
    return pd.Series(model.params_)


def test_the_walk_finds_them():
    expected = {"BetaGeoModel", "ModifiedBetaGeoModel", "ParetoNBDModel", "BetaGeoBetaBinomModel"}
    expected |= {"ShiftedBetaGeoModel", "BetaDiscreteWeibullModel", "GammaGammaModel"}
    expected |= {"CustomerValueModel", "ChurnModel"}
    assert expected <= set(ESTIMATORS)
    assert not [name for name in ESTIMATORS if name.endswith("Family")]


@every
def test_init_stores_its_arguments_and_nothing_else(name):
    model = made(name)
    assert set(vars(model)) == set(inspect.signature(ESTIMATORS[name]).parameters)
    assert model.get_params(deep=False) == vars(model)


@every
def test_a_clone_has_the_same_arguments(name):
    model = made(name)
    copy = clone(model)
    assert copy is not model
    assert repr(copy) == repr(model)
    assert clone(model).set_params(**model.get_params(deep=False)).get_params().keys() == (
        model.get_params().keys()
    )


@every_saved
def test_fit_gives_itself_and_leaves_the_arguments_and_the_data_alone(name, table):
    before, model = table.copy(), made(name)
    arguments = repr(model)
    assert model.fit(table) is model
    assert repr(model) == arguments
    pd.testing.assert_frame_equal(table, before)


@every_saved
def test_a_clone_of_a_fit_is_not_fitted(name, table):
    copy = clone(made(name).fit(table))
    assert not [attribute for attribute in vars(copy) if attribute.endswith("_")]


@every_saved
@pytest.mark.parametrize("kind", ["polars", "arrow"])
def test_every_kind_of_frame_gives_the_same(name, table, kind):
    other = pl.from_pandas(table) if kind == "polars" else pa.Table.from_pandas(table)
    expected = answers(made(name).fit(table), table)
    pd.testing.assert_series_equal(answers(made(name).fit(other), other), expected)


@every_saved
def test_a_saved_model_answers_to_the_last_bit_the_same(name, table, tmp_path):
    model = made(name).fit(table)
    model.save(tmp_path / "model.json")
    again = load_model(tmp_path / "model.json")
    assert type(again) is type(model)
    assert repr(again) == repr(model)
    pd.testing.assert_series_equal(answers(again, table), answers(model, table), check_exact=True)
    assert again.to_dict() == model.to_dict()
