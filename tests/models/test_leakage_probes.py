"""Planted leaks are named; built-in features raise no alarm; nothing crashes."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from patronage.features import Feature, customer_tables, features_of
from patronage.models import BetaGeoModel, BetaGeoParams
from patronage.models.leakage_probes import leakage_suspicions
from patronage.models.simulated_log import simulate_log
from patronage.models.training_panel import LabelRule, training_panel
from patronage.pipelines.demo import cdnow

START, END = date(2025, 1, 1), date(2025, 12, 31)
CUTOFFS = [date(2025, 7, 1), date(2025, 8, 1)]
PLANTED = Feature("planted", "X.", "number", "own", "x")


@pytest.fixture(scope="module")
def log():
    model = BetaGeoModel()
    model.params_ = BetaGeoParams(0.6, 30.0, 1.0, 3.0)
    return simulate_log(model, customers=900, start=START, end=END, seed=2).assign(amount=10.0)


@pytest.fixture(scope="module")
def tables(log):
    rng = np.random.default_rng(4)
    mails = log.sample(frac=3, replace=True, random_state=1)[["customer_id"]].assign(
        timestamp=[START + timedelta(days=int(d)) for d in rng.integers(0, 300, 3 * len(log))]
    )
    mails["timestamp"] = pd.to_datetime(mails["timestamp"])
    return customer_tables(log, events=pl.from_pandas(mails.assign(kind="email_sent")))


@pytest.fixture(scope="module")
def panel(tables):
    rule = LabelRule(active_days=200, horizon_days=90)
    return training_panel(tables, cutoffs=CUTOFFS, rule=rule, data_end=END)


def found(panel, tables, values, **changes):
    planted = Feature(**{**vars(PLANTED), **changes})
    features = [*features_of(tables), planted]
    said = leakage_suspicions(panel.assign(planted=values), features, tables)
    assert {one.feature for one in said} <= {"planted"}
    return {one.probe: one.text for one in said}


def test_the_label_itself_is_named_by_two_probes(panel, tables):
    said = found(panel, tables, panel["churned"].astype(float))
    assert set(said) == {"too good", "label echo"}
    assert "planted alone tells who churns with an AUC of 1.000 at all cutoffs" in said["too good"]
    assert "planted tells what comes after as_of" in said["label echo"]


def test_a_text_filled_in_later_is_named(panel, tables):
    words = np.where(panel["churned"] == 1, "closed", "open")
    said = found(panel, tables, pd.Categorical(words), unit="text", family="attributes")
    assert "too good" in said


def test_a_noisy_echo_is_named(panel, tables):
    wrong = np.random.default_rng(3).random(len(panel)) < 0.1
    assert "label echo" in found(panel, tables, (panel["churned"] == 1) ^ wrong)


def test_an_account_closed_at_the_end_of_the_data_is_named(panel, tables):
    last = panel["as_of"].max()
    closed = panel["customer_id"].map(
        panel[panel["as_of"] == last].set_index("customer_id")["churned"]
    )
    said = found(panel, tables, closed.astype(float), family="attributes")
    assert "too good" in said


def test_how_much_the_firm_sends_is_named(panel, tables):
    place = tables.days.customer_ids.get_indexer(pd.Index(panel["customer_id"]))
    sent = np.diff(tables.events.offsets)[place].astype(float)
    assert "the number of email_sent" in found(panel, tables, 2 * sent)["firm count"]


QUIET = {
    "constant": lambda panel: np.zeros(len(panel)),
    "null": lambda panel: np.full(len(panel), np.nan),
    "noise": lambda panel: np.random.default_rng(0).random(len(panel)),
    "an id": lambda panel: pd.Categorical(panel["customer_id"].astype(str)),
    "the past": lambda panel: panel["days_since_last"] * 2,
}


@pytest.mark.parametrize("values", QUIET.values(), ids=QUIET.keys())
def test_what_knows_no_future_raises_no_alarm(panel, tables, values):
    unit = "text" if values is QUIET["an id"] else "number"
    assert found(panel, tables, values(panel), unit=unit) == {}


SMALL = {
    "one class": lambda panel: panel[panel["churned"] == 1],
    "few rows": lambda panel: panel.head(20),
    "one row": lambda panel: panel.head(1),
    "no row": lambda panel: panel.head(0),
}


@pytest.mark.parametrize("rows", SMALL.values(), ids=SMALL.keys())
def test_too_few_to_judge_are_passed_over(panel, tables, rows):
    some = rows(panel)
    assert found(some, tables, some["churned"].astype(float)) == {}


def test_no_built_in_feature_of_cdnow_raises_an_alarm():
    log = cdnow()
    log = log[log["customer_id"].astype(int) % 8 == 0]
    tables = customer_tables(
        pd.DataFrame(
            {
                "customer_id": log["customer_id"],
                "timestamp": pd.to_datetime(log["date"]),
                "amount": log["dollar_value"].astype(float),
            }
        )
    )
    rule = LabelRule(active_days=365, horizon_days=90)
    cutoffs = [date(1997, 9, 1), date(1998, 1, 1), date(1998, 4, 1)]
    panel = training_panel(tables, cutoffs=cutoffs, rule=rule, data_end=date(1998, 7, 1))
    assert leakage_suspicions(panel, features_of(tables), tables) == []
