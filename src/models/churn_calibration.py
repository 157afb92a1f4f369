"""From a raw score to a probability: shape and level, learnt on later data than the trees.

A raw score has two parts, both log-odds: the start, logit of the value model's P(no purchase), and
what the trees add. The shape bends them into calibrated log-odds; the level moves all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from patronage.models.calibration_level import Level, learn_level
from patronage.models.calibration_shapes import SHAPES, PlattShape, Shape, shape_from_dict
from patronage.models.evaluation import log_losses
from patronage.models.fold_booster import FoldRows
from patronage.models.time_folds import mature_at

FloatArray = NDArray[np.float64]
CLIP = 1e-4  # a model's 0 or 1 is not taken as certainty
LEAST_GAIN = 1e-4  # nats by which a shape must be ahead of a simpler one
WITHOUT_PROOF = "platt"  # its weights are drawn to 1, so it is safe where nothing can be compared
INTERVAL = 1.6449  # standard deviations either side that hold 90 % of a normal


def log_odds(p: ArrayLike) -> FloatArray:
    """Log-odds of a probability, certainty clipped."""
    odds: FloatArray = logit(np.clip(np.asarray(p, dtype=float), CLIP, 1 - CLIP))
    return odds


@dataclass(frozen=True)
class JudgedRows:
    """Raw scores of rows that are later than those the trees were trained on, and what came.

    `cutoff` holds each row's judging day; of rows without time, the number of its fold.
    """

    start: FloatArray
    trees: FloatArray
    churned: FloatArray
    cutoff: NDArray[Any]

    def at(self, cutoffs: Sequence[Any]) -> "JudgedRows":
        """The rows of these cutoffs."""
        rows = np.isin(self.cutoff, np.array(cutoffs, dtype=object))
        return JudgedRows(self.start[rows], self.trees[rows], self.churned[rows], self.cutoff[rows])


def judged_rows(
    folds: Sequence[FoldRows], judges: Sequence[Any], trees: Callable[[FoldRows], FloatArray]
) -> JudgedRows:
    """What trees that ended earlier say about the judging rows of each fold.

    Parameters
    ----------
    folds, judges
        The folds and the judging day of each, or its number.
    trees
        Gives what the trees trained on a fold add to the start of its judging rows.
    """
    return JudgedRows(
        start=np.concatenate([fold.rows.start[fold.judge_at] for fold in folds]),
        trees=np.concatenate([trees(fold) for fold in folds]),
        churned=np.concatenate([fold.rows.y[fold.judge_at] for fold in folds]),
        cutoff=np.repeat(np.array(judges, dtype=object), [len(fold.judge_at) for fold in folds]),
    )


class ChurnCalibration(BaseEstimator):  # type: ignore[misc]
    """Shape and level of P(churn).

    The shape is the one of none, Platt, beta and isotonic whose probabilities had the least log
    loss at judging cutoffs, each time learnt on the judging cutoffs whose labels were known by
    then. A simpler one wins unless it is `LEAST_GAIN` behind. The level is a random effect of the
    cutoff: see `learn_level`.

    Parameters
    ----------
    label_days
        So long after its cutoff a label is known; 0 for rows without time.
    overlap
        How many neighbouring cutoffs share a label window, at least 1.

    Attributes
    ----------
    shape_ : Shape
    level_ : Level
    tried_ : dict
        Mean log loss of each shape on later cutoffs; empty where none could be compared.

    References
    ----------
    .. [1] Platt (1999), Probabilistic outputs for support vector machines.
    .. [2] Zadrozny and Elkan (2002), Transforming classifier scores into accurate multiclass
       probability estimates, KDD: isotonic regression.
    .. [3] Kull, Silva Filho and Flach (2017), Beta calibration, AISTATS.
    """

    shape_: Shape
    level_: Level

    def __init__(self, *, label_days: int, overlap: float = 1.0) -> None:
        self.label_days = label_days
        self.overlap = overlap

    def fit(self, judged: JudgedRows) -> Self:
        """Choose the shape and learn shape and level on all judged rows."""
        self.tried_ = {
            name: float(each.mean()) for name, each in self._later_losses(judged).items()
        }
        self.shape_, self.level_ = self._learnt(self._chosen(), judged)
        return self

    def later_losses(self, judged: JudgedRows) -> FloatArray:
        """Log loss of each row whose cutoff the best shape was not learnt on; empty without any."""
        losses = self._later_losses(judged)
        return min(losses.values(), key=lambda each: float(each.mean()), default=np.empty(0))

    def predict_log_odds(self, start: FloatArray, trees: FloatArray) -> FloatArray:
        """Calibrated log-odds of churn, shape (n,)."""
        check_is_fitted(self, "shape_")
        return self.shape_.bend(start, trees) + self.level_.shift

    def interval(self, odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Low and high of the rate of churn among customers with these log-odds, 90 %.

        In it are the level of the next cutoff, which no score can know, and how far groups of like
        customers lay from their probability at the judging cutoffs.
        """
        check_is_fitted(self, "level_")
        reach = INTERVAL * self.level_.spread
        return expit(odds - reach), expit(odds + reach)

    def weights(
        self, start: FloatArray, trees: FloatArray, mean_start: float, mean_trees: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """How much each part of a row counts on its way from the average customer's log-odds.

        Exact where the shape is a weighted sum. Any other bends the sum of both parts: it counts by
        the slope of the straight line between the row and the average customer.
        """
        check_is_fitted(self, "shape_")
        if isinstance(self.shape_, PlattShape):
            like = np.ones_like(start)
            return self.shape_.start_weight * like, self.shape_.trees_weight * like
        usual = np.full_like(start, mean_start)
        rise = self.shape_.bend(start, trees) - self.shape_.bend(usual, mean_trees)
        run = start + trees - usual - mean_trees
        slope = np.where(run == 0, 1.0, rise / np.where(run == 0, 1.0, run))
        return slope, slope

    def to_dict(self) -> dict[str, Any]:
        """The fitted numbers, for JSON."""
        check_is_fitted(self, "shape_")
        return {
            **self.get_params(),
            "shape": self.shape_.to_dict(),
            "level": self.level_.to_dict(),
            "tried": self.tried_,
        }

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> Self:
        """The calibration that `to_dict` described."""
        calibration = cls(label_days=numbers["label_days"], overlap=numbers["overlap"])
        calibration.shape_ = shape_from_dict(numbers["shape"])
        calibration.level_ = Level.from_dict(numbers["level"])
        calibration.tried_ = dict(numbers["tried"])
        return calibration

    def _learnt(self, name: str, judged: JudgedRows) -> tuple[Shape, Level]:
        cutoffs, place = np.unique(judged.cutoff, return_inverse=True)
        shape = SHAPES[name].learn(judged.start, judged.trees, judged.churned, place)
        bent = shape.bend(judged.start, judged.trees)
        return shape, learn_level(
            bent, judged.churned, place, age=self._age(cutoffs), overlap=self.overlap
        )

    def _age(self, cutoffs: NDArray[Any]) -> FloatArray | None:
        """Of each cutoff, in lengths of a label before the newest."""
        if not self.label_days:
            return None
        return np.array([(cutoffs[-1] - day).days for day in cutoffs]) / self.label_days

    def _later_losses(self, judged: JudgedRows) -> dict[str, FloatArray]:
        """Each shape's losses at cutoffs whose labels it has not seen, in one order of rows."""
        losses: dict[str, list[FloatArray]] = {name: [] for name in SHAPES}
        for known, later in self._splits(judged):
            for name in SHAPES:
                shape, level = self._learnt(name, known)
                p = expit(shape.bend(later.start, later.trees) + level.shift)
                losses[name].append(log_losses(later.churned, p))
        return {name: np.concatenate(each) for name, each in losses.items() if each}

    def _splits(self, judged: JudgedRows) -> list[tuple[JudgedRows, JudgedRows]]:
        """To learn from and to try: the cutoffs known by then, or without time all others."""
        cutoffs: list[date] = sorted(set(judged.cutoff))
        known: dict[date, Sequence[date]] = {
            day: (
                mature_at(cutoffs, day=day, label_days=self.label_days)
                if self.label_days
                else [other for other in cutoffs if other != day]
            )
            for day in cutoffs
        }
        return [(judged.at(before), judged.at([day])) for day, before in known.items() if before]

    def _chosen(self) -> str:
        """The simplest shape that is not behind; SHAPES are in order of their freedom."""
        if not self.tried_:
            return WITHOUT_PROOF
        best = min(self.tried_.values())
        return next(name for name, loss in self.tried_.items() if loss <= best + LEAST_GAIN)
