"""Shapes that bend raw log-odds into calibrated ones, from the stiffest to the freest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]
PRIOR_ROWS = 1000.0
"""Strength of the pull of weights towards 1, in rows."""
FEWEST = 1.0
"""Churners and stayers that a step of the isotonic shape is given, so that it is never certain."""


class Shape(Protocol):
    """Bends raw log-odds; monotone in each part."""

    @property
    def name(self) -> str:
        """As in `SHAPES`."""

    @classmethod
    def learn(
        cls, start: FloatArray, trees: FloatArray, churned: FloatArray, place: Places
    ) -> Self:
        """Learn from judged rows; each cutoff, by its number in `place`, has a level of its own."""

    def bend(self, start: FloatArray, trees: FloatArray) -> FloatArray:
        """Log-odds, but for the level, shape (n,)."""

    def to_dict(self) -> dict[str, Any]:
        """Name and numbers, for JSON."""


@dataclass(frozen=True)
class NoShape:
    """The raw score as it is."""

    name: str = "none"

    @classmethod
    def learn(
        cls, start: FloatArray, trees: FloatArray, churned: FloatArray, place: Places
    ) -> Self:
        """Nothing to learn."""
        return cls()

    def bend(self, start: FloatArray, trees: FloatArray) -> FloatArray:
        """The sum of both parts."""
        return start + trees

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name}


@dataclass(frozen=True)
class PlattShape:
    """Each part times its weight: Platt's slope, and a blend of trees and value model."""

    start_weight: float
    trees_weight: float
    name: str = "platt"

    @classmethod
    def learn(
        cls, start: FloatArray, trees: FloatArray, churned: FloatArray, place: Places
    ) -> Self:
        """Both weights, at or above 0 and drawn to 1."""
        weights = _weights(np.column_stack([start, trees]), churned, place)
        return cls(float(weights[0]), float(weights[1]))

    def bend(self, start: FloatArray, trees: FloatArray) -> FloatArray:
        """The weighted sum."""
        # Written out: a matrix product would round differently with the number of rows.
        return self.start_weight * start + self.trees_weight * trees

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class BetaShape:
    """Log p and -log(1 - p) of the raw score, each times its weight: Kull et al. (2017)."""

    high_weight: float
    low_weight: float
    name: str = "beta"

    @classmethod
    def learn(
        cls, start: FloatArray, trees: FloatArray, churned: FloatArray, place: Places
    ) -> Self:
        """Both weights, at or above 0 and drawn to 1, where the shape is none."""
        raw = start + trees
        weights = _weights(np.column_stack([log_expit(raw), -log_expit(-raw)]), churned, place)
        return cls(float(weights[0]), float(weights[1]))

    def bend(self, start: FloatArray, trees: FloatArray) -> FloatArray:
        """The weighted sum of the two logarithms."""
        raw = start + trees
        bent: FloatArray = self.high_weight * log_expit(raw) - self.low_weight * log_expit(-raw)
        return bent

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class IsotonicShape:
    """A line of steps joined up: any shape that never falls."""

    at: tuple[float, ...]
    odds: tuple[float, ...]
    name: str = "isotonic"

    @classmethod
    def learn(
        cls, start: FloatArray, trees: FloatArray, churned: FloatArray, place: Places
    ) -> Self:
        """Isotonic regression on the raw score, each cutoff at its own level."""
        from sklearn.isotonic import IsotonicRegression

        raw = start + trees
        shifts = _weights_and_shifts(raw[:, None], churned, place, np.inf)[1]
        raw = raw + (shifts - np.average(shifts))[place]
        line = IsotonicRegression(increasing=True, out_of_bounds="clip").fit(raw, churned)
        steps, sizes = np.unique(line.predict(raw), return_counts=True)
        step = np.searchsorted(steps, line.y_thresholds_).clip(max=len(steps) - 1)
        near = 0.5 * FEWEST / (sizes[step] + FEWEST)
        rates = line.y_thresholds_ * (1 - 2 * near) + near
        odds = np.maximum.accumulate(logit(np.clip(rates, 1e-4, 1 - 1e-4)))
        return cls(tuple(map(float, line.X_thresholds_)), tuple(map(float, odds)))

    def bend(self, start: FloatArray, trees: FloatArray) -> FloatArray:
        """Log-odds between the steps, and those of the ends beyond."""
        return np.interp(start + trees, self.at, self.odds)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "at": list(self.at), "odds": list(self.odds)}


SHAPES: Mapping[str, type[Shape]] = {
    "none": NoShape,
    "platt": PlattShape,
    "beta": BetaShape,
    "isotonic": IsotonicShape,
}


def shape_from_dict(numbers: Mapping[str, Any]) -> Shape:
    """The shape that `to_dict` described."""
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in numbers.items()}
    make: Callable[..., Shape] = SHAPES[str(values.pop("name"))]
    return make(**values)


def _weights(terms: FloatArray, y: FloatArray, place: Places) -> FloatArray:
    return _weights_and_shifts(terms, y, place, PRIOR_ROWS)[0]


def _weights_and_shifts(
    terms: FloatArray, y: FloatArray, place: Places, prior_rows: float
) -> tuple[FloatArray, FloatArray]:
    """Penalised maximum likelihood of a weight per term and a shift per cutoff.

    Weights are drawn to 1 as by so many rows, or held there where these are endless.
    """
    size, count = terms.shape[1], int(place.max()) + 1
    held = not np.isfinite(prior_rows)
    pull = 0.0 if held else prior_rows

    def loss(both: FloatArray) -> tuple[float, FloatArray]:
        away = both[:size] - 1.0
        fitted = terms @ both[:size] + both[size:][place]
        value = -(y * log_expit(fitted) + (1 - y) * log_expit(-fitted)).sum()
        rest = expit(fitted) - y
        by_weight = terms.T @ rest + pull * away
        by_cutoff = np.bincount(place, rest, count)
        slope = np.concatenate([by_weight, by_cutoff], dtype=np.float64) / len(y)
        return float(value + pull / 2 * away @ away) / len(y), slope

    first = np.concatenate([np.ones(size), np.zeros(count)])
    bounds = [(1.0, 1.0) if held else (0.0, None)] * size + [(-20.0, 20.0)] * count
    best = minimize(loss, first, jac=True, bounds=bounds, method="L-BFGS-B").x
    return best[:size], best[size:]
