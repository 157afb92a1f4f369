"""The log-odds at which the trees start: how far the value model's P(no purchase) is followed.

Where the value model knows the season, or more history than the trees have cutoffs, they do best
to start from all that it says. Where purchases do not follow it, as with groceries bought at fixed
intervals, what it says of each customer is better drawn to the mean: the trees need not unlearn it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patronage.models.churn_calibration import INTERVAL, ChurnCalibration, judged_rows, log_odds
from patronage.models.fold_booster import FoldRows, Rows, datasets, stopped_booster

FloatArray = NDArray[np.float64]
WEIGHTS = (1.0, 0.5, 0.25, 0.0)
LEAST_GAIN = 0.001  # nats by which a lower weight must be ahead of the full one, beyond chance
QUICK = {"learning_rate": 0.1}  # ranks the weights alike at half the cost


@dataclass(frozen=True)
class Start:
    """Log-odds of the training rows' churn, and how far each row's own are followed from there.

    Attributes
    ----------
    base_odds
        Log-odds of the share that churned.
    weight
        1: each row starts from logit P(no purchase); 0: all rows start from `base_odds`.
    tried
        Log loss at later cutoffs of each weight that was tried; empty where none could be.
    """

    base_odds: float
    weight: float
    tried: Mapping[float, float]

    def odds(self, p_no_purchase: ArrayLike) -> FloatArray:
        """Log-odds at which the rows start, shape (n,)."""
        return self._drawn(log_odds(p_no_purchase))

    def rows(self, rows: Rows) -> Rows:
        """The rows, whose start is logit P(no purchase), with this one."""
        return replace(rows, start=self._drawn(rows.start))

    def _drawn(self, odds: FloatArray) -> FloatArray:
        return odds if self.weight == 1 else self.base_odds + self.weight * (odds - self.base_odds)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "tried": {str(w): loss for w, loss in self.tried.items()}}

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> "Start":
        """The start that `to_dict` described."""
        tried = {float(w): loss for w, loss in numbers["tried"].items()}
        return cls(numbers["base_odds"], numbers["weight"], tried)


def choose_start(
    folds: Sequence[FoldRows],
    judges: Sequence[Any],
    *,
    base_odds: float,
    params: Mapping[str, Any],
    calibration: ChurnCalibration,
    seed: int,
) -> Start:
    """The weight with the least log loss at later cutoffs, calibrated as the model will be.

    Weights are lowered as long as that helps. The full one stays unless another is ahead by
    `LEAST_GAIN` and beyond chance, or where there are too few cutoffs to tell.

    Parameters
    ----------
    folds, judges
        Folds of the same rows, which start from logit P(no purchase), and the judging cutoff of
        each.
    base_odds
        Log-odds of the share that churned.
    params
        Of the boosters.
    calibration
        Unfitted.
    seed
        Draws the rows where there are many.
    """
    rng = np.random.default_rng(seed)
    some = [fold.some(rng) for fold in folds]
    losses: dict[float, FloatArray] = {}
    tried: dict[float, float] = {}
    for weight in WEIGHTS:
        rows = Start(base_odds, weight, {}).rows(folds[0].rows)
        drawn = [replace(fold, rows=rows) for fold in some]
        judged = judged_rows(drawn, judges, partial(_early_stopped, params={**params, **QUICK}))
        losses[weight] = calibration.later_losses(judged)
        if not len(losses[weight]):
            break
        tried[weight] = float(losses[weight].mean())
        if tried[weight] > min(tried.values()):
            break
    best = min(tried, key=lambda weight: tried[weight], default=WEIGHTS[0])
    ahead = _beyond_chance(losses[WEIGHTS[0]] - losses[best])
    return Start(base_odds, best if ahead else WEIGHTS[0], tried)


def _beyond_chance(gain: FloatArray) -> bool:
    """Whether rows gain so much that it is worth it, and that it is no accident."""
    if not len(gain):
        return False
    error = gain.std() / np.sqrt(len(gain))
    return bool(gain.mean() >= max(LEAST_GAIN, INTERVAL * error))


def _early_stopped(fold: FoldRows, params: dict[str, Any]) -> FloatArray:
    """What trees add for the judging rows, stopped where these were served best."""
    booster = stopped_booster(params, *datasets(fold))
    raw = booster.predict(fold.judge.x, raw_score=True, num_iteration=booster.best_iteration)
    return np.asarray(raw, dtype=float)
