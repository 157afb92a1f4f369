"""The churn model: trees that start from the value model's P(no purchase), calibrated later."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError
from patronage.models.churn_calibration import ChurnCalibration, judged_rows, log_odds
from patronage.models.churn_start import Start, choose_start
from patronage.models.churn_tuning import Progress, Tuned, train_booster, tune, untuned
from patronage.models.equal_rows import stratified_row_folds
from patronage.models.fold_booster import FoldRows, Rows
from patronage.models.monotone import constraints
from patronage.models.panel_matrix import learn_categories, panel_matrix, places_of_texts
from patronage.models.time_folds import Fold, time_ordered_folds

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]
P_NO_PURCHASE = "p_no_purchase"
AS_OF = "as_of"
JUDGED = 8
"""Cutoffs that may calibrate, the newest first; each costs one booster."""
ROW_FOLDS = 5
"""Folds of rows without time."""


class ChurnModel(BaseEstimator):  # type: ignore[misc]
    """Probability that an eligible customer makes no purchase in the horizon.

    Three steps, each on labels that its own inputs could not know. Optuna tunes LightGBM on
    time-ordered folds: in each fold all training labels are known on the day of the judging cutoff.
    Boosters that ended earlier score the judging cutoffs, and these scores calibrate. The final
    booster is trained on all cutoffs.

    Every booster starts from logit `p_no_purchase` of the same row (LightGBM's initial score), so
    that the trees learn only what the value model does not know: its season, its regularity, its
    level are kept. How far it is followed, all the way or part of it, is chosen at earlier cutoffs
    (`choose_start`): on Online Retail II all the way, on The Complete Journey a quarter.

    Without the column `p_no_purchase`, as in a table of customers with a given label, the boosters
    start from the share that churned. Without `as_of` there is no time: the folds are drawn at
    random, each with its share of churners, and equal rows share a fold.

    Parameters
    ----------
    features
        Columns of the panel that the trees see. A text is a categorical feature.
    label_days
        Lead plus horizon in days: so long after its cutoff a label is known. 0 without time.
    trials, seconds
        Bounds of the search; whichever is reached first ends it.
    n_folds
        The newest so many cutoffs judge the search; fewer where the history is short. Up to
        `JUDGED` calibrate.
    monotone
        Hold the trees to what theory says of a feature's direction: see `constraints`.
    from_value_model
        False: boosters start from the share that churned, although `p_no_purchase` is there. It
        says nothing of whether a contract will be renewed.
    seed
        Seed of the search and the booster.

    Attributes
    ----------
    booster_, calibration_, tuned_
        The fitted parts.
    categories_
        The values that each text had at fit; any other counts as missing.
    folds_
        The cutoffs that trained and judged each fold, oldest first; none without time.
    cutoffs_
        The cutoffs that trained the final booster, oldest first; none without time.
    start_
        How far the boosters follow `p_no_purchase`, and where they start from otherwise.
    """

    cutoffs_: tuple[date, ...]
    folds_: tuple[Fold, ...]
    start_: Start

    def __init__(
        self,
        features: Sequence[str],
        *,
        label_days: int,
        trials: int = 15,
        seconds: float = 20.0,
        n_folds: int = 4,
        monotone: bool = False,
        from_value_model: bool = True,
        seed: int = 0,
    ) -> None:
        self.features = features
        self.label_days = label_days
        self.trials = trials
        self.seconds = seconds
        self.n_folds = n_folds
        self.monotone = monotone
        self.from_value_model = from_value_model
        self.seed = seed

    def fit(
        self,
        panel: pd.DataFrame,
        churned: pd.Series,
        *,
        kept_in: Path | None = None,
        warm: Sequence[Mapping[str, Any]] = (),
        progress: Progress | None = None,
        found: Tuned | None = None,
    ) -> Self:
        """Tune, calibrate and train.

        Parameters
        ----------
        panel
            One row per eligible customer and cutoff: `features`; `as_of` and `p_no_purchase`, or
            neither, or one of them.
        churned
            The label of each row of `panel`, 0 or 1.
        kept_in, warm, found
            Where the trials are kept, parameters to try early, and those to take: see `tune`.
        progress
            Called after each trial.

        Raises
        ------
        DataError
            If the cutoffs span less than one label, or all labels are the same.
        """
        _refuse_one_class(churned, in_time=AS_OF in panel)
        with_start = self.from_value_model and P_NO_PURCHASE in panel
        self.start_ = Start(float(log_odds(churned.mean())), 1.0 if with_start else 0.0, {})
        self._refuse_missing(panel)
        self.categories_ = learn_categories(panel, self.features)
        rows = self.rows(panel, churned)
        folds = self._folds(panel, churned, rows)
        judges = [fold.judge for fold in self.folds_] or [*range(len(folds))]
        if with_start:
            self.start_ = self._chosen_start(folds, judges)
            rows = self.start_.rows(rows)
            folds = [replace(fold, rows=rows) for fold in folds]
        self.tuned_ = tune(
            folds[-self.n_folds :] if self.cutoffs_ else folds,
            trials=self.trials,
            seconds=self.seconds,
            seed=self.seed,
            constraints=self._constraints(),
            kept_in=kept_in,
            warm=warm,
            progress=progress,
            found=found,
        )
        judged = judged_rows(folds, judges, lambda fold: _out_of_time(fold, self.tuned_))
        self.calibration_ = self._calibration().fit(judged)
        self.booster_ = train_booster(rows, self.tuned_)
        self.mean_start_ = float(rows.start.mean())
        return self

    def predict_proba(self, panel: pd.DataFrame) -> pd.Series:
        """Calibrated probability of churn for each row of `panel`, on its index."""
        return pd.Series(expit(self._log_odds(panel)), index=panel.index, name="p_churn")

    def predict_interval(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Probability of churn and the 90 % interval of the rate among customers like each.

        Columns `p_churn`, `p_churn_low` and `p_churn_high`, on the index of `panel`; see
        `ChurnCalibration.interval`.
        """
        odds = self._log_odds(panel)
        low, high = self.calibration_.interval(odds)
        columns = {"p_churn": expit(odds), "p_churn_low": low, "p_churn_high": high}
        return pd.DataFrame(columns, index=panel.index)

    def contributions(self, panel: pd.DataFrame) -> pd.DataFrame:
        """What each feature adds to the log-odds of churn, relative to the average customer.

        Exact Shapley values of the trees (TreeSHAP), and what the start adds as `p_no_purchase`,
        scaled as the calibration bends them. One column per feature, on panel's index; without
        `p_no_purchase` where the model was trained without.
        """
        check_is_fitted(self, "booster_")
        start = self._start(panel)
        shap = np.asarray(self.booster_.predict(self._matrix(panel), pred_contrib=True))
        trees, usual = shap[:, :-1], shap[:, -1]
        start_weight, trees_weight = self.calibration_.weights(
            start, shap.sum(axis=1), self.mean_start_, usual
        )
        table = pd.DataFrame(trees, index=panel.index, columns=list(self.features))
        table = table.mul(trees_weight, axis=0)
        if not self.start_.weight:
            return table
        return table.assign(**{P_NO_PURCHASE: start_weight * (start - self.mean_start_)})

    @property
    def inputs(self) -> list[str]:
        """The columns of a panel that a fitted model asks for."""
        start = [P_NO_PURCHASE] if self.start_.weight else []
        return [*self.features, *start]

    def _log_odds(self, panel: pd.DataFrame) -> FloatArray:
        check_is_fitted(self, "booster_")
        trees = np.asarray(self.booster_.predict(self._matrix(panel), raw_score=True))
        return self.calibration_.predict_log_odds(self._start(panel), trees)

    def _start(self, panel: pd.DataFrame) -> FloatArray:
        if not self.start_.weight:
            return np.full(len(panel), self.start_.base_odds)
        return self.start_.odds(panel[P_NO_PURCHASE])

    def _chosen_start(self, folds: Sequence[FoldRows], judges: Sequence[Any]) -> Start:
        return choose_start(
            folds,
            judges,
            base_odds=self.start_.base_odds,
            params=untuned(self.seed, self._constraints()),
            calibration=self._calibration(),
            seed=self.seed,
        )

    def _calibration(self) -> ChurnCalibration:
        """Unfitted."""
        overlap = self.label_days / _step_days(self.cutoffs_) if self.cutoffs_ else 1.0
        return ChurnCalibration(label_days=self.label_days, overlap=max(overlap, 1.0))

    def _constraints(self) -> Sequence[int]:
        return constraints(self.features) if self.monotone else ()

    def _folds(self, panel: pd.DataFrame, churned: pd.Series, rows: Rows) -> list[FoldRows]:
        """Rows that train and rows that judge: later ones, or without time other ones."""
        if AS_OF not in panel:
            self.cutoffs_, self.folds_ = (), ()
            drawn = stratified_row_folds(
                panel[list(self.features)], churned, count=ROW_FOLDS, seed=self.seed
            )
            return [FoldRows(rows, fold.train, fold.judge) for fold in drawn]
        as_of = panel[AS_OF].dt.date
        self.cutoffs_ = tuple(sorted(set(as_of)))
        self.folds_ = time_ordered_folds(self.cutoffs_, label_days=self.label_days, count=JUDGED)
        if not self.folds_:
            raise DataError(_too_short(self.cutoffs_, self.label_days))
        return [fold_rows(fold, as_of, rows) for fold in self.folds_]

    def rows(self, panel: pd.DataFrame, churned: pd.Series) -> Rows:
        """The panel's rows as the booster takes them."""
        texts = places_of_texts(self.features, self.categories_)
        y = churned.to_numpy(dtype=float)
        return Rows(self._matrix(panel), y, self._start(panel), texts)

    def _matrix(self, panel: pd.DataFrame) -> FloatArray:
        self._refuse_missing(panel)
        return panel_matrix(panel, self.features, self.categories_)

    def _refuse_missing(self, panel: pd.DataFrame) -> None:
        missing = [name for name in self.inputs if name not in panel]
        if missing:
            raise DataError(
                f"the churn model needs {len(missing)} columns that the table lacks: "
                f"{', '.join(missing)}. Build it with build_panel of the same release, and add "
                f"{P_NO_PURCHASE} from the value model."
            )

    def to_dict(self) -> dict[str, Any]:
        """All but the booster, for JSON."""
        check_is_fitted(self, "booster_")
        return {
            **self.get_params(),
            "features": list(self.features),
            "categories": self.categories_,
            "cutoffs": [str(day) for day in self.cutoffs_],
            "folds": [
                {"train": [str(day) for day in fold.train], "judge": str(fold.judge)}
                for fold in self.folds_
            ],
            "calibration": self.calibration_.to_dict(),
            "mean_start": self.mean_start_,
            "start": self.start_.to_dict(),
            "booster": _digest(self.booster_.model_to_string()),
        }

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any], booster: str) -> Self:
        """The model that `to_dict` described, with the booster as LightGBM's text.

        Raises
        ------
        DataError
            If the text is not that of the model's booster: LightGBM ends the process on some.
        """
        if numbers.get("booster", _digest(booster)) != _digest(booster):
            raise DataError("the booster's text is cut off, or that of another model")
        names = ("features", "label_days", "trials", "seconds", "n_folds", "monotone")
        model = cls(**{name: numbers[name] for name in (*names, "from_value_model", "seed")})
        model.categories_ = dict(numbers["categories"])
        model.cutoffs_ = tuple(date.fromisoformat(day) for day in numbers["cutoffs"])
        model.calibration_ = ChurnCalibration.from_dict(numbers["calibration"])
        model.mean_start_ = numbers["mean_start"]
        model.start_ = Start.from_dict(numbers["start"])
        model.booster_ = lgb.Booster(model_str=booster)
        return model


def fold_rows(fold: Fold, as_of: pd.Series, rows: Rows) -> FoldRows:
    """The rows of a fold in a panel whose cutoffs are `as_of`."""
    train, judge = as_of.isin(fold.train), as_of == fold.judge
    return FoldRows(rows, np.flatnonzero(train), np.flatnonzero(judge))


def _digest(booster: str) -> str:
    return sha256(booster.encode()).hexdigest()


def _out_of_time(fold: FoldRows, tuned: Tuned) -> FloatArray:
    """What the trees of the fold's training rows add for its judging rows."""
    booster = train_booster(fold.train, tuned)
    return np.asarray(booster.predict(fold.judge.x, raw_score=True), dtype=float)


def _step_days(cutoffs: Sequence[date]) -> float:
    """Mean number of days between neighbouring cutoffs; there are two at least."""
    return (cutoffs[-1] - cutoffs[0]).days / (len(cutoffs) - 1)


def _refuse_one_class(churned: pd.Series, *, in_time: bool) -> None:
    rate = churned.mean()
    if rate in (0, 1) or len(churned) == 0:
        what = "no row" if len(churned) == 0 else "nobody" if rate == 0 else "everybody"
        raise DataError(
            f"the churn model cannot learn: of {len(churned):,} labelled rows, {what} churned. "
            + (
                "Choose another [churn] horizon_days, or give a longer history."
                if in_time
                else "Bring rows of both kinds, and look at what says who churned."
            )
        )


def _too_short(cutoffs: Sequence[date], label_days: int) -> str:
    return (
        f"the churn model needs cutoffs at least {label_days} days apart (lead plus horizon), to "
        f"train on the earlier and judge on the later; there are {len(cutoffs)}, from "
        f"{cutoffs[0]} to {cutoffs[-1]}. Give a longer history, a shorter [churn] horizon_days, "
        "or cutoffs that reach further back: [churn] cutoffs, max_cutoffs."
    )
