"""What every model fitted by maximum likelihood shares: learned attributes, saving, loading."""

from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError, SettingsError
from patronage.models.arguments import check_number, check_share
from patronage.models.fitting import Likelihood, Optimum
from patronage.models.inference import (
    Problem,
    delta_intervals,
    interval_frame,
    profile_intervals,
)
from patronage.models.prior import Prior, PriorName, with_prior
from patronage.models.rfm_input import FloatArray, Weights
from patronage.models.saving import save_model, saved_covariance, saved_numbers

FORMAT = 1
LEAST, MOST = 1e-15, 1e15
"""Of a parameter that is chosen."""
SAVED: dict[str, tuple[type, ...]] = {
    "log_likelihood": (float, int, type(None)),
    "n_customers": (float, int),
    "converged": (bool,),
    "diagnosis": (str,),
    "data_digest": (str,),
}
"""What a file holds beside estimates, and of which kind it is."""
CHOSEN = "The parameters were chosen, not learned from data."


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

    @classmethod
    def with_params(cls, **params: float) -> Self:
        """A model with parameters of your choice, which are known for sure: none was fitted.

        It answers every question as a fitted one does, simulates, and is saved; its log-likelihood
        is NaN.

        Parameters
        ----------
        **params
            Each of `params_`, from 1e-15 to 1e15, and arguments of the model itself.

        Raises
        ------
        SettingsError
            If a parameter is missing, unknown, or out of range.

        Examples
        --------
        >>> from patronage.models import BetaGeoModel
        >>> BetaGeoModel.with_params(r=0.243, alpha=4.414, a=0.793, b=2.426).params_.alpha
        4.414
        """
        names = cls.params_type._fields
        settings = {name: params.pop(name) for name in cls._get_param_names() if name in params}
        if set(params) != set(names):
            raise SettingsError(
                f"{cls.__name__} has the parameters {', '.join(names)}; given were "
                f"{', '.join(params) or 'none'}. Give each of them once."
            )
        numbers = [check_number(name, params[name], closed=False) for name in names]
        for name, number in zip(names, numbers, strict=True):
            if not LEAST <= number <= MOST:
                raise SettingsError(
                    f"{name}={params[name]} must lie between {LEAST:g} and {MOST:g}: beyond, "
                    "nothing can be computed exactly. Take the nearer bound, which is as good as "
                    "the limit."
                )
        model = cls(**settings)
        model.params_ = cls.params_type(*numbers)
        model._be_certain()
        return model

    def _be_certain(self) -> None:
        """Set what else is learned where parameters are chosen."""
        names = self.params_type._fields
        self.covariance_ = pd.DataFrame(0.0, names, names)
        self.standard_errors_ = self.params_type(*np.zeros(len(names)).tolist())
        self.log_likelihood_, self.n_customers_ = np.nan, 0
        self.converged_, self.diagnosis_ = False, CHOSEN
        self.data_digest_ = ""

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
        """Interval of each parameter, within the parameter's bounds, and of each effect.

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
            `low` and `high`, a row for each parameter of `covariance_`, in the data's unit.

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
        return interval_frame(self._reported(bounds), list(self.covariance_.index))

    def _delta(self, level: float) -> FloatArray:
        estimates, covariance = self._estimates()
        errors = np.sqrt(np.diag(covariance))
        if np.isnan(errors).any():
            raise DataError(
                f"{type(self).__name__} has no standard errors: {self.diagnosis_} "
                'confidence_intervals(method="profile", data=...) gives the bounds there are.'
            )
        return delta_intervals(estimates, errors, level)

    def _profile(self, data: Any, weights: Weights, level: float) -> FloatArray:
        if data is None:
            raise SettingsError(
                'method="profile" fits the model again and again: pass the table of the fit, '
                'confidence_intervals(method="profile", data=rfm).'
            )
        twin = self._twin()
        twin._keeps_problem = True
        twin.fit(data, weights)
        if twin.data_digest_ != self.data_digest_:
            raise DataError(
                f"data ({twin.n_customers_:,} customers, {twin.data_digest_}) are not what the "
                f"model was fitted on ({self.n_customers_:,} customers, {self.data_digest_})."
            )
        assert twin._problem is not None
        return profile_intervals(twin._problem, level)

    def _twin(self) -> Self:
        """Not fitted, for a fit of the same data."""
        twin: Self = clone(self)
        return twin

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
            self._problem = Problem(optimum, customers, np.log(unit.factor))
        prior = self._prior()
        if prior is not None:
            self.log_likelihood_ -= prior(optimum.log_params).value
            self.diagnosis_ = diagnosis or _decided(prior.decided(optimum.log_params, inverse))

    def _estimates(self) -> tuple[FloatArray, FloatArray]:
        """What was estimated, on the scale on which it is about normal, and its covariance."""
        params = np.array(self.params_)
        return np.log(params), self.covariance_.to_numpy() / np.outer(params, params)

    def _reported(self, estimates: FloatArray) -> FloatArray:
        """From that scale to the one on which they are reported: a row each."""
        with np.errstate(over="ignore"):
            reported: FloatArray = np.exp(estimates)
        return reported

    def _with_estimates(self, estimates: FloatArray) -> Self:
        """The same model with other parameters, on that scale."""
        other = copy(self)
        other.params_ = self.params_type(*map(float, np.exp(estimates)))
        return other

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
            "log_likelihood": None if np.isnan(self.log_likelihood_) else self.log_likelihood_,
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
        covariance = saved_covariance(saved["covariance"], len(names))
        params = saved_numbers("params", [saved["params"][name] for name in names])
        if not (params > 0).all():
            raise ValueError(f"params is {saved['params']}, which is not all above 0")
        model.params_ = cls.params_type(*params.tolist())
        model.covariance_ = pd.DataFrame(covariance, names, names)
        model.standard_errors_ = cls.params_type(*map(float, np.sqrt(np.diag(covariance))))
        for name, kinds in SAVED.items():
            if not isinstance(saved[name], kinds):
                raise TypeError(f"{name} is {saved[name]!r}")
            setattr(model, f"{name}_", saved[name])
        if model.log_likelihood_ is None:
            model.log_likelihood_ = np.nan
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
