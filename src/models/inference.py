"""What can be said about parameters fitted by maximum likelihood, and between fitted models."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import chi2

from patronage.errors import DataError, SettingsError
from patronage.models.fitting import Evaluation, Likelihood, Optimum, maximise
from patronage.models.rfm_input import FloatArray

if TYPE_CHECKING:
    from patronage.models.likelihood_model import LikelihoodModel

FARTHEST = 25.0
"""In what is estimated, logarithms or scaled effects: a bound farther from 0 and from the estimate
is infinite."""
OUT_OF_REACH = 75.0
"""No refit goes there: the likelihood levelled off long before."""
SUPPORTED = 1e-8
"""Curvature below this share of the largest says nothing of where a ridge leads."""
STEEPEST = 2.0
"""Of a ridge."""
LEAST = -1e12
"""Log-likelihood of what cannot be: finite, so that roots can be searched for beside it."""


class Problem(NamedTuple):
    """What a model maximised on some data, in its own unit, and where."""

    optimum: Optimum
    customers: float
    shift: FloatArray
    """Added to what was estimated to bring it to the data's unit."""
    scale: FloatArray | float = 1.0
    """Multiplied with it before."""


class LikelihoodRatio(NamedTuple):
    """Result of `likelihood_ratio_test`."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def likelihood_ratio_test(
    restricted: "LikelihoodModel", full: "LikelihoodModel"
) -> LikelihoodRatio:
    """Test whether the further parameters of `full` tell anything, by Wilks' theorem.

    Parameters
    ----------
    restricted, full
        Fitted on the same customers; `restricted` is `full` with some parameters fixed. Where the
        fixed value lies at the edge of what is possible, the p-value is larger than the exact one.

    Raises
    ------
    DataError
        If a model did not converge, was fitted with a prior, or the data differ.
    SettingsError
        If `full` has no further parameters or its likelihood is lower: they are not nested.
    """
    _check_comparable(restricted, full)
    freedom = len(full.covariance_) - len(restricted.covariance_)
    statistic = 2 * (full.log_likelihood_ - restricted.log_likelihood_)
    if freedom < 1 or statistic < -1e-6 * abs(full.log_likelihood_):
        raise SettingsError(
            f"full={type(full).__name__} has {len(full.covariance_)} parameters and log-likelihood "
            f"{full.log_likelihood_:.6g}, restricted={type(restricted).__name__} has "
            f"{len(restricted.covariance_)} and {restricted.log_likelihood_:.6g}: the first does "
            "not contain the second. Compare models that are not nested by aic_ or bic_."
        )
    statistic = max(statistic, 0.0)
    return LikelihoodRatio(statistic, freedom, float(chi2.sf(statistic, freedom)))


def _check_comparable(restricted: "LikelihoodModel", full: "LikelihoodModel") -> None:
    for role, model in (("restricted", restricted), ("full", full)):
        if not model.converged_ or model.prior is not None:
            cause = model.diagnosis_ or "a prior moved the estimates off the maximum."
            raise DataError(
                f"{role}={type(model).__name__} is not at a maximum of the likelihood, so the test "
                f"does not hold: {cause} Compare predictions on a holdout instead."
            )
    plain = all(len(m.covariance_) == len(m.params_) for m in (restricted, full))
    same = not plain or restricted.data_digest_ == full.data_digest_
    if restricted.n_customers_ != full.n_customers_ or not same:
        raise DataError(
            f"The models were fitted on different data: {restricted.n_customers_:,} customers "
            f"({restricted.data_digest_}) and {full.n_customers_:,} ({full.data_digest_}). Fit "
            "both on one table."
        )


def delta_intervals(estimates: FloatArray, errors: FloatArray, level: float) -> FloatArray:
    """Low and high of each estimate, symmetric around it."""
    reach = ndtri((1 + level) / 2) * errors
    return np.column_stack([estimates - reach, estimates + reach])


def profile_intervals(problem: Problem, level: float) -> FloatArray:
    """Low and high of each estimate: where the best fit with it fixed is just not refuted."""
    parameters = range(len(problem.optimum.log_params))
    bounds = [_profile_bounds(problem, j, level) for j in parameters]
    found: FloatArray = np.array(bounds).T * problem.scale + problem.shift
    return found.T


def _profile_bounds(problem: Problem, j: int, level: float) -> tuple[float, float]:
    centre = float(problem.optimum.log_params[j])
    low, high = (_crossing(_Excess(problem, j, level), centre, towards) for towards in (-1.0, 1.0))
    return low, high


class _Refit(NamedTuple):
    """The best fit with one parameter fixed, and the likelihood's derivatives there by all."""

    point: FloatArray
    at: Evaluation
    excess: float
    settled: bool


class _Excess:
    """Twice the loss of log-likelihood beyond the cutoff, one parameter fixed, the others refitted.

    Each refit starts where the nearest one before points to. Where a fit ran to a limit the others
    have far to go: they follow the fixed one back.
    """

    def __init__(self, problem: Problem, j: int, level: float) -> None:
        self.problem, self.j = problem, j
        self.cutoff = float(chi2.ppf(level, 1))
        best = problem.optimum
        start = _Refit(best.log_params, best.at, -self.cutoff, True)
        self.found = {float(best.log_params[j]): start}

    def __call__(self, value: float) -> float:
        if value not in self.found:
            self.found[value] = self._refit(value)
        return self.found[value].excess

    def _refit(self, value: float) -> _Refit:
        best = self.problem.optimum
        reduced = _with_fixed(best.likelihood, self.j, value)
        near = self.found[min(self.found, key=lambda seen: abs(seen - value))]
        fixed = maximise(reduced, self._pointed_to(near, value))
        if not fixed.settled:
            again = maximise(reduced, np.delete(near.point, self.j))
            fixed = max(fixed, again, key=lambda refit: _or_least(refit.at.value))
        point = np.insert(fixed.log_params, self.j, value)
        lost = 2 * self.problem.customers * (best.at.value - _or_least(fixed.at.value))
        return _Refit(point, best.likelihood(point), float(lost) - self.cutoff, fixed.settled)

    def _pointed_to(self, near: _Refit, value: float) -> FloatArray:
        """The others of that refit, moved along the ridge they lie on."""
        others = np.delete(near.point, self.j)
        hessian = np.delete(near.at.hessian, self.j, axis=0)
        if not np.isfinite(hessian).all():
            return others
        across, own = hessian[:, self.j], np.delete(hessian, self.j, axis=1)
        slope = -np.linalg.pinv(own, rcond=SUPPORTED, hermitian=True) @ across
        ahead = value - near.point[self.j]
        moved: FloatArray = others + np.clip(slope, -STEEPEST, STEEPEST) * ahead
        return moved


def _or_least(value: float) -> float:
    return value if np.isfinite(value) else LEAST


def _crossing(excess: _Excess, centre: float, towards: float) -> float:
    """Where the excess passes 0; infinite where it does not, as far as a best fit can be found."""
    inside = centre
    for reach in _reaches(FARTHEST + max(-towards * centre, 0.0)):
        outside = centre + towards * reach
        if excess(outside) > 0:
            if not excess.found[outside].settled:
                break
            return float(brentq(excess, inside, outside, xtol=1e-9, rtol=1e-12))
        inside = outside
    return towards * np.inf


def _reaches(farthest: float) -> Iterator[float]:
    reach = 0.05
    while reach < farthest:
        yield reach
        reach *= 2
    yield farthest


def _with_fixed(likelihood: Likelihood, j: int, value: float) -> Likelihood:
    def reduced(others: FloatArray) -> Evaluation:
        if not np.abs(others).max() < OUT_OF_REACH:
            return Evaluation(-np.inf, np.full_like(others, np.nan), np.diag(others * np.nan))
        at = likelihood(np.insert(others, j, value))
        rows = np.delete(at.hessian, j, axis=0)
        return Evaluation(at.value, np.delete(at.gradient, j), np.delete(rows, j, axis=1))

    return reduced


def interval_frame(bounds: FloatArray, names: Sequence[str]) -> pd.DataFrame:
    """One row per parameter: low, high."""
    return pd.DataFrame(bounds, index=pd.Index(names, name="parameter"), columns=["low", "high"])
