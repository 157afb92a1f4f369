"""The booster's parameters, tuned by Optuna on time-ordered folds.

What is tuned is the log loss after the best common shift of each judging cutoff's log-odds: season
and trend move all its customers at once, no parameter of a tree can foresee that, and the noise
would choose the parameters. The shift itself is the blend's business.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

if TYPE_CHECKING:
    import optuna

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]
Progress = Callable[[int, float], None]
"""Called after each trial with the number of trials done and the best log loss so far."""

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
FIRST_TRIAL = {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "lambda_l2": 10.0,
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
    """Training rows of one fold and the later rows that judge it."""

    train: "Rows"
    judge: "Rows"


@dataclass(frozen=True)
class Tuned:
    """The best parameters, the number of trees they want, and every trial behind them."""

    params: dict[str, Any]
    n_trees: int
    log_loss: float
    trials: list[dict[str, Any]] = field(repr=False)


def tune(
    folds: Sequence[FoldRows],
    *,
    trials: int,
    seconds: float,
    seed: int,
    constraints: Sequence[int] = (),
    study: "optuna.Study | None" = None,
    progress: Progress | None = None,
) -> Tuned:
    """Search for the parameters with the least mean loss over the folds.

    Parameters
    ----------
    folds
        At least one; in each the judging rows are later than the training rows.
    trials, seconds
        The search ends at whichever is reached first. The first trial is a fixed sound set, so
        even a search of one trial gives a usable model.
    seed
        Makes the search repeatable as far as the same number of trials is reached.
    constraints
        Of each feature: 1 if churn may not fall with it, -1 if it may not rise, 0 if it may do
        either; none by default.
    study
        Where the trials are kept; in memory by default.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = study or optuna.create_study()
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=3)
    study.enqueue_trial(FIRST_TRIAL)

    def report(study: "optuna.Study", trial: "optuna.trial.FrozenTrial") -> None:
        if progress is not None:
            progress(trial.number + 1, study.best_value)

    fixed = {**FIXED, "seed": seed}
    if constraints:
        fixed |= {"monotone_constraints": list(constraints)}
    study.optimize(
        fold_objective(folds, fixed), n_trials=trials, timeout=seconds, callbacks=[report]
    )
    best = study.best_trial
    return Tuned(
        params={**fixed, **best.params},
        n_trees=best.user_attrs["n_trees"],
        log_loss=study.best_value,
        trials=[
            {"number": t.number, "log_loss": t.value, **t.params, **t.user_attrs}
            for t in study.get_trials(deepcopy=False)
        ],
    )


def fold_objective(
    folds: Sequence[FoldRows], fixed: dict[str, Any]
) -> Callable[["optuna.Trial"], float]:
    """Mean loss of the folds as a function of a trial's parameters.

    Each fold is reported, so that a trial which starts out worse than most is cut short.
    """
    import optuna

    rng = np.random.default_rng(fixed["seed"])
    data = [_datasets(fold, rng) for fold in folds]

    def objective(trial: "optuna.Trial") -> float:
        params = {**fixed, **_suggest(trial)}
        losses, trees = [], []
        for place, pair in enumerate(data):
            loss, n_trees = _fit_with_early_stopping(params, *pair)
            losses.append(loss)
            trees.append(n_trees)
            trial.report(float(np.mean(losses)), place)
            if trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr("fold_losses", losses)
        trial.set_user_attr("n_trees", max(round(float(np.mean(trees))), 1))
        return float(np.mean(losses))

    return objective


def _suggest(trial: "optuna.Trial") -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.15, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 48, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 20, 500, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 100.0, log=True),
    }


def _datasets(fold: FoldRows, rng: np.random.Generator) -> tuple[lgb.Dataset, lgb.Dataset]:
    """LightGBM's binned data, made once for all trials."""
    some, later = (
        rows.at(rng.permutation(len(rows.y))[:TUNING_ROWS]) for rows in (fold.train, fold.judge)
    )
    train = _dataset(some, FIXED, free_raw_data=False)
    judge = _dataset(later, FIXED, free_raw_data=False, reference=train)
    return train.construct(), judge.construct()


def _dataset(rows: Rows, params: dict[str, Any], **kept: Any) -> lgb.Dataset:
    return lgb.Dataset(
        rows.x,
        rows.y,
        init_score=rows.start,
        params=params,
        categorical_feature=list(rows.texts),
        **kept,
    )


def _fit_with_early_stopping(
    params: dict[str, Any], train: lgb.Dataset, judge: lgb.Dataset
) -> tuple[float, int]:
    """Least log loss on the judging rows and the number of trees that gave it."""
    booster = lgb.train(
        params,
        train,
        num_boost_round=MAX_TREES,
        valid_sets=[judge],
        feval=_shifted_log_loss,
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )
    return float(booster.best_score["valid_0"][METRIC]), int(booster.best_iteration)


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


def train_booster(rows: Rows, tuned: Tuned) -> lgb.Booster:
    """A booster with the tuned parameters and number of trees.

    Its raw score is what the trees add to the start.
    """
    data = _dataset(rows, tuned.params)
    return lgb.train(tuned.params, data, num_boost_round=tuned.n_trees)
