"""The churn model: LightGBM on behaviour, blended with the value model, calibrated out of time."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Self

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from patronage.errors import DataError
from patronage.models.churn_blend import CalibratedBlend, log_odds
from patronage.models.churn_tuning import FoldRows, Progress, Tuned, train_booster, tune
from patronage.models.panel_matrix import learn_categories, panel_matrix, places_of_texts
from patronage.models.time_folds import Fold, time_ordered_folds

if TYPE_CHECKING:
    import optuna

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]
P_NO_PURCHASE = "p_no_purchase"


class ChurnModel(BaseEstimator):  # type: ignore[misc]
    """Probability that an eligible customer makes no purchase in the horizon.

    Three steps, each on labels that its own inputs could not know. Optuna tunes LightGBM on
    time-ordered folds: in each fold all training labels are known on the day of the judging cutoff.
    The folds' predictions for their judging cutoffs, made by boosters that ended earlier, give the
    blend with `p_no_purchase` and its calibration. The final booster is trained on all cutoffs.

    Parameters
    ----------
    features
        Columns of the panel that the booster sees. `p_no_purchase` is not among them: it enters in
        the blend, where it did better than inside the booster on Online Retail II. A text is a
        categorical feature.
    label_days
        Lead plus horizon in days: so long after its cutoff a label is known.
    trials, seconds
        Bounds of the search; whichever is reached first ends it.
    n_folds
        The newest so many cutoffs judge; fewer where the history is short.
    seed
        Seed of the search and the booster.

    Attributes
    ----------
    booster_, blend_, tuned_
        The fitted parts.
    categories_
        The values that each text had at fit; any other counts as missing.
    folds_
        The cutoffs that trained and judged each fold.
    cutoffs_
        The cutoffs that trained the final booster, oldest first.
    """

    def __init__(
        self,
        features: Sequence[str],
        *,
        label_days: int,
        trials: int = 40,
        seconds: float = 20.0,
        n_folds: int = 4,
        seed: int = 0,
    ) -> None:
        self.features = features
        self.label_days = label_days
        self.trials = trials
        self.seconds = seconds
        self.n_folds = n_folds
        self.seed = seed

    def fit(
        self,
        panel: pd.DataFrame,
        churned: pd.Series,
        *,
        study: "optuna.Study | None" = None,
        progress: Progress | None = None,
    ) -> Self:
        """Tune, calibrate and train.

        Parameters
        ----------
        panel
            One row per eligible customer and cutoff: `as_of`, `features`, `p_no_purchase`.
        churned
            The label of each row of `panel`, 0 or 1.
        study
            Optuna study that keeps the trials; in memory by default.
        progress
            Called after each trial.

        Raises
        ------
        DataError
            If the cutoffs span less than one label, or all labels are the same.
        """
        _refuse_one_class(churned)
        as_of = panel["as_of"].dt.date
        self.cutoffs_ = tuple(sorted(set(as_of)))
        self.folds_ = time_ordered_folds(
            self.cutoffs_, label_days=self.label_days, count=self.n_folds
        )
        if not self.folds_:
            raise DataError(_too_short(self.cutoffs_, self.label_days))
        self._refuse_missing(panel)
        self.categories_ = learn_categories(panel, self.features)
        texts = places_of_texts(self.features, self.categories_)
        x, y = self._matrix(panel), churned.to_numpy(dtype=float)
        places = [_places(fold, as_of) for fold in self.folds_]
        rows = [FoldRows(x[train], y[train], x[judge], y[judge], texts) for train, judge in places]
        self.tuned_ = tune(
            rows,
            trials=self.trials,
            seconds=self.seconds,
            seed=self.seed,
            study=study,
            progress=progress,
        )
        said = np.concatenate([_out_of_time(fold, self.tuned_) for fold in rows])
        judged = np.concatenate([judge for _, judge in places])
        self._calibrate(said, panel.iloc[judged], y[judged])
        self.booster_ = train_booster(x, y, self.tuned_, texts)
        return self

    def predict_proba(self, panel: pd.DataFrame) -> pd.Series:
        """Calibrated probability of churn for each row of `panel`, on its index."""
        check_is_fitted(self, "booster_")
        p_booster = np.asarray(self.booster_.predict(self._matrix(panel)))
        p = self.blend_.predict_proba(p_booster, panel[P_NO_PURCHASE])
        return pd.Series(p, index=panel.index, name="p_churn")

    def contributions(self, panel: pd.DataFrame) -> pd.DataFrame:
        """What each feature adds to the log-odds of churn, relative to the average customer.

        Exact Shapley values of the booster (TreeSHAP), scaled by its weight in the blend; the
        blend's other part is added to `p_no_purchase`. One column per feature, on panel's index.
        """
        check_is_fitted(self, "booster_")
        shares = np.asarray(self.booster_.predict(self._matrix(panel), pred_contrib=True))[:, :-1]
        table = pd.DataFrame(shares, index=panel.index, columns=list(self.features))
        other = log_odds(panel[P_NO_PURCHASE]) - self.mean_log_odds_no_purchase_
        return (self.blend_.booster_weight_ * table).assign(
            **{P_NO_PURCHASE: self.blend_.p_no_purchase_weight_ * other}
        )

    def _matrix(self, panel: pd.DataFrame) -> FloatArray:
        self._refuse_missing(panel)
        return panel_matrix(panel, self.features, self.categories_)

    def _refuse_missing(self, panel: pd.DataFrame) -> None:
        wanted = [*self.features, P_NO_PURCHASE]
        missing = [name for name in wanted if name not in panel]
        if missing:
            raise DataError(
                f"the churn model needs {len(missing)} columns that the table lacks: "
                f"{', '.join(missing)}. Build it with build_panel of the same release, and add "
                f"{P_NO_PURCHASE} from the value model."
            )

    def _calibrate(self, said: FloatArray, judged: pd.DataFrame, churned: FloatArray) -> None:
        """Fit the blend on what boosters that ended earlier said about the judging cutoffs."""
        p_no_purchase = judged[P_NO_PURCHASE]
        self.mean_log_odds_no_purchase_ = float(log_odds(p_no_purchase).mean())
        self.blend_ = CalibratedBlend().fit(
            said,
            p_no_purchase,
            churned,
            cutoff=judged["as_of"],
            overlap=max(self.label_days / _step_days(self.cutoffs_), 1.0),
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
            "blend": self.blend_.to_dict(),
            "mean_log_odds_no_purchase": self.mean_log_odds_no_purchase_,
        }

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any], booster: str) -> Self:
        """The model that `to_dict` described, with the booster as LightGBM's text."""
        names = ("features", "label_days", "trials", "seconds", "n_folds", "seed")
        model = cls(**{name: numbers[name] for name in names})
        model.categories_ = dict(numbers.get("categories", {}))
        model.cutoffs_ = tuple(date.fromisoformat(day) for day in numbers["cutoffs"])
        model.blend_ = CalibratedBlend.from_dict(numbers["blend"])
        model.mean_log_odds_no_purchase_ = numbers["mean_log_odds_no_purchase"]
        model.booster_ = lgb.Booster(model_str=booster)
        return model


def _places(fold: Fold, as_of: pd.Series) -> tuple[Places, Places]:
    """Positions of the rows that train and of those that judge."""
    return (
        np.flatnonzero(as_of.isin(fold.train)),
        np.flatnonzero(as_of == fold.judge),
    )


def _out_of_time(fold: FoldRows, tuned: Tuned) -> FloatArray:
    """What a booster of the fold's training rows says about its judging rows."""
    booster = train_booster(fold.x_train, fold.y_train, tuned, fold.texts)
    return np.asarray(booster.predict(fold.x_judge), dtype=float)


def _step_days(cutoffs: Sequence[date]) -> float:
    """Mean number of days between neighbouring cutoffs; there are two at least."""
    return (cutoffs[-1] - cutoffs[0]).days / (len(cutoffs) - 1)


def _refuse_one_class(churned: pd.Series) -> None:
    rate = churned.mean()
    if rate in (0, 1) or len(churned) == 0:
        what = "no row" if len(churned) == 0 else "nobody" if rate == 0 else "everybody"
        raise DataError(
            f"the churn model cannot learn: of {len(churned):,} labelled rows, {what} churned. "
            "Choose another [churn] horizon_days, or give a longer history."
        )


def _too_short(cutoffs: Sequence[date], label_days: int) -> str:
    return (
        f"the churn model needs cutoffs at least {label_days} days apart (lead plus horizon), to "
        f"train on the earlier and judge on the later; there are {len(cutoffs)}, from "
        f"{cutoffs[0]} to {cutoffs[-1]}. Give a longer history, a shorter [churn] horizon_days, "
        "or cutoffs that reach further back: [churn] cutoffs, max_cutoffs."
    )
