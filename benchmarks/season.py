"""P(no purchase) with and without a season, on Online Retail II, out of time.

At ten monthly cutoffs from 2010-12-10, BG/NBD is fitted on the past alone, plain and with a learned
season; both are asked for the next 90 days of the customers who bought in the last 365.

    python benchmarks/season.py [SETTINGS]

SETTINGS names the file with the data, by default examples/online_retail_ii.toml.
It writes benchmarks/results/season.json.
"""

import json
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from machine import machine
from online_retail_churn import DATA_END, RULE, SETTINGS, read_days

from patronage.features import DayTable, churn_labels, monthly_cutoffs, rfm_summary
from patronage.models import BetaGeoModel, SeasonalModel
from patronage.models.purchase_model import PurchaseModel

RESULT = Path(__file__).parent / "results" / "season.json"
CUTOFFS = monthly_cutoffs(last=date(2011, 9, 10), first=date(2010, 12, 10), count=99)
MODELS: dict[str, PurchaseModel] = {
    "plain": BetaGeoModel(),
    "season": SeasonalModel(BetaGeoModel()),
}


def main(settings: Path = SETTINGS) -> None:
    """Judge both models at all cutoffs and write the result."""
    days = read_days(settings)
    table = pd.DataFrame([judge(days, cutoff) for cutoff in CUTOFFS])
    print(table.round(4).to_string(index=False))
    mean = table.drop(columns="cutoff").mean().to_dict()
    print({name: round(value, 4) for name, value in mean.items()})
    result = {"mean": mean, "by_cutoff": table.to_dict("records"), "machine": machine()}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


def judge(days: DayTable, cutoff: date) -> dict[str, float | str]:
    """Share of customers who did not come back, the mean foreseen by each model, and log losses."""
    rule = {"horizon_days": RULE.horizon_days, "active_days": RULE.active_days}
    labels = churn_labels(days, cutoffs=[cutoff], data_end=DATA_END, **rule)
    churned = labels.set_index("customer_id")["churned"]
    rfm = rfm_summary(days, as_of=cutoff)
    found: dict[str, float | str] = {"cutoff": str(cutoff), "actual": float(churned.mean())}
    for name, model in MODELS.items():
        fitted = model.fit_days(days, as_of=cutoff, rfm=rfm)
        p = fitted.probability_no_purchase(rfm, RULE.horizon_days)[churned.index]
        likely = np.where(churned == 1, p, 1 - p)
        found |= {f"p_{name}": float(p.mean()), f"log_loss_{name}": float(-np.log(likely).mean())}
    return found


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
