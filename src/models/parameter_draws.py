"""How uncertain parameters are, as a small set of parameters that they may as well be."""

from typing import TypeVar

import numpy as np

from patronage.errors import DataError
from patronage.models.likelihood_model import LikelihoodModel
from patronage.models.rfm_input import FloatArray

Model = TypeVar("Model", bound=LikelihoodModel)

WORLDS = 32


def parameter_draws(seed: int, *models: Model) -> list[list[Model]]:
    """Each model with its parameters in `WORLDS` draws of what they may as well be.

    Mean and covariance of the draws are exactly those of the estimates, so that few suffice.

    Raises
    ------
    DataError
        If a model has no covariance, as a fit without a finite best estimate has none.
    """
    for model in models:
        _check_covariance(model)
    sizes = [len(model.covariance_) for model in models]
    scores = _balanced_normals(np.random.default_rng(seed), sum(sizes))
    parts = np.split(scores, np.cumsum(sizes)[:-1], axis=1)
    return [_draws(model, part) for model, part in zip(models, parts, strict=True)]


def _draws(model: Model, scores: FloatArray) -> list[Model]:
    estimates, covariance = model._estimates()
    variance, axes = np.linalg.eigh(covariance)
    steps = scores * np.sqrt(np.maximum(variance, 0)) @ axes.T
    return [model._with_estimates(row) for row in estimates + steps]


def _balanced_normals(rng: np.random.Generator, columns: int) -> FloatArray:
    """Normal scores of mean 0 and covariance 1, both exactly."""
    raw = rng.standard_normal((WORLDS, columns))
    centred = raw - raw.mean(axis=0)
    whitening = np.linalg.inv(np.linalg.cholesky(centred.T @ centred / WORLDS)).T
    scores: FloatArray = centred @ whitening
    return scores


def _check_covariance(model: LikelihoodModel) -> None:
    if not np.isfinite(model.covariance_.to_numpy()).all():
        raise DataError(
            f"{type(model).__name__} has no covariance, so the uncertainty of its parameters is "
            f"not known: {model.diagnosis_ or 'the fit did not converge.'} Fit it with "
            f'{type(model).__name__}(prior="weak").'
        )
