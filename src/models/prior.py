"""Weak priors on quantities without a unit, for data that leave a parameter without an estimate.

Densities are by the logarithms of the parameters, in which the fit works; time is in units of the
longest T and money in units of the mean spend, so that days and weeks, pounds and pence agree.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from patronage.models.fitting import Evaluation, Likelihood
from patronage.models.rfm_input import FloatArray

PriorName: TypeAlias = Literal["weak"] | None

DECIDES = 0.5
"""Share of what is known about a quantity that must come from the data for it to be theirs."""


class Derivatives(NamedTuple):
    """Of a log-density by its argument."""

    value: float
    first: float
    second: float


class Term(NamedTuple):
    """What the prior says about one quantity: a log-density of a function of log-parameters."""

    name: str
    """In words, for messages."""
    quantity: Callable[[FloatArray], Evaluation]
    density: Callable[[float], Derivatives]

    def __call__(self, log_params: FloatArray) -> Evaluation:
        """Log-density, gradient and Hessian by the log-parameters."""
        at = self.quantity(log_params)
        if not np.isfinite(at.value):
            return Evaluation(-np.inf, at.gradient * np.nan, at.hessian * np.nan)
        value, first, second = self.density(at.value)
        outer = np.outer(at.gradient, at.gradient)
        return Evaluation(value, first * at.gradient, second * outer + first * at.hessian)

    def share(self, log_params: FloatArray, covariance: FloatArray) -> float:
        """Share of what is known about the quantity that the prior says."""
        at = self.quantity(log_params)
        known = -self.density(at.value).second
        return float(known * (at.gradient @ covariance @ at.gradient))


class Prior(NamedTuple):
    """Independent terms; about parameters beyond those of the terms it says nothing."""

    terms: tuple[Term, ...]
    size: int
    """How many parameters it is about; they come first."""

    def __call__(self, log_params: FloatArray) -> Evaluation:
        """Log-density, gradient and Hessian by the log-parameters."""
        n = len(log_params)
        value, gradient, hessian = 0.0, np.zeros(n), np.zeros((n, n))
        for term in self.terms:
            part = term(log_params[: self.size])
            value += part.value
            gradient[: self.size] += part.gradient
            hessian[: self.size, : self.size] += part.hessian
        return Evaluation(value, gradient, hessian)

    def decided(self, log_params: FloatArray, covariance: FloatArray) -> list[str]:
        """Names of the quantities about which the prior says more than the data."""
        own, part = log_params[: self.size], covariance[: self.size, : self.size]
        return [term.name for term in self.terms if term.share(own, part) > DECIDES]


def with_prior(likelihood: Likelihood, prior: Prior, customers: float) -> Likelihood:
    """Mean log-posterior per customer, up to a constant."""

    def posterior(log_params: FloatArray) -> Evaluation:
        data, belief = likelihood(log_params), prior(log_params)
        return Evaluation(
            data.value + belief.value / customers,
            data.gradient + belief.gradient / customers,
            data.hessian + belief.hessian / customers,
        )

    return posterior


def linear(*weights: float) -> Callable[[FloatArray], Evaluation]:
    """A weighted sum of the log-parameters: the logarithm of a product of powers."""
    gradient = np.array(weights)
    none = np.zeros((len(weights), len(weights)))
    return lambda log_params: Evaluation(float(gradient @ log_params), gradient, none)


def normal(spread: float) -> Callable[[float], Derivatives]:
    """Normal around 0."""
    return lambda u: Derivatives(-0.5 * (u / spread) ** 2, -u / spread**2, -1 / spread**2)


def logit_uniform(u: float) -> Derivatives:
    """Of u = ln(s / (1 - s)) for a share s uniform on (0, 1): ln(s (1 - s))."""
    share = 1 / (1 + np.exp(-u))
    value = -np.logaddexp(0, u) - np.logaddexp(0, -u)
    return Derivatives(float(value), float(1 - 2 * share), float(-2 * share * (1 - share)))


def log_gamma(shape: float, rate: float) -> Callable[[float], Derivatives]:
    """Of u = ln y for y ~ Gamma(shape, rate): shape u - rate exp(u)."""

    def density(u: float) -> Derivatives:
        part = rate * float(np.exp(u))
        return Derivatives(shape * u - part, shape - part, -part)

    return density
