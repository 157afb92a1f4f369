"""What every model fitted by maximum likelihood shares: learned attributes, saving, loading."""

from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError
from patronage.models.fitting import Optimum
from patronage.models.rfm_input import FloatArray

FORMAT = 1


class DataUnit(NamedTuple):
    """How the likelihood's own unit relates to the data's."""

    factor: FloatArray
    """Parameters in the data's unit per parameter of the fit."""
    log_density: float
    """Added to the total log-likelihood to bring it to the data's unit."""


class LikelihoodModel(BaseEstimator):  # type: ignore[misc]
    """A model with named positive parameters, fitted by maximum likelihood."""

    params_: Any
    standard_errors_: Any
    covariance_: pd.DataFrame
    log_likelihood_: float
    n_customers_: float
    converged_: bool
    diagnosis_: str
    data_digest_: str

    params_type: ClassVar[Any]
    """NamedTuple of the parameters, in the order of the likelihood."""

    def _learn(self, optimum: Optimum, customers: float, unit: DataUnit, diagnosis: str) -> None:
        """Set the learned attributes from a fit in the likelihood's own unit."""
        names = self.params_type._fields
        params = np.exp(optimum.log_params) * unit.factor
        covariance = np.full((len(names), len(names)), np.nan)
        if not diagnosis:
            inverse = np.linalg.inv(-customers * optimum.at.hessian)
            covariance = inverse * np.outer(params, params)
        self.params_ = self.params_type(*map(float, params))
        self.covariance_ = pd.DataFrame(covariance, names, names)
        self.standard_errors_ = self.params_type(*map(float, np.sqrt(np.diag(covariance))))
        self.log_likelihood_ = float(customers * optimum.at.value + unit.log_density)
        self.n_customers_ = whole(customers)
        self.converged_ = not diagnosis
        self.diagnosis_ = diagnosis

    def to_dict(self) -> dict[str, Any]:
        """Everything that was learned, as plain values ready for JSON."""
        check_is_fitted(self, "params_")
        covariance = self.covariance_.to_numpy()
        return {
            "model": type(self).__name__,
            "format": FORMAT,
            "settings": self.get_params(),
            "params": self.params_._asdict(),
            "covariance": covariance.tolist() if np.isfinite(covariance).all() else None,
            "log_likelihood": self.log_likelihood_,
            "n_customers": self.n_customers_,
            "converged": self.converged_,
            "diagnosis": self.diagnosis_,
            "data_digest": self.data_digest_,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Rebuild a fitted model from `to_dict()`.

        Raises
        ------
        DataError
            If `saved` is of another model or of a format this version does not know.
        """
        check_saved(saved, cls.__name__)
        model = cls(**saved["settings"])
        names = cls.params_type._fields
        shape = (len(names), len(names))
        stored = saved["covariance"]
        covariance = np.full(shape, np.nan) if stored is None else np.array(stored)
        model.params_ = cls.params_type(**saved["params"])
        model.covariance_ = pd.DataFrame(covariance, names, names)
        model.standard_errors_ = cls.params_type(*map(float, np.sqrt(np.diag(covariance))))
        for name in ("log_likelihood", "n_customers", "converged", "diagnosis", "data_digest"):
            setattr(model, f"{name}_", saved[name])
        return model


def whole(number: float) -> float:
    """An int where the number is one: a count of customers reads as a count."""
    return int(number) if number.is_integer() else number


def check_saved(saved: dict[str, Any], model: str) -> None:
    """Refuse what another model or a later version saved."""
    found = (saved.get("model"), saved.get("format"))
    if found != (model, FORMAT):
        raise DataError(
            f"This is a saved {found[0]} of format {found[1]}, not a {model} of format {FORMAT}. "
            "Load it with the class that saved it, or fit and save the model again."
        )
