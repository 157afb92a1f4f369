"""The booster's parameters, tuned by Optuna on time-ordered folds."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np

from patronage.models.fold_booster import (
    FIXED,
    MAX_TREES,
    PATIENCE,
    FoldRows,
    Rows,
    dataset,
    datasets,
    fit_with_early_stopping,
)
from patronage.models.kept_trials import KeptTrials, kept_trials

if TYPE_CHECKING:
    import optuna

Progress = Callable[[int, float], None]
"""Called after each trial with the number of trials done and the best log loss so far."""

AfterTrial = Callable[["optuna.Study", "optuna.trial.FrozenTrial"], None]

LEAST_GAIN = 0.002  # nats by which a trial must be ahead of the fixed set on the folds to be taken
PRUNED_AFTER = 3  # trials to compare with, before one may be cut short
FIRST_TRIAL = {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "lambda_l2": 10.0,
}
SPACE: dict[str, tuple[float, float, bool]] = {
    "learning_rate": (0.02, 0.15, True),
    "num_leaves": (4, 48, True),
    "min_data_in_leaf": (20, 500, True),
    "feature_fraction": (0.2, 1.0, False),
    "bagging_fraction": (0.5, 1.0, False),
    "lambda_l2": (0.1, 100.0, True),
}
"""Least, most, and whether on a log scale."""
WHOLE = ("num_leaves", "min_data_in_leaf")


@dataclass(frozen=True)
class Tuned:
    """The parameters taken, the number of trees they want, and every trial behind them.

    `log_loss` is the mean over the folds, `untuned` what a search of one trial would have given.
    It is taken as well where no trial is `LEAST_GAIN` ahead of it: on Online Retail II, smaller
    differences between trials on the folds said nothing about later cutoffs
    (benchmarks/churn_tuning.py).
    """

    params: dict[str, Any]
    n_trees: int
    log_loss: float
    trials: list[dict[str, Any]] = field(repr=False, default_factory=list)
    untuned: "Tuned | None" = field(repr=False, default=None)


def tune(
    folds: Sequence[FoldRows],
    *,
    trials: int,
    seconds: float,
    seed: int,
    constraints: Sequence[int] = (),
    kept_in: Path | None = None,
    warm: Sequence[Mapping[str, Any]] = (),
    progress: Progress | None = None,
    found: Tuned | None = None,
) -> Tuned:
    """Search for the parameters with the least mean loss over the folds.

    The same rows, settings and number of trials give the same answer, killed and resumed or not:
    the search is repeated from its start, and what `kept_in` holds is not computed again.

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
    kept_in
        SQLite file that keeps the trials, a study for each set of rows and settings; by default
        they are not kept.
    warm
        Parameters to try right after the fixed set, such as the champion's: those that the search
        knows, moved into its space.
    progress
        Called after each trial.
    found
        Of other labels of the same features: these parameters are taken without a search, with the
        number of trees that the folds want.
    """
    if found is not None:
        return _regrown(found, folds)
    fixed = _fixed(seed, constraints)
    rng = np.random.default_rng(seed)
    some = [fold.some(rng) for fold in folds]
    first = [FIRST_TRIAL, *(inside(params) for params in warm)]
    with _keeper(kept_in, some, fixed) as kept:
        study = _search(
            fold_objective(some, fixed, kept),
            first=first,
            trials=trials,
            seconds=seconds,
            seed=seed,
            callbacks=[_keep(kept), _report(progress)],
        )
    return _tuned(study, fixed, folds)


def untuned(seed: int, constraints: Sequence[int] = ()) -> dict[str, Any]:
    """The parameters of the first trial, all of LightGBM's."""
    return {**_fixed(seed, constraints), **FIRST_TRIAL}


def _fixed(seed: int, constraints: Sequence[int]) -> dict[str, Any]:
    fixed = {**FIXED, "seed": seed}
    return fixed | {"monotone_constraints": list(constraints)} if constraints else fixed


def _search(
    objective: Callable[["optuna.Trial"], float],
    *,
    first: Sequence[Mapping[str, Any]],
    trials: int,
    seconds: float,
    seed: int,
    callbacks: Sequence[AfterTrial],
) -> "optuna.Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=PRUNED_AFTER),
    )
    for params in first:
        study.enqueue_trial(dict(params), skip_if_exists=True)
    study.optimize(objective, n_trials=trials, timeout=seconds, callbacks=list(callbacks))
    return study


def _keep(kept: KeptTrials | None) -> AfterTrial:
    return lambda study, trial: None if kept is None else kept.keep(trial)


def _report(progress: Progress | None) -> AfterTrial:
    return lambda study, trial: (
        None if progress is None else progress(trial.number + 1, study.best_value)
    )


@contextmanager
def _keeper(
    path: Path | None, folds: Sequence[FoldRows], fixed: Mapping[str, Any]
) -> Iterator[KeptTrials | None]:
    """The trials kept for these very rows and settings."""
    if path is None:
        yield None
        return
    with kept_trials(path, f"churn {_digest(folds, fixed)}") as kept:
        yield kept


def _digest(folds: Sequence[FoldRows], fixed: Mapping[str, Any]) -> str:
    """Of all that the loss of a trial depends on."""
    rules = [fixed, SPACE, MAX_TREES, PATIENCE, folds[0].rows.texts, lgb.__version__]
    digest = blake2b(json.dumps(rules).encode(), digest_size=16)
    for fold in folds:
        for rows in (fold.train, fold.judge):
            for numbers in (rows.x, rows.y, rows.start):
                digest.update(np.ascontiguousarray(numbers).data)
    return digest.hexdigest()


def _tuned(study: "optuna.Study", fixed: dict[str, Any], folds: Sequence[FoldRows]) -> Tuned:
    found = study.get_trials(deepcopy=False)
    trials = [{"number": t.number, "log_loss": t.value, **t.params, **t.user_attrs} for t in found]
    untuned = _grown(found[0], fixed, folds)
    ahead = untuned.log_loss - study.best_value >= LEAST_GAIN
    best = _grown(study.best_trial, fixed, folds) if ahead else untuned
    return replace(best, trials=trials, untuned=untuned)


def _grown(
    trial: "optuna.trial.FrozenTrial", fixed: dict[str, Any], folds: Sequence[FoldRows]
) -> Tuned:
    """A trial's parameters, with the trees that all rows want if only some were searched on."""
    params, n_trees = {**fixed, **trial.params}, int(trial.user_attrs["n_trees"])
    if not all(fold.all_were_drawn for fold in folds):
        n_trees = _mean_trees([fit_with_early_stopping(params, *datasets(f))[1] for f in folds])
    return Tuned(params, n_trees, float(trial.value or 0.0))


def _regrown(tuned: Tuned, folds: Sequence[FoldRows]) -> Tuned:
    """The same parameters, with the number of trees and the loss of other folds."""
    fits = [fit_with_early_stopping(tuned.params, *datasets(fold)) for fold in folds]
    losses, trees = zip(*fits, strict=True)
    return Tuned(tuned.params, _mean_trees(trees), float(np.mean(losses)))


def fold_objective(
    folds: Sequence[FoldRows], fixed: dict[str, Any], kept: KeptTrials | None = None
) -> Callable[["optuna.Trial"], float]:
    """Mean loss of the folds as a function of a trial's parameters.

    Each fold is reported, so that a trial which starts out worse than most is cut short. What is
    kept is not computed again.
    """
    import optuna

    data = [datasets(fold) for fold in folds]

    def objective(trial: "optuna.Trial") -> float:
        params = {**fixed, **_suggest(trial)}
        known = None if kept is None else kept.find(trial.params)
        if known is not None:
            return _repeated(trial, known)
        losses, trees = [], []
        for place, pair in enumerate(data):
            loss, n_trees = fit_with_early_stopping(params, *pair)
            losses.append(loss)
            trees.append(n_trees)
            trial.report(float(np.mean(losses)), place)
            if trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr("fold_losses", losses)
        trial.set_user_attr("n_trees", _mean_trees(trees))
        return float(np.mean(losses))

    return objective


def _repeated(trial: "optuna.Trial", known: "optuna.trial.FrozenTrial") -> float:
    """What a trial of these parameters came to before."""
    import optuna

    for place, loss in known.intermediate_values.items():
        trial.report(loss, place)
    if known.value is None or known.state is optuna.trial.TrialState.PRUNED:
        raise optuna.TrialPruned
    for name, value in known.user_attrs.items():
        trial.set_user_attr(name, value)
    return known.value


def _mean_trees(trees: Sequence[int]) -> int:
    return max(round(float(np.mean(trees))), 1)


def inside(params: Mapping[str, Any]) -> dict[str, float]:
    """Those of the parameters that are searched, moved into the space."""
    moved = {
        name: min(max(float(params[name]), least), most)
        for name, (least, most, _) in SPACE.items()
        if name in params
    }
    return {name: round(value) if name in WHOLE else value for name, value in moved.items()}


def _suggest(trial: "optuna.Trial") -> dict[str, Any]:
    return {
        name: trial.suggest_int(name, int(least), int(most), log=log)
        if name in WHOLE
        else trial.suggest_float(name, least, most, log=log)
        for name, (least, most, log) in SPACE.items()
    }


def train_booster(rows: Rows, tuned: Tuned) -> lgb.Booster:
    """A booster with the tuned parameters and number of trees.

    Its raw score is what the trees add to the start.
    """
    data = dataset(rows, tuned.params)
    return lgb.train(tuned.params, data, num_boost_round=tuned.n_trees)
