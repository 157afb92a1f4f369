"""What every model fitted by maximum likelihood shares: learned attributes, saving, loading."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError, SettingsError
from patronage.models.arguments import check_share
from patronage.models.fitting import Likelihood, Optimum
from patronage.models.inference import (
    Problem,
    delta_intervals,
    interval_frame,
    profile_intervals,
)
from patronage.models.prior import Prior, PriorName, with_prior
from patronage.models.rfm_input import FloatArray, Weights
from patronage.models.saving import save_model

FORMAT = 1


class DataUnit(NamedTuple):
    """How the likelihood's own unit relates to the data's."""

    factor: FloatArray
    """Parameters in the data's unit per parameter of the fit."""
    log_density: float
    """Added to the total log-likelihood to bring it to the data's unit."""


class LikelihoodModel(BaseEstimator):  # type: ignore[misc]
    """A model with named positive parameters, fitted by maximum likelihood.

    Models that take `prior="weak"` then maximise the posterior density instead, and standard
    errors are from its curvature.
    """

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
    prior: PriorName = None
    weak_prior: ClassVar[Prior | None] = None
    """What `prior="weak"` stands for; None where the model offers none."""
    _problem: Problem | None = None
    """What was maximised, kept in the course of profiling only."""
    _keeps_problem: bool = False
    _near: Any = None
    """Parameters, in the data's unit, that the fit starts from where they are known to be near."""

    @property
    def aic_(self) -> float:
        """Akaike's information criterion: 2 x parameters - 2 x log-likelihood; less is better."""
        check_is_fitted(self, "params_")
        return 2.0 * len(self.covariance_) - 2 * self.log_likelihood_

    @property
    def bic_(self) -> float:
        """Bayesian information criterion: ln(customers) x parameters - 2 x log-likelihood."""
        check_is_fitted(self, "params_")
        return float(np.log(self.n_customers_)) * len(self.covariance_) - 2 * self.log_likelihood_

    def confidence_intervals(
        self,
        level: float = 0.95,
        method: Literal["delta", "profile"] = "delta",
        data: Any = None,
        weights: Weights = None,
    ) -> pd.DataFrame:
        """Interval of each parameter, within the parameter's bounds.

        Parameters
        ----------
        level
            Probability that an interval holds the parameter.
        method
            "delta": symmetric in the parameter's logarithm, from `standard_errors_`. "profile":
            all values that a likelihood-ratio test does not refute; slower, right also where the
            likelihood is lopsided, and 0 or infinite where the data set no bound.
        data, weights
            What the model was fitted on; for "profile" only, as a model does not keep its data.

        Returns
        -------
        DataFrame
            `low` and `high`, a row for each parameter, in the data's unit.

        Raises
        ------
        DataError
            If the fit has no standard errors ("delta"), or `data` are not those of the fit.
        """
        check_is_fitted(self, "params_")
        share = check_share("level", level)
        if method == "profile":
            bounds = self._profile(data, weights, share)
        elif method == "delta":
            bounds = self._delta(share)
        else:
            raise SettingsError(f'method={method!r} must be "delta" or "profile".')
        return interval_frame(bounds, self.params_type._fields)

    def _delta(self, level: float) -> FloatArray:
        errors = np.array(self.standard_errors_)
        if np.isnan(errors).any():
            raise DataError(
                f"{type(self).__name__} has no standard errors: {self.diagnosis_} "
                'confidence_intervals(method="profile", data=...) gives the bounds there are.'
            )
        return delta_intervals(np.array(self.params_), errors, level)

    def _profile(self, data: Any, weights: Weights, level: float) -> FloatArray:
        if data is None:
            raise SettingsError(
                'method="profile" fits the model again and again: pass the table of the fit, '
                'confidence_intervals(method="profile", data=rfm).'
            )
        twin = clone(self)
        twin._keeps_problem = True
        twin.fit(data, weights)
        if twin.data_digest_ != self.data_digest_:
            raise DataError(
                f"data ({twin.n_customers_:,} customers, {twin.data_digest_}) are not what the "
                f"model was fitted on ({self.n_customers_:,} customers, {self.data_digest_})."
            )
        return profile_intervals(twin._problem, level)

    def _objective(self, likelihood: Likelihood, customers: float) -> Likelihood:
        """What is maximised: the likelihood, with the prior where one is asked for."""
        prior = self._prior()
        return likelihood if prior is None else with_prior(likelihood, prior, customers)

    def _prior(self) -> Prior | None:
        if self.prior is None:
            return None
        if self.prior != "weak" or self.weak_prior is None:
            known = 'None or "weak"' if self.weak_prior else "None"
            raise SettingsError(
                f"prior={self.prior!r} is not known to {type(self).__name__}; it takes {known}."
            )
        return self.weak_prior

    def _start_near(self, factor: FloatArray) -> FloatArray | None:
        """The same in the likelihood's own unit."""
        if self._near is None:
            return None
        log_params: FloatArray = np.log(np.array(self._near) / factor)
        return log_params

    def _has_peak(self, optimum: Optimum) -> bool:
        """Whether the fit found a finite best estimate; a prior always leaves one."""
        return optimum.settled and (self.prior is not None or not optimum.flat)

    def _learn(self, optimum: Optimum, customers: float, unit: DataUnit, diagnosis: str) -> None:
        """Set the learned attributes from a fit in the likelihood's own unit."""
        names = self.params_type._fields
        params = np.exp(optimum.log_params) * unit.factor
        covariance = inverse = np.full((len(names), len(names)), np.nan)
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
        if self._keeps_problem:
            self._problem = Problem(optimum, customers, unit.factor)
        prior = self._prior()
        if prior is not None:
            self.log_likelihood_ -= prior(optimum.log_params).value
            self.diagnosis_ = diagnosis or _decided(prior.decided(optimum.log_params, inverse))

    def save(self, path: Path | str, units: Mapping[str, str] | None = None) -> None:
        """Write the fitted model as JSON, for `load_model`; see `saving.save_model`."""
        save_model(self, path, units)

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


def _decided(names: list[str]) -> str:
    if not names:
        return ""
    return (
        f"The prior says more than the data about {' and '.join(names)}. Take more customers or a "
        "longer history where this matters."
    )


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
