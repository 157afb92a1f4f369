"""What the search for parameters brought over the set that it starts from."""

from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy.special import expit

from patronage.models.churn import ChurnModel
from patronage.models.churn_tuning import train_booster
from patronage.models.fold_booster import Rows, shifted_log_loss


def tuning_gain(model: ChurnModel, learn: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """Log loss by the fixed first trial and by the parameters taken, on the folds and out of time.

    Before calibration, after the best common shift of each judging cutoff's log-odds, as the search
    sees it; out of time means on rows that neither search nor training has seen.

    Parameters
    ----------
    model
        Fitted on `learn`.
    learn, test
        Labelled panels, as `ChurnModel.fit` takes them, with `churned`.

    Returns
    -------
    dict
        `trials`, `pruned`, `best_trial`, the lowest loss on the folds `best_on_folds`, whether that
        trial was `taken`, and of the `folds` and the `test` cutoff the loss of the `untuned` and
        the `tuned`.
    """
    tuned, untuned = model.tuned_, model.tuned_.untuned or model.tuned_
    judge = model.rows(test, test["churned"])
    after = _loss(model.booster_, judge)
    taken = tuned.params != untuned.params
    train = model.rows(learn, learn["churned"]) if taken else judge
    finished = [trial for trial in tuned.trials if trial["log_loss"] is not None]
    best = min(finished, key=lambda trial: float(trial["log_loss"]))
    return {
        "trials": len(tuned.trials),
        "pruned": sum("n_trees" not in trial for trial in tuned.trials),
        "best_trial": best["number"],
        "best_on_folds": best["log_loss"],
        "taken": taken,
        "folds": {"untuned": untuned.log_loss, "tuned": tuned.log_loss},
        "test": {
            "untuned": _loss(train_booster(train, untuned), judge) if taken else after,
            "tuned": after,
        },
    }


def _loss(booster: lgb.Booster, judge: Rows) -> float:
    trees = np.asarray(booster.predict(judge.x, raw_score=True))
    return shifted_log_loss(judge.y, expit(judge.start + trees))
