"""The level of churn: what part of the past cutoffs' error lasts, and how far the next may lie off.

Season and trend move all customers of a cutoff at once, so a thousand customers of one cutoff tell
the level no better than one: it is a random effect of the cutoff. It wanders, so that the newest
cutoffs tell the next one best: a local level, smoothed exponentially (Durbin and Koopman, 2012,
Time Series Analysis by State Space Methods, ch. 2), and held back by how little is known (empirical
Bayes).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]
SPREAD = 0.25
"""Log-odds by which the level of churn differed from the one foreseen in the retail data looked at,
the season known; it counts as if two cutoffs had shown it."""
PRIOR_CUTOFFS = 2
LASTING = 0.2
"""Standard deviation of a lasting bias, in log-odds, before any data are seen."""
GROUPS = 10
STEPS = 25  # of Newton; the mean of a logistic function is smooth and monotone


@dataclass(frozen=True)
class Level:
    """How all log-odds are moved, and how far from there the next cutoff may lie.

    Attributes
    ----------
    shift
        Added to all log-odds.
    spread
        Standard deviation, in log-odds, of a group's rate around its probability at a cutoff to
        come: of the cutoff's level and of the group within it.
    cutoff_shifts
        What each judging cutoff wanted by itself, oldest first.
    """

    shift: float
    spread: float
    cutoff_shifts: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "cutoff_shifts": list(self.cutoff_shifts)}

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> Self:
        """The level that `to_dict` described."""
        return cls(numbers["shift"], numbers["spread"], tuple(numbers["cutoff_shifts"]))


def learn_level(
    odds: FloatArray,
    churned: FloatArray,
    place: Places,
    *,
    age: FloatArray | None = None,
    overlap: float = 1.0,
) -> Level:
    """Level of log-odds that are right but for it.

    Parameters
    ----------
    odds, churned, place
        Log-odds, label and number of the judging cutoff of each row.
    age
        Of each judging cutoff, before the newest, in lengths of a label: after one of them it
        counts half. None: all count alike.
    overlap
        How many neighbouring cutoffs share a label window, and so are worth one; 1 at least.
    """
    wanted = np.array(
        [shift_to_mean(odds[place == one], churned[place == one]) for one in range(place.max() + 1)]
    )
    weight = np.ones(len(wanted)) if age is None else 0.5**age
    mean = float(np.average(wanted, weights=weight))
    seen = float(weight @ (wanted - mean) ** 2)
    between = (seen + PRIOR_CUTOFFS * SPREAD**2) / (weight.sum() + PRIOR_CUTOFFS)
    independent = max(float(weight.sum() ** 2 / (weight @ weight)) / overlap, 1.0)
    trusted = independent / (independent + between / LASTING**2)
    within = _groups_variance(odds + wanted[place], churned, place)
    unsure = between * (1 + 1 / independent)
    return Level(
        shift=mean * trusted,
        spread=float(np.sqrt(unsure + within)),
        cutoff_shifts=tuple(map(float, wanted)),
    )


def shift_to_mean(odds: FloatArray, churned: FloatArray) -> float:
    """The shift of log-odds that makes their mean probability the churn rate.

    Half a churner and half a stayer are added to the rate, so that it is never 0 or 1.
    """
    rate, shift = (churned.sum() + 0.5) / (len(churned) + 1), 0.0
    for _ in range(STEPS):
        p = expit(odds + shift)
        shift += float(np.clip((rate - p.mean()) / max((p * (1 - p)).mean(), 1e-9), -2, 2))
    return shift


def _groups_variance(odds: FloatArray, churned: FloatArray, place: Places) -> float:
    """Variance of groups' log-odds around the foreseen, beyond what chance gives.

    The groups are tenths by probability within a cutoff, its own level taken out.
    """
    beyond = []
    for one in range(place.max() + 1):
        mine = np.flatnonzero(place == one)
        for group in np.array_split(mine[np.argsort(odds[mine], kind="stable")], GROUPS):
            if len(group):
                beyond.append(_beyond_chance(odds[group], churned[group]))
    return max(float(np.mean(beyond)), 0.0)


def _beyond_chance(odds: FloatArray, churned: FloatArray) -> float:
    """Squared distance of a group's log-odds from the foreseen, less what chance alone gives."""
    n, expected = len(odds), float(expit(odds).mean())
    actual = (churned.sum() + 0.5) / (n + 1)
    chance = 1 / (n * expected * (1 - expected))
    return float((logit(actual) - logit(expected)) ** 2 - chance)
