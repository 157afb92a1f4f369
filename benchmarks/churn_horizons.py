"""Further churn horizons on Online Retail II, out of time, beside P(no purchase) in their days.

At each test cutoff of online_retail_churn.py everything is done as it would have been once its
label of 90 days was known: the main model on the cutoffs known at the test cutoff, further horizons
of 30, 60 and 120 days on the same rows. A shorter horizon is judged at the test cutoff, the longer
one a month or two before. The parameters are the fixed first set.

    python benchmarks/churn_horizons.py [SETTINGS]

SETTINGS is as in online_retail_churn.py. It writes benchmarks/results/churn_horizons.json: for each
horizon the share that left, what was predicted, log loss and AUC of both, the log loss with the
level of the judging cutoff known, and the share of rows that are read off otherwise than their own
model says.
"""

import json
import os
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pandas as pd
from machine import machine
from online_retail_churn import CUTOFFS, RULE, SETTINGS, TESTS, read_days

from patronage.features import DayTable, features_of
from patronage.models import PurchaseSeason
from patronage.models.choose_purchases import choose_purchases
from patronage.models.churn import ChurnModel
from patronage.models.fold_booster import shifted_log_loss
from patronage.models.further_horizons import Models, fit_further, judged_horizons
from patronage.models.further_panel import FurtherPanel, days_of_horizons
from patronage.models.time_folds import mature_at
from patronage.models.training_panel import training_panel

RESULT = Path(__file__).parent / "results" / "churn_horizons.json"
HORIZONS = (30, 60, 120)


def main(settings: Path = SETTINGS) -> None:
    """Judge every horizon at all test cutoffs and write the result."""
    days = read_days(settings)
    by_cutoff = {}
    for cutoff in TESTS:
        by_cutoff[str(cutoff)] = judge(days, cutoff)
        print(cutoff, json.dumps(by_cutoff[str(cutoff)]), flush=True)
    result = {"mean": mean(by_cutoff), "by_cutoff": by_cutoff, "machine": machine()}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["mean"], indent=2))


def judge(days: DayTable, test: date) -> dict[str, Any]:
    """Every further horizon, by its days, and the seconds that all of them took."""
    data_end = test + timedelta(days=RULE.label_days)
    cutoffs = [cutoff for cutoff in CUTOFFS if cutoff <= test]
    known = mature_at(cutoffs, day=test, label_days=RULE.label_days)
    choice = choose_purchases(
        days, cutoff=known[-1], horizon_days=RULE.label_days, season=PurchaseSeason()
    )
    asked = {"rule": RULE, "data_end": data_end}
    panel = training_panel(days, cutoffs=cutoffs, purchases=choice.model, **asked)
    learn = panel[panel["as_of"].dt.date.isin(known)].reset_index(drop=True)
    names = [one.name for one in features_of(days) if learn[one.name].notna().any()]
    main_model = ChurnModel(names, label_days=RULE.label_days, trials=1)
    main_model.fit(learn, learn["churned"])
    start = time.perf_counter()
    further = FurtherPanel.of(
        panel,
        days,
        days_of_horizons(cutoffs, HORIZONS, **asked),
        purchases=choice.model,
        data_end=data_end,
    )
    models = fit_further(panel, further, main_model)
    seconds = time.perf_counter() - start
    found = judged_horizons(models, panel, further, main_model, main_days=RULE.horizon_days)
    levels = level_known(models, panel, further)
    return {
        "seconds": round(seconds, 1),
        **{horizon: in_short(one) | levels[horizon] for horizon, one in found.items()},
    }


def in_short(found: dict[str, Any]) -> dict[str, Any]:
    """The figures of one horizon that are compared."""
    ours, start = found["models"]["patronage"], found["models"]["p_no_purchase"]
    return {
        "as_of": found["as_of"],
        "churn_rate": found["churn_rate"],
        "predicted": ours["mean_predicted"],
        "predicted_p_no_purchase": start["mean_predicted"],
        "log_loss": ours["log_loss"],
        "log_loss_p_no_purchase": start["log_loss"],
        "auc": ours["auc"],
        "auc_p_no_purchase": start["auc"],
        "moved": found["moved"],
        "trees": found["trees"],
    }


def level_known(
    models: Models, panel: pd.DataFrame, further: FurtherPanel
) -> dict[str, dict[str, float]]:
    """Log loss of each horizon's own model and of its start, the level of the day known."""
    found = {}
    for horizon, model in models.items():
        rows = further.rows_of(panel, horizon, [further.days[horizon].judge])
        churned = rows["churned"].to_numpy(dtype=float)
        p, start = model.predict_proba(rows).to_numpy(), rows["p_no_purchase"].to_numpy()
        found[str(horizon)] = {
            "log_loss_level_known": shifted_log_loss(churned, p),
            "log_loss_level_known_p_no_purchase": shifted_log_loss(churned, start),
        }
    return found


def mean(by_cutoff: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Of each horizon the mean of every figure over the test cutoffs, and where it was ahead."""
    found = {}
    for horizon in map(str, HORIZONS):
        table = pd.DataFrame([one[horizon] for one in by_cutoff.values()])
        ahead = table["log_loss"] < table["log_loss_p_no_purchase"]
        off = (table["predicted"] - table["churn_rate"]).abs()
        means = table.drop(columns="as_of").mean().to_dict()
        found[horizon] = means | {"ahead_at": int(ahead.sum()), "of": len(table)}
        found[horizon]["level_off"] = float(off.mean())
    return found


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
