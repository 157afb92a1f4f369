"""Rolling origin: at each of many past days the churn model is trained and judged by what came.

At each test cutoff everything is done as it would have been on that day: the model of purchases is
chosen, its season learnt, the panel made, the trees tuned, calibrated and trained, and the
baselines fitted, all on what was known then.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sklearn.base import clone

from patronage.errors import DataError
from patronage.features import CustomerTables, DayTable, features_of
from patronage.features.customer_tables import as_customer_tables
from patronage.features.panel_cache import PanelCache
from patronage.models.choose_purchases import choose_purchases
from patronage.models.churn import ChurnModel
from patronage.models.churn_backtest_result import ChurnBacktest, CutoffJudged
from patronage.models.churn_baselines import PlainLightGBM, RFMRegression
from patronage.models.churn_evaluation import OURS, RULE, evaluate
from patronage.models.clustered_bootstrap import MEAN, paired_differences
from patronage.models.evaluation import metrics_table
from patronage.models.purchase_season import PurchaseSeason
from patronage.models.time_folds import mature_at, time_ordered_folds
from patronage.models.training_panel import MAX_ROWS, LabelRule, training_panel

log = logging.getLogger(__name__)
RFM_REGRESSION, PLAIN_TREES = "logistic_rfm", "plain_lightgbm"
OF_PURCHASES = ("recency", RULE, "one_minus_p_alive")
"""Baselines that say nothing of contracts."""
Told = Callable[[int, int, CutoffJudged], None]
"""Called after each cutoff with how many are done, of how many, and what was found."""


def backtest_churn(
    tables: DayTable | CustomerTables,
    *,
    cutoffs: Sequence[date],
    rule: LabelRule,
    data_end: date,
    model: ChurnModel,
    tests: Sequence[date] | None = None,
    season: PurchaseSeason | None = None,
    max_cutoffs: int | None = None,
    max_rows: int = MAX_ROWS,
    cache: PanelCache | None = None,
    told: Told | None = None,
) -> ChurnBacktest:
    """Train and judge at every test cutoff as on that day.

    Parameters
    ----------
    tables
        The customer days, or all customer tables.
    cutoffs
        Days to learn at; each test cutoff takes those whose labels were known on it.
    rule, data_end, max_rows, cache
        As `training_panel` takes them.
    model
        Unfitted; its features are set at each cutoff to those that have a value.
    tests
        Days to judge at; by default all of `cutoffs` that have enough before them
        (`testable_cutoffs`).
    season
        To try the model of purchases with; None for none.
    max_cutoffs
        A training reaches back over so many cutoffs, the test cutoff among them; all by default.
    told
        Called after each cutoff.

    Raises
    ------
    DataError
        If a label is not known yet, no cutoff has enough history, or none can be judged.
    """
    tables = as_customer_tables(tables)
    days = _with_history(cutoffs, tests, rule)
    found: list[CutoffJudged] = []
    left_out: dict[date, str] = {}
    for place, test in enumerate(days):
        start = time.perf_counter()
        known = _known(cutoffs, test, rule, max_cutoffs)
        try:
            judged = _judge(tables, test, known, rule, data_end, model, season, max_rows, cache)
        except DataError as error:
            log.warning("test cutoff %s is left out: %s", test, error)
            left_out[test] = str(error)
            continue
        found.append(CutoffJudged(**judged, seconds=round(time.perf_counter() - start, 1)))
        if told is not None:
            told(place + 1, len(days), found[-1])
    if not found:
        raise DataError(
            f"at none of the {len(days)} test cutoffs could the model be judged. "
            f"{days[-1]}: {left_out[days[-1]]}"
        )
    return ChurnBacktest(cutoffs=tuple(found), differences=_differences(found), left_out=left_out)


def testable_cutoffs(cutoffs: Sequence[date], *, label_days: int) -> tuple[date, ...]:
    """The cutoffs that a model can be trained for: earlier ones train it and judge its tuning."""
    return tuple(day for day in sorted(set(cutoffs)) if _enough(cutoffs, day, label_days))


def _judge(
    tables: CustomerTables,
    test: date,
    known: Sequence[date],
    rule: LabelRule,
    data_end: date,
    model: ChurnModel,
    season: PurchaseSeason | None,
    max_rows: int,
    cache: PanelCache | None,
) -> dict[str, Any]:
    """Everything trained on what was known at the test cutoff, and judged on its rows."""
    choice = choose_purchases(
        tables.days, cutoff=known[-1], horizon_days=rule.label_days, season=season
    )
    panel = training_panel(
        tables,
        cutoffs=[*known, test],
        rule=rule,
        data_end=data_end,
        purchases=choice.model,
        max_rows=max_rows,
        cache=cache,
    )
    is_test = panel["as_of"].dt.date == test
    learn, later = (panel[rows].reset_index(drop=True) for rows in (~is_test, is_test))
    features = [f.name for f in features_of(tables) if learn[f.name].notna().any()]
    fitted = clone(model).set_params(features=features).fit(learn, learn["churned"])
    scores = evaluate(fitted, train=learn, test=later, features=features).scores
    scores = scores.assign(**_more_baselines(learn, later, features))
    if rule.is_contractual:  # who is away for long may well have a contract for a year
        scores = scores.drop(columns=list(OF_PURCHASES))
    names = [name for name in scores if name not in ("customer_id", "churned")]
    return {
        "cutoff": test,
        "trained_on": fitted.cutoffs_,
        "purchases": str(choice.model),
        "metrics": metrics_table(scores["churned"], scores[names]),
        "scores": scores.join(fitted.predict_interval(later)[["p_churn_low", "p_churn_high"]]),
    }


def _more_baselines(
    learn: pd.DataFrame, test: pd.DataFrame, features: Sequence[str]
) -> dict[str, Any]:
    """What a training is not held up for: a regression on RFM alone, and plain trees."""
    regression = RFMRegression().fit(learn, learn["churned"])
    trees = PlainLightGBM().fit(learn[list(features)], learn["churned"])
    return {
        RFM_REGRESSION: regression.predict_proba(test),
        PLAIN_TREES: trees.predict_proba(test[list(features)]),
    }


def _known(
    cutoffs: Sequence[date], test: date, rule: LabelRule, max_cutoffs: int | None
) -> tuple[date, ...]:
    """The cutoffs whose labels are known at the test cutoff, of the newest before it."""
    before = sorted({day for day in cutoffs if day < test})
    newest = before if max_cutoffs is None else before[-(max_cutoffs - 1) :]
    return mature_at(newest, day=test, label_days=rule.label_days)


def _enough(cutoffs: Sequence[date], test: date, label_days: int) -> bool:
    known = mature_at(cutoffs, day=test, label_days=label_days)
    return bool(time_ordered_folds(known, label_days=label_days, count=1))


def _with_history(
    cutoffs: Sequence[date], tests: Sequence[date] | None, rule: LabelRule
) -> tuple[date, ...]:
    """The test cutoffs; refused where one was asked for that has too little before it."""
    days = testable_cutoffs(cutoffs, label_days=rule.label_days)
    wanted = days if tests is None else tuple(sorted(set(tests)))
    early = [str(day) for day in wanted if not _enough(cutoffs, day, rule.label_days)]
    if wanted and not early:
        return wanted
    first, newest = min(cutoffs), max(cutoffs)
    needed = first + timedelta(days=2 * rule.label_days)
    told = (
        f"test cutoffs have too little history: {', '.join(early)}"
        if early
        else ("the history is too short for a backtest of churn")
    )
    raise DataError(
        f"{told}. A test needs two earlier cutoffs {rule.label_days} days apart (lead plus "
        f"horizon) whose labels were known by then; cutoffs begin on {first}, so the first day "
        f"that can be judged is about {needed}, and the newest label known is that of {newest}. "
        "Bring a longer history, a shorter [churn] horizon_days, or closer cutoffs: --cutoffs."
    )


def _differences(found: Sequence[CutoffJudged]) -> pd.DataFrame:
    rivals = [name for name in found[0].metrics if name != OURS]
    table = paired_differences([one.scores for one in found], ours=OURS, rivals=rivals)
    names = {place: one.cutoff for place, one in enumerate(found)} | {MEAN: MEAN}
    return table.assign(cutoff=table["cutoff"].map(names))
