"""A small churn model with texts among its features, ready to be registered."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from patronage.models import BetaGeoModel, CustomerValueModel, GammaGammaModel
from patronage.models.churn import ChurnModel
from patronage.models.scorer import CustomerScorer
from patronage.models.training_panel import LabelRule
from patronage.tracking.training_run import Judged, TrainingRecord

CUTOFFS = pd.to_datetime(["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01"]).as_unit("s")


def a_panel(rows=150):
    rng = np.random.default_rng(0)
    n = rows * len(CUTOFFS)
    plan = pd.Series(rng.choice(["basic", "gold"], n)).mask(rng.random(n) < 0.2)
    return pd.DataFrame(
        {
            "customer_id": [f"c{row}" for row in range(n)],
            "as_of": np.repeat(CUTOFFS, rows),
            "eligible": True,
            "frequency": rng.integers(0, 5, n).astype(float),
            "recency": 30.0,
            "T": 90.0,
            "monetary_value": rng.uniform(5, 50, n),
            "plan": plan.astype("category"),
            "p_no_purchase": rng.uniform(0.2, 0.8, n),
            "churned": ((plan == "gold") | (rng.random(n) < 0.3)).astype(int),
        }
    ).assign(
        recency=lambda t: t["recency"].where(t["frequency"] > 0, 0.0),
        monetary_value=lambda t: t["monetary_value"].where(t["frequency"] > 0, 0.0),
    )


@pytest.fixture(scope="session")
def record():
    panel = a_panel()
    rfm = panel[["customer_id", "frequency", "recency", "T", "monetary_value"]]
    churn = ChurnModel(["frequency", "plan"], label_days=60, trials=1)
    scorer = CustomerScorer(
        value=CustomerValueModel(BetaGeoModel(), GammaGammaModel()).fit(rfm),
        churn=churn.fit(panel, panel["churned"]),
        rule=LabelRule(active_days=90, horizon_days=60),
        value_horizon=365,
        margin=0.3,
        annual_discount_rate=0.1,
        currency="EUR",
        as_of=date(2025, 12, 1),
    )
    scores = panel[["customer_id", "churned"]]
    return TrainingRecord(
        scorer=scorer,
        panel=panel[panel["as_of"] < CUTOFFS[-1]],
        test=panel[panel["as_of"] == CUTOFFS[-1]],
        judged=Judged(scores=scores, tracking=scores, metrics={"test": {"models": {}}}),
        settings={},
        tags={},
        versions={},
    )
