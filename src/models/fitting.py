"""Maximum likelihood by damped Newton steps on log-parameters: the one way all models are fitted.

Each model brings the mean log-likelihood per customer with its exact gradient and exact Hessian.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from patronage.models.rfm_input import FloatArray

MAX_STEPS = 200
LONGEST_STEP = 3.0
"""In a log-parameter: no step changes a parameter more than twentyfold."""
GRADIENT_TOLERANCE = 1e-9
ROUGH = 1e-2
"""A tolerance for what is but a place to start from."""
UNSEEN_GAIN = 1e-11
"""Of the mean log-likelihood, whose terms cancel."""
FLAT = 1e-7
"""Curvature per customer below which the likelihood has no peak in some direction."""


class Evaluation(NamedTuple):
    """Mean log-likelihood per customer at some log-parameters, with its derivatives by them."""

    value: float
    gradient: FloatArray
    hessian: FloatArray


class Optimum(NamedTuple):
    """Where the steps ended."""

    log_params: FloatArray
    at: Evaluation
    steps: int
    settled: bool
    """The gradient vanished within the allowed steps."""
    likelihood: "Likelihood"
    """What was climbed."""

    @property
    def flat(self) -> bool:
        """The likelihood levels off in some direction: a parameter ran to 0 or infinity."""
        return bool(np.linalg.eigvalsh(-self.at.hessian)[0] < FLAT)


Likelihood: TypeAlias = Callable[[FloatArray], Evaluation]


def maximise(
    likelihood: Likelihood, start: FloatArray, tolerance: float = GRADIENT_TOLERANCE
) -> Optimum:
    """Climb from `start` to a point of vanishing gradient.

    The curvature's eigenvalues are taken positive, so that every step climbs; the last steps are
    plain Newton steps, taken until one is below `tolerance`, which leaves an error of its square,
    or rounding stops the gradient from shrinking: the answer then does not depend on the path, nor
    on the unit of the data.
    """
    log_params, at = start, likelihood(start)
    for steps in range(MAX_STEPS):
        if np.abs(at.gradient).max() < tolerance:
            return _polish(likelihood, log_params, at, steps, tolerance)
        log_params, better = _climb(likelihood, log_params, at)
        if better is at:
            break
        at = better
    return Optimum(log_params, at, steps, False, likelihood)


def _newton_step(at: Evaluation) -> FloatArray:
    curvature, axes = np.linalg.eigh(-at.hessian)
    floor = 1e-10 * np.abs(curvature).max() + 1e-300
    step: FloatArray = axes @ ((axes.T @ at.gradient) / np.maximum(np.abs(curvature), floor))
    return step * min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))


def _climb(
    likelihood: Likelihood, log_params: FloatArray, at: Evaluation
) -> tuple[FloatArray, Evaluation]:
    """Halve the step until the likelihood gains; where none does, stay.

    A gain that may be below rounding shows in a smaller gradient instead.
    """
    step = _newton_step(at)
    slope = float(at.gradient @ step)
    noise, steep = 1e-14 * abs(at.value), np.abs(at.gradient).max()
    for length in 0.5 ** np.arange(50):
        trial = log_params + length * step
        found = likelihood(trial)
        if np.isfinite(found.value) and found.value >= at.value + 1e-4 * length * slope - noise:
            return trial, found
        if slope < UNSEEN_GAIN and np.abs(found.gradient).max() < steep:
            return trial, found
    return log_params, at


def _polish(
    likelihood: Likelihood, log_params: FloatArray, at: Evaluation, steps: int, tolerance: float
) -> Optimum:
    for _ in range(5):
        trial = log_params + _newton_step(at)
        if np.abs(trial - log_params).max() < tolerance:
            return Optimum(trial, at, steps + 1, True, likelihood)
        found = likelihood(trial)
        if not np.abs(found.gradient).max() < np.abs(at.gradient).max():
            break
        log_params, at, steps = trial, found, steps + 1
    return Optimum(log_params, at, steps, True, likelihood)
