"""Churn models of further horizons beside the main one: the same features, labels of their own.

The main horizon is what is tuned, what the gate judges and what the list goes by. A further one is
trained with the parameters found for it, on the same rows, and read off so that the chances of all
horizons agree; it changes nothing of the main one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from patronage.errors import DataError
from patronage.horizon_columns import horizon_columns
from patronage.models.churn import P_NO_PURCHASE, ChurnModel
from patronage.models.churn_evaluation import OURS, refuse_too_few
from patronage.models.evaluation import probability_metrics
from patronage.models.further_panel import FurtherPanel
from patronage.models.nested_chances import nested_chances

FloatArray = NDArray[np.float64]
Models = Mapping[int, ChurnModel]
FURTHER = "further_horizons"
"""Of a training run's metrics: what `judged_horizons` gives."""
FIX = "Leave it out of [churn] more_horizons_days, or bring more customers."


def fit_further(panel: pd.DataFrame, further: FurtherPanel, main: ChurnModel) -> Models:
    """A churn model for each further horizon, by its days.

    The parameters are the main model's; the number of trees is the horizon's own, and so is the
    calibration.

    Parameters
    ----------
    panel
        As `training_panel` makes it.
    further
        Labels and starts of the panel's rows.
    main
        Fitted.

    Raises
    ------
    DataError
        If everybody churned, or stayed, within one of the horizons.
    """
    models = {}
    for horizon, days in further.days.items():
        rows = further.rows_of(panel, horizon, days.train)
        _refuse_one_class(rows["churned"], horizon)
        own = clone(main).set_params(label_days=days.rule.label_days)
        models[horizon] = own.fit(rows, rows["churned"], found=main.tuned_)
    return models


def _refuse_one_class(churned: pd.Series, horizon: int) -> None:
    if churned.nunique() < 2:
        who = "everybody" if churned.all() else "nobody"
        raise DataError(
            f"churn in {horizon} days cannot be learnt: of {len(churned):,} labelled rows, {who} "
            f"churned. {FIX}"
        )


def further_chances(
    models: Models,
    features: pd.DataFrame,
    starts: Mapping[int, FloatArray],
    main: pd.DataFrame,
    *,
    main_days: int,
) -> pd.DataFrame:
    """Chance and interval of each further horizon, as they agree with the main one's.

    Parameters
    ----------
    models
        Fitted, by days of the horizon.
    features
        One row per eligible customer.
    starts
        P(no purchase) of each row, by days of the horizon.
    main
        `p_churn`, `p_churn_low` and `p_churn_high` of each row.
    main_days
        The main horizon.

    Returns
    -------
    DataFrame
        On the index of `features`: the columns `horizon_columns` of each horizon, shortest first.
        No chance is above that of a shorter horizon, the main one among them, and so are the ends
        of the intervals: see `nested_chances`.
    """
    own = {
        horizon: model.predict_interval(features.assign(**{P_NO_PURCHASE: starts[horizon]}))
        for horizon, model in models.items()
    }
    fixed = ("p_churn", "p_churn_low", "p_churn_high")
    p, low, high = (
        nested_chances(
            {horizon: one[name].to_numpy() for horizon, one in own.items()},
            main[name].to_numpy(),
            main_days=main_days,
        )
        for name in fixed
    )
    columns: dict[str, FloatArray] = {}
    for horizon in p:
        ends = np.minimum(low[horizon], p[horizon]), np.maximum(high[horizon], p[horizon])
        columns |= dict(zip(horizon_columns(horizon), (p[horizon], *ends), strict=True))
    return pd.DataFrame(columns, index=features.index)


def judged_horizons(
    models: Models,
    panel: pd.DataFrame,
    further: FurtherPanel,
    main: ChurnModel,
    *,
    main_days: int,
) -> dict[str, dict[str, Any]]:
    """How each further horizon did at its judging cutoff beside P(no purchase), for JSON.

    Of a horizon shorter than the main one, judged at the same cutoff, the chance as it is read off
    with the others; of a longer one its own model's, since at that earlier cutoff the main model
    has seen labels.

    Returns
    -------
    dict
        By the days of the horizon: `as_of`, `n` and `churn_rate` of the judging cutoff; `models`
        with the metrics of `patronage` and `p_no_purchase`; `moved`, the share of those rows whose
        chance is read off otherwise than its own model says; the `cutoffs` that trained, the
        number of `trees`, and the `calibration`.

    Raises
    ------
    DataError
        If hardly anybody churned, or stayed, of those judged.
    """
    return {
        str(horizon): _judged(models, panel, further, main, horizon, main_days)
        for horizon in sorted(models)
    }


def _judged(
    models: Models,
    panel: pd.DataFrame,
    further: FurtherPanel,
    main: ChurnModel,
    horizon: int,
    main_days: int,
) -> dict[str, Any]:
    days, model = further.days[horizon], models[horizon]
    rows = further.rows_of(panel, horizon, [days.judge])
    who = f"customers as of {days.judge}, for the horizon of {horizon} days"
    refuse_too_few(rows, who=who, remedy=FIX)
    own = model.predict_proba(rows).to_numpy()
    read = _read_off(models, panel, further, main, horizon, main_days)
    p = read if horizon < main_days else own
    scores = {OURS: p, P_NO_PURCHASE: rows[P_NO_PURCHASE]}
    return {
        "as_of": str(days.judge),
        "n": len(rows),
        "churn_rate": float(rows["churned"].mean()),
        "models": {name: probability_metrics(rows["churned"], p) for name, p in scores.items()},
        "moved": float((read != own).mean()),
        "cutoffs": [str(day) for day in model.cutoffs_],
        "trees": model.tuned_.n_trees,
        "calibration": model.calibration_.to_dict(),
    }


def _read_off(
    models: Models,
    panel: pd.DataFrame,
    further: FurtherPanel,
    main: ChurnModel,
    horizon: int,
    main_days: int,
) -> FloatArray:
    """The chance of a horizon at its judging cutoff, with all that have the same one."""
    judge = further.days[horizon].judge
    together = {h: m for h, m in models.items() if further.days[h].judge == judge}
    at_judge = panel["as_of"].dt.date == judge
    rows = panel[at_judge]
    starts = {h: further.starts[h][at_judge.to_numpy()] for h in together}
    read = further_chances(together, rows, starts, main.predict_interval(rows), main_days=main_days)
    return read[horizon_columns(horizon)[0]].to_numpy()
