"""What the models of a cutoff expect, row by row of a panel."""

from datetime import date

import pandas as pd
import pytest

from patronage.features import customer_days, day_table, read_panel, write_panel
from patronage.features.value_model import FEATURES
from patronage.models import ParetoNBDModel, SeasonalModel
from patronage.models.betageo import BetaGeoModel
from patronage.models.purchase_season import PurchaseSeason
from patronage.models.training_panel import LabelRule, purchase_chances
from patronage.models.value_features import value_features
from patronage.pipelines.demo import cdnow

CUTOFFS = [date(1997, 7, 1), date(1998, 2, 1)]
NAMES = [feature.name for feature in FEATURES]
SEASONAL = SeasonalModel(BetaGeoModel(), PurchaseSeason(harmonics=1))


@pytest.fixture(scope="module")
def transactions():
    table = cdnow()
    some = table[table["customer_id"].astype(int) % 20 == 0]
    return pd.DataFrame(
        {
            "customer_id": some["customer_id"],
            "timestamp": pd.to_datetime(some["date"]),
            "amount": some["dollar_value"].astype(float),
        }
    )


@pytest.fixture(scope="module")
def days(transactions):
    return day_table(customer_days(transactions))


def written(days, folder, value, **options):
    write_panel(days, folder, cutoffs=CUTOFFS, families=[value.family], **options)
    return read_panel(folder)


@pytest.mark.parametrize("purchases", [None, ParetoNBDModel(), SEASONAL], ids=str)
@pytest.mark.parametrize("chunk", [7, 5_000])
def test_a_panel_in_chunks_has_what_is_expected_of_everybody(days, tmp_path, purchases, chunk):
    value = value_features(
        days, cutoffs=CUTOFFS, horizons_days=[60], lead_days=10, purchases=purchases
    )
    panel = written(days, tmp_path / "p", value, chunk_customers=chunk)
    rule = LabelRule(active_days=90, horizon_days=60, lead_days=10)
    for cutoff in CUTOFFS:
        chances = purchase_chances(days, as_of=cutoff, rule=rule, purchases=purchases)
        rows = panel[panel["as_of"].dt.date == cutoff].reset_index(drop=True)
        expected = chances.set_index("customer_id").loc[rows["customer_id"]].reset_index()
        pd.testing.assert_frame_equal(rows[NAMES], expected[NAMES], rtol=1e-9, atol=1e-12)


def test_models_know_everybody_whoever_is_drawn_and_only_the_past(days, transactions, tmp_path):
    value = value_features(days, cutoffs=CUTOFFS[:1], horizons_days=[60])
    past = transactions[transactions["timestamp"] < "1997-07-01"]
    assert 0 < len(past) < len(transactions)
    chances = purchase_chances(
        day_table(customer_days(past)),
        as_of=CUTOFFS[0],
        rule=LabelRule(active_days=90, horizon_days=60),
    ).set_index("customer_id")
    write_panel(
        days,
        tmp_path / "p",
        cutoffs=CUTOFFS[:1],
        families=[value.family],
        sample=0.3,
        eligible_only=True,
        active_days=60,
    )
    panel = read_panel(tmp_path / "p")
    assert 5 < len(panel) < len(chances) / 2
    expected = chances.loc[panel["customer_id"], NAMES].reset_index(drop=True)
    pd.testing.assert_frame_equal(panel[NAMES], expected, rtol=1e-9)


def test_each_of_several_horizons_has_its_own(days, tmp_path):
    value = value_features(days, cutoffs=CUTOFFS, horizons_days=[30, 90])
    panel = written(days, tmp_path / "p", value)
    assert list(panel.columns[-6:]) == [
        *("p_no_purchase_30", "p_no_purchase_90", "p_alive"),
        *("horizon_purchases_30", "horizon_purchases_90", "expected_spend"),
    ]
    one = written(days, tmp_path / "one", value_features(days, cutoffs=CUTOFFS, horizons_days=[90]))
    assert panel["p_no_purchase_90"].equals(one["p_no_purchase"])
    assert (panel["p_no_purchase_30"] > panel["p_no_purchase_90"]).all()
    assert (panel["horizon_purchases_30"] < panel["horizon_purchases_90"]).all()


def test_without_a_model_they_are_null_and_the_log_says_why(days, tmp_path, caplog):
    cutoffs = [date(1997, 1, 2), *CUTOFFS]
    value = value_features(days, cutoffs=cutoffs, horizons_days=[60])
    assert list(value.missing) == [date(1997, 1, 2)]
    assert "value_model are null as of 1997-01-02: " in caplog.text
    write_panel(days, tmp_path / "p", cutoffs=cutoffs, families=[value.family])
    panel = read_panel(tmp_path / "p")
    early = panel["as_of"] == "1997-01-02"
    assert early.sum() > 0
    assert panel.loc[early, NAMES].isna().all(axis=None)
    assert panel.loc[~early, NAMES].notna().all(axis=None)


def test_a_lacking_model_of_spend_is_told_once(transactions, caplog):
    alike = day_table(customer_days(transactions.assign(amount=10.0)))
    with caplog.at_level("INFO", logger="patronage.models.value_features"):
        value_features(alike, cutoffs=CUTOFFS, horizons_days=[60])
    (said,) = caplog.messages
    assert "expected_spend is empty at 2 of 2 cutoffs (1997-07-01, 1998-02-01)" in said
