"""The rows of a fold and a booster trained on them, stopped by the loss on the later ones.

The loss is the log loss after the best common shift of a judging cutoff's log-odds: season and
trend move all its customers at once, no parameter of a tree can foresee that, and the noise would
choose the parameters. The shift itself is the calibration's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]

METRIC = "shifted_log_loss"
MAX_TREES = 600
TUNING_ROWS = 30_000  # of a fold's training and judging rows: enough to rank parameters by
SHIFT_STEPS = 4  # Newton steps; the loss is flat around the best shift
PATIENCE = 30  # trees without a better log loss on the judging cutoff before a trial's fold stops
FIXED = {
    "objective": "binary",
    "metric": "none",
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "feature_pre_filter": False,
    "max_bin": 63,
    "bagging_freq": 1,
}


@dataclass(frozen=True)
class Rows:
    """Features, label and the log-odds at which the trees start; `texts` are columns of codes."""

    x: FloatArray
    y: FloatArray
    start: FloatArray
    texts: Sequence[int] = ()

    def at(self, places: Places) -> "Rows":
        """The rows at these places."""
        return Rows(self.x[places], self.y[places], self.start[places], self.texts)


@dataclass(frozen=True)
class FoldRows:
    """Which of the rows train a fold and which later ones judge it.

    They are cut when asked for, so that many folds take no more memory than one.
    """

    rows: Rows
    train_at: Places
    judge_at: Places

    @property
    def train(self) -> Rows:
        """The rows that train."""
        return self.rows.at(self.train_at)

    @property
    def judge(self) -> Rows:
        """The later rows that judge."""
        return self.rows.at(self.judge_at)

    def some(self, rng: np.random.Generator) -> "FoldRows":
        """At most `TUNING_ROWS` of each, drawn at random."""
        train, judge = (rng.permutation(at)[:TUNING_ROWS] for at in (self.train_at, self.judge_at))
        return FoldRows(self.rows, train, judge)

    @property
    def all_were_drawn(self) -> bool:
        """Whether `some` leaves nothing out."""
        return max(len(self.train_at), len(self.judge_at)) <= TUNING_ROWS


def datasets(fold: FoldRows) -> tuple[lgb.Dataset, lgb.Dataset]:
    """LightGBM's binned data, made once for all trials."""
    train = dataset(fold.train, FIXED, free_raw_data=False)
    judge = dataset(fold.judge, FIXED, free_raw_data=False, reference=train)
    return train.construct(), judge.construct()


def dataset(rows: Rows, params: dict[str, Any], **kept: Any) -> lgb.Dataset:
    """The rows as LightGBM takes them."""
    return lgb.Dataset(
        rows.x,
        rows.y,
        init_score=rows.start,
        params=params,
        categorical_feature=list(rows.texts),
        **kept,
    )


def fit_with_early_stopping(
    params: dict[str, Any], train: lgb.Dataset, judge: lgb.Dataset
) -> tuple[float, int]:
    """Least log loss on the judging rows and the number of trees that gave it."""
    booster = stopped_booster(params, train, judge)
    return float(booster.best_score["valid_0"][METRIC]), int(booster.best_iteration)


def stopped_booster(params: dict[str, Any], train: lgb.Dataset, judge: lgb.Dataset) -> lgb.Booster:
    """A booster that ended when the log loss on the judging rows fell no more."""
    return lgb.train(
        params,
        train,
        num_boost_round=MAX_TREES,
        valid_sets=[judge],
        feval=_shifted_log_loss,
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )


def _shifted_log_loss(p: FloatArray, judge: lgb.Dataset) -> tuple[str, float, bool]:
    """Mean log loss after the shift of the log-odds that is best for these rows."""
    y = np.asarray(judge.get_label(), dtype=float)
    return METRIC, shifted_log_loss(y, p), False


def shifted_log_loss(y: FloatArray, p: FloatArray) -> float:
    """Mean log loss of p, its log-odds moved so that its mean is the mean of y."""
    odds, shift = logit(np.clip(p, 1e-6, 1 - 1e-6)), 0.0
    for _ in range(SHIFT_STEPS):
        moved = expit(odds + shift)
        shift += float((y.mean() - moved.mean()) / (moved * (1 - moved)).mean())
    moved = np.clip(expit(odds + shift), 1e-9, 1 - 1e-9)
    return float(-(y * np.log(moved) + (1 - y) * np.log1p(-moved)).mean())
