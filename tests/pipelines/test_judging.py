from dataclasses import dataclass, field
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from patronage.config import Action, ValueSection
from patronage.features import CustomerTables, customer_days, day_table
from patronage.models import BetaGeoModel
from patronage.models.simulated_log import simulate_log
from patronage.models.training_panel import LabelRule, training_panel
from patronage.pipelines import judging
from patronage.pipelines.prepare import Prepared

RULE = LabelRule(active_days=365, horizon_days=90)
CUTOFF, END = date(2025, 9, 1), date(2025, 12, 31)
TERMS = ValueSection(horizon_days=365, margin=0.3, annual_discount_rate=0.1)
VOUCHER = Action(name="voucher", contact_cost=1, offer_cost=2, accept_rate=0.3)


def prepare(amounts=None):
    model = BetaGeoModel.with_params(r=1.0, alpha=20.0, a=1.0, b=3.0)
    log = simulate_log(model, customers=400, start=date(2025, 1, 1), end=END, seed=2)
    spread = np.random.default_rng(0).gamma(5, 10, 400) * np.ones(400)
    typical = log["customer_id"].map(dict(zip(log["customer_id"].unique(), spread, strict=False)))
    noise = np.random.default_rng(1).gamma(4, 0.25, len(log))
    log = log.assign(amount=typical * noise if amounts is None else amounts)
    days = day_table(customer_days(log))
    return log, Prepared(tables=CustomerTables(days), as_of=END, data_end=END, digest="")


@pytest.fixture(scope="module")
def log_and_prepared():
    return prepare()


@pytest.fixture(scope="module")
def test_rows(log_and_prepared):
    tables = log_and_prepared[1].tables
    return training_panel(tables, cutoffs=[CUTOFF], rule=RULE, data_end=END)


def test_the_value_of_the_test_customers_is_that_of_the_test_day(log_and_prepared, test_rows):
    log, prepared = log_and_prepared
    scores = test_rows[["customer_id", "churned"]]
    known = judging.with_value(scores, test_rows, prepared, BetaGeoModel(), TERMS)
    past = log[pd.to_datetime(log["timestamp"]) < pd.Timestamp(CUTOFF)]
    tables = CustomerTables(day_table(customer_days(past)))
    then = Prepared(tables=tables, as_of=CUTOFF, data_end=CUTOFF, digest="")
    from_past = judging.with_value(scores, test_rows, then, BetaGeoModel(), TERMS)
    pd.testing.assert_frame_equal(known, from_past)
    assert (known["value_if_kept"] > 0).all()
    assert known["value_if_kept"].std() > 10


def test_without_a_value_the_scores_are_not_judged_in_money(test_rows, caplog):
    scores = test_rows[["customer_id", "churned"]].assign(ours=0.5)
    _, prepared = prepare(amounts=0.0)
    assert judging.with_value(scores, test_rows, prepared, BetaGeoModel(), TERMS) is scores
    assert "the scores are not judged in money: as of 2025-09-01, " in caplog.text
    metrics = {"test": {"models": {"ours": {"log_loss": 0.69}}}}
    assert judging.in_money(metrics, scores, [VOUCHER]) == metrics


def test_only_probabilities_are_judged_in_money():
    churned = [1, 0] * 20
    scores = pd.DataFrame({"churned": churned, "ours": 0.5, "recency": 30, "value_if_kept": 50.0})
    models = {"ours": {"log_loss": 0.69}, "recency": {"log_loss": None}}
    metrics = {"test": {"models": models, "n": 40}}
    money = judging.in_money(metrics, scores, [VOUCHER])["test"]["money"]
    assert list(money["models"]) == ["ours"]
    assert "money" not in metrics["test"]


@dataclass
class Champion:
    """As much of a loaded model as the gate asks."""

    rule: LabelRule = RULE
    features: tuple[str, ...] = ("frequency",)
    categories_: dict = field(default_factory=dict)
    knows_labels_until: date = CUTOFF
    as_of: date = END
    version: str = "7"
    own_features: dict = field(default_factory=dict)

    @property
    def scorer(self):
        churn = SimpleNamespace(
            features=self.features,
            categories_=self.categories_,
            predict_proba=lambda rows: rows["p_no_purchase"],
        )
        return SimpleNamespace(
            rule=self.rule,
            churn=churn,
            knows_labels_until=self.knows_labels_until,
            as_of=self.as_of,
            own_features=self.own_features,
        )


UNFAIR = {
    "horizon": (
        {"rule": LabelRule(active_days=365, horizon_days=60)},
        "it has another horizon or eligibility",
    ),
    "answers": (
        {"knows_labels_until": CUTOFF + timedelta(1)},
        "it was trained on labels after 2025-09-01",
    ),
    "features": (
        {"features": ("frequency", "gone", "lost")},
        "it needs gone, lost, not among the features of today",
    ),
    "kinds": (
        {"categories_": {"frequency": ["often", "rarely"]}},
        "of another kind now: frequency (texts then, numbers now, such as ",
    ),
}


def scored(rows):
    return rows[["customer_id", "churned"]].assign(
        patronage=rows["p_no_purchase"], p_no_purchase=rows["p_no_purchase"], inactivity_rule=0.5
    )


@pytest.mark.parametrize(("change", "said"), UNFAIR.values(), ids=UNFAIR.keys())
def test_a_champion_that_cannot_be_compared_fairly_is_left_out(
    log_and_prepared, test_rows, caplog, change, said
):
    terms = judging.GateTerms([VOUCHER], (0.01, 99))
    asked = (RULE, log_and_prepared[1], terms)
    verdict = judging.verdict_on(scored(test_rows), test_rows, Champion(**change), *asked)
    assert [one.other for one in verdict.comparisons] == ["p_no_purchase", "inactivity_rule"]
    assert f"champion 7 is not compared: {said}" in caplog.text


def test_the_champion_is_asked_with_what_was_known_on_the_test_day(log_and_prepared, test_rows):
    terms = judging.GateTerms([VOUCHER], (0.01, 99))
    verdict = judging.verdict_on(
        scored(test_rows), test_rows, Champion(), RULE, log_and_prepared[1], terms
    )
    (compared,) = [one for one in verdict.comparisons if one.other == "champion"]
    assert compared.difference == 0
