from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from patronage.errors import DataError
from patronage.features import (
    CustomerTables,
    customer_days,
    day_table,
    purchases_between,
    rfm_summary,
)
from patronage.features.panel_cache import PanelCache
from patronage.features.records import read_records
from patronage.models import BetaGeoModel, GammaGammaModel
from patronage.models.churn_evaluation import evaluate
from patronage.models.purchase_tracking import track_purchases
from patronage.models.training_panel import LabelRule, purchase_chances, training_panel
from patronage.pipelines.demo import cdnow

RULE = LabelRule(active_days=200, horizon_days=60, lead_days=10)
CUTOFFS = [date(1997, 7, 1), date(1997, 10, 1)]
END = date(1998, 7, 1)


@pytest.fixture(scope="module")
def days():
    table = cdnow()
    table = table[table["customer_id"].astype(int) % 10 == 0]
    return day_table(
        customer_days(
            pd.DataFrame(
                {
                    "customer_id": table["customer_id"],
                    "timestamp": pd.to_datetime(table["date"]),
                    "amount": table["dollar_value"].astype(float),
                }
            )
        )
    )


def test_the_label_is_no_purchase_between_lead_and_horizon(days):
    panel = training_panel(days, cutoffs=CUTOFFS, rule=RULE, data_end=END)
    bought = purchases_between(days, start=date(1997, 7, 11), end=date(1997, 9, 9))
    rows = panel[panel["as_of"] == "1997-07-01"].merge(bought, on="customer_id")
    assert ((rows["purchases"] == 0) == (rows["churned"] == 1)).all()
    assert 0 < rows["churned"].mean() < 1


def test_each_cutoff_has_a_value_model_of_its_own_past(days):
    panel = training_panel(days, cutoffs=CUTOFFS, rule=RULE, data_end=END)
    rfm = rfm_summary(days, as_of=CUTOFFS[0])
    model = BetaGeoModel().fit(rfm)
    expected = model.probability_no_purchase(rfm, horizon=60, lead=10)
    rows = panel[panel["as_of"] == "1997-07-01"].set_index("customer_id")
    assert rows["p_no_purchase"].to_numpy() == pytest.approx(expected[rows.index].to_numpy())


def test_what_the_value_models_expect_is_of_the_past_alone(days):
    panel = training_panel(days, cutoffs=CUTOFFS, rule=RULE, data_end=END)
    rfm = rfm_summary(days, as_of=CUTOFFS[1])
    model, spend = BetaGeoModel().fit(rfm), GammaGammaModel().fit(rfm)
    ahead = model.expected_purchases(rfm, horizon=[10, 70])
    rows = panel[panel["as_of"] == "1997-10-01"].set_index("customer_id")
    expected = (ahead[70] - ahead[10]).loc[rows.index]
    assert rows["horizon_purchases"].to_numpy() == pytest.approx(expected.to_numpy())
    expected = spend.expected_spend(rfm).loc[rows.index]
    assert rows["expected_spend"].to_numpy() == pytest.approx(expected.to_numpy())


def test_without_repeat_spend_there_is_no_expected_spend(days):
    free = replace(days, measures=days.measures | {"spend": days.measures["spend"] * 0})
    chances = purchase_chances(free, as_of=CUTOFFS[1], rule=RULE)
    assert chances["expected_spend"].isna().all()
    assert chances["horizon_purchases"].notna().all()


def test_the_other_tables_bring_their_features(days):
    events = pd.DataFrame(
        {
            "customer_id": days.customer_ids[:40],
            "timestamp": pd.Timestamp("1997-06-20"),
            "kind": "complaint",
        }
    )
    records = read_records(events, days.customer_ids, time="timestamp", table="events")
    tables = CustomerTables(days, events=records)
    plain = training_panel(days, cutoffs=CUTOFFS, rule=RULE, data_end=END)
    panel = training_panel(tables, cutoffs=CUTOFFS, rule=RULE, data_end=END)
    pd.testing.assert_frame_equal(panel[plain.columns], plain)
    rows = panel[panel["as_of"] == "1997-07-01"]
    assert rows["complaints_30"].sum() == rows["customer_id"].isin(days.customer_ids[:40]).sum() > 0


def test_a_cutoff_without_repeat_purchases_is_left_out(days, caplog):
    cutoffs = [date(1997, 1, 2), *CUTOFFS]
    panel = training_panel(days, cutoffs=cutoffs, rule=RULE, data_end=END)
    assert set(panel["as_of"].dt.date) == set(CUTOFFS)
    assert "cutoff 1997-01-02 is left out" in caplog.text


def test_no_cutoff_left_is_refused(days):
    with pytest.raises(DataError, match="at none of the 1 cutoffs had anybody bought twice"):
        training_panel(days, cutoffs=[date(1997, 1, 2)], rule=RULE, data_end=END)


def test_a_panel_too_large_is_drawn_at_random_and_else_the_same(days):
    whole = training_panel(days, cutoffs=CUTOFFS, rule=RULE, data_end=END)
    part = training_panel(days, cutoffs=CUTOFFS, rule=RULE, data_end=END, max_rows=600)
    assert 0 < part["customer_id"].nunique() <= 300
    key = ["customer_id", "as_of"]
    expected = whole.set_index(key).loc[part.set_index(key).index].reset_index()
    pd.testing.assert_frame_equal(part, expected[part.columns])


def test_immature_labels_are_refused(days):
    with pytest.raises(DataError, match=r"1998-06-01 \(known from 1998-08-10\)"):
        training_panel(days, cutoffs=[date(1998, 6, 1)], rule=RULE, data_end=END)


def test_chances_cover_every_customer_known(days):
    chances = purchase_chances(days, as_of=CUTOFFS[0], rule=RULE)
    assert len(chances) == len(rfm_summary(days, as_of=CUTOFFS[0]))
    assert chances[["p_no_purchase", "p_alive"]].apply(lambda p: p.between(0, 1)).all(axis=None)


def test_too_few_of_either_outcome_cannot_be_judged(days):
    panel = training_panel(days, cutoffs=CUTOFFS, rule=RULE, data_end=END)
    some = panel.groupby("churned").head(9)
    with pytest.raises(DataError, match="of 18 customers .* 9 churned and 9 stayed, and 10 of"):
        evaluate(None, train=panel, test=some, features=[])


def test_tracking_follows_the_purchases(days):
    model = BetaGeoModel().fit(rfm_summary(days, as_of=date(1997, 10, 1)))
    weeks = track_purchases(days, model, end=END)
    known = weeks[weeks["week"] < "1997-10-01"]
    assert known["expected"].sum() == pytest.approx(known["actual"].sum(), rel=0.05)
    assert len(weeks) == 78
    assert np.corrcoef(known["actual"], known["expected"])[0, 1] > 0.8


def test_expected_purchases_of_one_customer_are_the_models(days):
    one = pd.DataFrame(
        {"customer_id": ["a"], "timestamp": [pd.Timestamp("2020-01-01")], "amount": [1.0]}
    )
    model = BetaGeoModel().fit(rfm_summary(days, as_of=date(1997, 10, 1)))
    weeks = track_purchases(customer_days(one), model, end=date(2020, 3, 1))
    in_all = model.expected_purchases_new_customer(7 * (len(weeks) - 0.5))
    assert weeks["expected"].sum() == pytest.approx(in_all.iloc[0])


def test_the_panel_is_the_same_in_memory_and_out_of_the_cache(days, tmp_path):
    asked = {"cutoffs": [date(1997, 1, 2), *CUTOFFS], "rule": RULE, "data_end": END}
    expected = training_panel(days, **asked)
    cache = PanelCache(tmp_path / "cache")
    for _ in ("computed", "read"):
        panel = training_panel(days, **asked, cache=cache)
        pd.testing.assert_frame_equal(panel, expected, check_exact=True)
    assert len(list(cache.folder.glob("*/manifest.json"))) == 1
