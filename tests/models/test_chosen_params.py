"""Models whose parameters were chosen, not learned."""

import json

import numpy as np
import pytest

from patronage.errors import DataError, SettingsError
from patronage.models import (
    BetaGeoBetaBinomModel,
    BetaGeoCNBDModel,
    BetaGeoModel,
    CustomerValueModel,
    GammaGammaModel,
    ParetoNBDModel,
    ShiftedBetaGeoModel,
    load_model,
)
from patronage.models.inference import likelihood_ratio_test

CHOSEN = {
    BetaGeoModel: {"r": 0.8, "alpha": 15, "a": 0.8, "b": 2.5},
    BetaGeoCNBDModel: {"k": 2, "r": 0.8, "alpha": 7.5, "a": 0.8, "b": 2.5},
    ParetoNBDModel: {"r": 0.8, "alpha": 15, "s": 0.6, "beta": 60},
    BetaGeoBetaBinomModel: {"alpha": 1.2, "beta": 0.8, "gamma": 0.7, "delta": 2.8},
    GammaGammaModel: {"p": 6, "q": 4, "v": 15},
    ShiftedBetaGeoModel: {"alpha": 0.7, "beta": 1.2},
}
every_kind = pytest.mark.parametrize("kind", CHOSEN)


@every_kind
def test_they_answer_and_are_saved_like_fitted_ones(kind, tmp_path):
    model = kind.with_params(**CHOSEN[kind])
    model.save(tmp_path / "model.json")
    again = load_model(tmp_path / "model.json")
    assert again.params_ == model.params_
    assert json.dumps(again.to_dict()) == json.dumps(model.to_dict())
    assert np.isnan(again.log_likelihood_)
    assert (again.standard_errors_ == np.zeros(len(model.params_))).all()
    assert (again.converged_, again.n_customers_) == (False, 0)


def test_what_is_chosen_is_known_for_sure(cdnow_exact):
    fitted = BetaGeoModel().fit(cdnow_exact)
    chosen = BetaGeoModel.with_params(**fitted.params_._asdict())
    assert chosen.expected_purchases(cdnow_exact, 9).equals(
        fitted.expected_purchases(cdnow_exact, 9)
    )
    bounds = chosen.confidence_intervals()
    np.testing.assert_allclose(bounds["high"], chosen.params_)
    with pytest.raises(DataError, match="The parameters were chosen, not learned from data"):
        likelihood_ratio_test(chosen, fitted)


def test_a_value_model_of_fitted_parts(cdnow_exact):
    value = CustomerValueModel(BetaGeoModel(), GammaGammaModel(), "W").fit(cdnow_exact)
    again = CustomerValueModel.of_fitted(value.purchases_, value.spend_, "W")
    assert again.clv(cdnow_exact, 52, 0.1, 0.3).equals(value.clv(cdnow_exact, 52, 0.1, 0.3))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"r": 1}, "BetaGeoModel has the parameters r, alpha, a, b; given were r. Give each"),
        ({}, "given were none"),
        ({"r": 1, "alpha": 1, "a": 1, "beta": 1}, "given were r, alpha, a, beta"),
        ({"r": 1, "alpha": -2, "a": 1, "b": 1}, "alpha=-2 must be a finite number greater than 0"),
        ({"r": 1e-300, "alpha": 1, "a": 1, "b": 1}, "r=1e-300 must lie between 1e-15 and 1e.15"),
        ({"r": 1, "alpha": 1, "a": 1, "b": 1e16}, "b=1e.16 must lie between 1e-15 and 1e.15"),
    ],
)
def test_parameters_that_cannot_be_are_refused(params, message):
    with pytest.raises(SettingsError, match=message):
        BetaGeoModel.with_params(**params)


def test_regular_timing_needs_its_k():
    with pytest.raises(SettingsError, match=r"BetaGeoCNBDModel needs k.*with_params\(k=2"):
        BetaGeoCNBDModel.with_params(r=0.8, alpha=7.5, a=0.8, b=2.5)
