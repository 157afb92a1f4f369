"""What a search for LightGBM's parameters brings, by its budget, on Online Retail II out of time.

At each test cutoff of online_retail_churn.py one search of 40 trials, none cut short, on the
time-ordered folds that a training would use. For every budget the best trial so far is trained on
all rows and judged on the test cutoff. The losses of all trials on all folds also tell what cutting
trials short would have saved and cost, the folds from old to new as they are or from new to old.
Last, the mean of four boosters of other seeds with the fixed first parameters.

    python benchmarks/churn_tuning.py [SETTINGS]

SETTINGS is as in online_retail_churn.py. It writes benchmarks/results/churn_tuning.json.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import optuna
import pandas as pd
from machine import machine
from numpy.typing import NDArray
from online_retail_churn import CUTOFFS, DATA_END, RULE, SETTINGS, TESTS, read_days
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from patronage.features import DayTable, features_of
from patronage.models import PurchaseSeason
from patronage.models.choose_purchases import choose_purchases
from patronage.models.churn import ChurnModel, fold_rows
from patronage.models.churn_tuning import (
    FIRST_TRIAL,
    LEAST_GAIN,
    PRUNED_AFTER,
    Tuned,
    fold_objective,
    train_booster,
)
from patronage.models.fold_booster import FIXED, FoldRows, Rows, shifted_log_loss
from patronage.models.panel_matrix import learn_categories
from patronage.models.time_folds import mature_at, time_ordered_folds
from patronage.models.training_panel import training_panel

FloatArray = NDArray[np.float64]
RESULT = Path(__file__).parent / "results" / "churn_tuning.json"
BUDGETS = (1, 5, 10, 20, 40)
FOLDS = 4
SEEDS = 4


@dataclass(frozen=True)
class Question:
    """Folds to search on, all rows to train on, later rows to judge on."""

    folds: list[FoldRows]
    train: Rows
    test: Rows


def main(settings: Path = SETTINGS) -> None:
    """Search at all test cutoffs and write the result."""
    days = read_days(settings)
    by_cutoff = {}
    for cutoff in TESTS:
        by_cutoff[str(cutoff)] = judge(question(days, cutoff))
        print(cutoff, json.dumps(by_cutoff[str(cutoff)]), flush=True)
    result = {"mean": mean(list(by_cutoff.values())), "by_cutoff": by_cutoff, "machine": machine()}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["mean"], indent=2))


def question(days: DayTable, cutoff: date) -> Question:
    """What a training on the day of the test cutoff would search on."""
    known = mature_at(CUTOFFS, day=cutoff, label_days=RULE.label_days)
    choice = choose_purchases(
        days, cutoff=known[-1], horizon_days=RULE.label_days, season=PurchaseSeason()
    )
    panel = training_panel(
        days, cutoffs=[*known, cutoff], rule=RULE, data_end=DATA_END, purchases=choice.model
    )
    is_test = panel["as_of"].dt.date == cutoff
    learn, test = (panel[rows].reset_index(drop=True) for rows in (~is_test, is_test))
    names = [one.name for one in features_of(days) if learn[one.name].notna().any()]
    return as_rows(names, learn, test)


def as_rows(names: list[str], learn: pd.DataFrame, test: pd.DataFrame) -> Question:
    """The panels as the booster takes them."""
    model = ChurnModel(names, label_days=RULE.label_days)
    model.categories_ = learn_categories(learn, names)
    rows = model.rows(learn, learn["churned"])
    as_of = learn["as_of"].dt.date
    folds = time_ordered_folds(tuple(as_of.unique()), label_days=RULE.label_days, count=FOLDS)
    return Question(
        [fold_rows(fold, as_of, rows) for fold in folds], rows, model.rows(test, test["churned"])
    )


def judge(asked: Question) -> dict[str, Any]:
    """Budgets, pruning and seeds at one test cutoff."""
    start = time.perf_counter()
    trials = search(asked)
    seconds = time.perf_counter() - start
    losses = np.array([trial.user_attrs["fold_losses"] for trial in trials])
    return {
        "seconds_per_trial": seconds / len(trials),
        "budgets": {str(n): at_budget(asked, trials[:n]) for n in BUDGETS},
        "taken_by_rule": bool(losses[0].mean() - losses.mean(axis=1).min() >= LEAST_GAIN),
        "pruned_old_to_new": pruned(losses),
        "pruned_new_to_old": pruned(losses[:, ::-1]),
        "mean_of_seeds": seeds(asked, trials[0]),
    }


def search(asked: Question) -> list[optuna.trial.FrozenTrial]:
    """All trials, none cut short."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rng = np.random.default_rng(0)
    folds = [fold.some(rng) for fold in asked.folds]
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0), pruner=optuna.pruners.NopPruner()
    )
    study.enqueue_trial(FIRST_TRIAL)
    study.optimize(fold_objective(folds, {**FIXED, "seed": 0}), n_trials=max(BUDGETS))
    return list(study.trials)


def at_budget(asked: Question, trials: list[optuna.trial.FrozenTrial]) -> dict[str, float]:
    """The best trial so far: loss on the folds, loss and AUC out of time."""
    best = min(trials, key=lambda trial: trial.value or 0.0)
    odds = asked.test.start + trees(asked, best, seed=0)
    return {"folds": float(best.value or 0.0), **out_of_time(asked.test.y, odds)}


def seeds(asked: Question, trial: optuna.trial.FrozenTrial) -> dict[str, float]:
    """The mean of boosters that differ in their seed."""
    each = [trees(asked, trial, seed=seed) for seed in range(SEEDS)]
    return out_of_time(asked.test.y, asked.test.start + np.mean(each, axis=0))


def trees(asked: Question, trial: optuna.trial.FrozenTrial, *, seed: int) -> FloatArray:
    """What a booster with the trial's parameters adds for the test rows."""
    params = {**FIXED, **trial.params, "seed": seed}
    tuned = Tuned(params, trial.user_attrs["n_trees"], trial.value or 0.0)
    booster = train_booster(asked.train, tuned)
    return np.asarray(booster.predict(asked.test.x, raw_score=True), dtype=float)


def out_of_time(y: FloatArray, odds: FloatArray) -> dict[str, float]:
    """Log loss after the best common shift, and AUC."""
    return {
        "test_log_loss": shifted_log_loss(y, expit(odds)),
        "test_auc": float(roc_auc_score(y, odds)),
    }


def pruned(losses: FloatArray) -> dict[str, float]:
    """What cutting short below the median would have saved in folds, and lost in nats."""
    so_far = np.cumsum(losses, axis=1) / np.arange(1, losses.shape[1] + 1)
    reached = np.zeros(losses.shape, dtype=bool)
    for row in range(len(losses)):
        done = reached[:row].all(axis=1)
        for fold in range(losses.shape[1]):
            reached[row, fold] = True
            others = so_far[:row, fold][reached[:row, fold]]
            if done.sum() >= PRUNED_AFTER and so_far[row, fold] > np.median(others):
                break
    kept = losses[reached.all(axis=1)].mean(axis=1)
    return {
        "folds_saved": float(1 - reached.mean()),
        "lost": float(kept.min() - losses.mean(axis=1).min()),
    }


def mean(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean of every number over the cutoffs."""
    first = results[0]
    return {
        key: mean([one[key] for one in results])
        if isinstance(first[key], dict)
        else float(np.mean([one[key] for one in results]))
        for key in first
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
