"""`patronage panel`, and the cache of training panels."""

import json
import re
import shutil
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow.parquet as pq
import pytest

from patronage.config import load_settings
from patronage.features import read_panel
from patronage.models import choose_purchases
from patronage.models.time_folds import mature_at
from patronage.models.training_panel import VALUE_FEATURES, training_panel
from patronage.pipelines.prepare import label_rule, prepare
from patronage.pipelines.run_folder import run_folder
from patronage.pipelines.season_settings import season_of

HISTORY = ["--cutoffs", "1997-09-01,1997-06-01", "--horizons", "90,30,390"]


def test_features_and_labels_of_several_horizons_are_written(project, tmp_path, patronage, capsys):
    to = tmp_path / "panel"
    assert patronage("panel", "--config", project, "--to", to, *HISTORY) == 0
    panel = read_panel(to)
    assert f"{len(panel):,} rows, 2 cutoffs, 1997-06-01 to 1997-09-01" in capsys.readouterr().out
    assert set(panel["as_of"].dt.date) == {date(1997, 6, 1), date(1997, 9, 1)}
    assert panel["eligible"].all()
    assert (panel["churned_30"] >= panel["churned_90"]).all()
    assert 0 < panel["churned_90"].mean() < panel["churned_30"].mean() < 1
    assert panel["churned_390"].isna().equals(panel["as_of"] == "1997-09-01")
    assert panel["frequency"].notna().all()
    assert panel["p_no_purchase_30"].corr(panel["churned_30"].astype(float)) > 0.1
    assert (panel["p_no_purchase_90"] >= panel["p_no_purchase_390"]).all()
    assert panel[["p_alive", "horizon_purchases_30", "expected_spend"]].notna().all(axis=None)


def test_the_value_model_is_that_of_training(project, tmp_path, patronage):
    assert patronage("panel", "--config", project, "--to", tmp_path / "p") == 0
    panel = read_panel(tmp_path / "p")
    settings, run_at = load_settings(project), datetime.now(UTC)
    with run_folder(tmp_path, command="test", started_at=run_at, latest=False) as run:
        prepared = prepare(settings, run, run_at=run_at)
    cutoffs, rule = sorted(set(panel["as_of"].dt.date)), label_rule(settings)
    choice = choose_purchases(
        prepared.days,
        cutoff=mature_at(cutoffs, day=cutoffs[-1], label_days=rule.label_days)[-1],
        horizon_days=rule.label_days,
        season=season_of(settings),
    )
    trained = training_panel(
        prepared.tables,
        cutoffs=cutoffs,
        rule=rule,
        data_end=prepared.data_end,
        purchases=choice.model,
    )
    names = ["customer_id", "as_of", *VALUE_FEATURES]
    pd.testing.assert_frame_equal(panel[names], trained[names], rtol=1e-9)


def test_it_leaves_a_run_that_is_not_the_latest(project, tmp_path, patronage):
    latest = (project.parent / "outputs" / "latest").resolve()
    assert patronage("panel", "--config", project, "--to", tmp_path / "p", *HISTORY) == 0
    assert (project.parent / "outputs" / "latest").resolve() == latest
    runs = sorted((project.parent / "outputs").glob("2*/manifest.json"))
    manifest = json.loads(runs[-1].read_text())
    assert manifest["command"] == "panel"
    assert list(manifest["panel"]["rows"]) == ["1997-06-01", "1997-09-01"]


def test_a_sample_is_the_same_customers_for_any_cutoffs(project, tmp_path, patronage):
    ask = ["panel", "--config", project, "--everyone", "--sample", "0.2", "--seed", "1"]
    assert patronage(*ask, "--to", tmp_path / "one", "--cutoffs", "1997-09-01") == 0
    assert patronage(*ask, "--to", tmp_path / "two", "--cutoffs", "weekly") == 0
    one, two = read_panel(tmp_path / "one"), read_panel(tmp_path / "two")
    assert 380 < one["customer_id"].nunique() < 570
    assert set(one["customer_id"]) == set(two["customer_id"])
    assert set(two["as_of"].drop_duplicates().sort_values().diff().dt.days.dropna()) == {7}


WRONG = {
    "no rule": (["--cutoffs", "yearly"], 2, "--cutoffs yearly: has 'yearly', which is no day"),
    "no horizon": (["--horizons", "30,x"], 2, "--horizons 30,x: is no list of horizons"),
    "no sample": (["--sample", "2.5"], 2, "--sample 2.5: is neither a share such as 0.1"),
    "too early": (["--cutoffs", "1996-01-01"], 3, "1 of 1 cutoffs are too early: 1996-01-01"),
    "too late": (["--cutoffs", "1998-06-15"], 3, "not known yet: 1998-06-15"),
}


@pytest.mark.parametrize(("options", "code", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_asked_for_is_refused(
    project, tmp_path, patronage, capsys, options, code, message
):
    to = tmp_path / "panel"
    assert patronage("panel", "--config", project, "--to", to, *options) == code
    assert message in capsys.readouterr().err
    assert not to.exists()


def test_a_folder_that_exists_is_refused_at_once(project, tmp_path, patronage, capsys):
    assert patronage("panel", "--config", project, "--to", tmp_path) == 2
    assert "exists. Remove it, or name another folder: --to" in capsys.readouterr().err


OWN = """
import narwhals as nw

from patronage.features import feature


@feature(table="transactions", window=60, unit="money", meaning="Largest amount.", empty=0)
def largest_amount():
    return nw.col("amount").max()
"""


def test_own_expressions_are_computed_as_of_the_days_asked_for(finished, tmp_path, patronage):
    shutil.copytree(finished.parent / "data", tmp_path / "data")
    (tmp_path / "own.py").write_text(OWN)
    config = tmp_path / "patronage.toml"
    config.write_text(
        re.sub("(?m)^# modules = .*$", 'modules = ["own.py"]', finished.read_text(), count=1)
    )
    assert patronage("panel", "--config", config, "--to", tmp_path / "p", *HISTORY) == 0
    largest = read_panel(tmp_path / "p", columns=["largest_amount", "spend_60"])
    assert (largest["largest_amount"] > 0).mean() > 0.1
    assert (largest["largest_amount"] <= largest["spend_60"] + 0.001).all()


def scores(config):
    table = pq.read_table(config.parent / "outputs" / "latest" / "customers.parquet").to_pandas()
    return table.drop(columns=["run_id", "model_version"])


def measured(config):
    return json.loads((config.parent / "outputs" / "latest" / "metrics.json").read_text())


@pytest.mark.parametrize("cache", ["", "cache = false\n"], ids=["out of the cache", "without"])
def test_a_second_run_has_the_same_results_to_the_last_bit(
    finished, tmp_path, patronage, capsys, cache
):
    for name in ("data", "outputs"):
        shutil.copytree(finished.parent / name, tmp_path / name, symlinks=True)
    config = tmp_path / "patronage.toml"
    config.write_text(finished.read_text().replace("[features]\n", f"[features]\n{cache}"))
    assert patronage("run", "--config", config) == 0
    said = capsys.readouterr().err
    assert ("the panel is read from the cache" in said) == (cache == "")
    assert ("the panel is computed" in said) == (cache != "")
    pd.testing.assert_frame_equal(scores(config), scores(finished), check_exact=True)
    assert measured(config)["test"] == measured(finished)["test"]
    latest = (tmp_path / "outputs" / "latest").resolve()
    assert not list(latest.glob(".*"))
    assert len(list((tmp_path / "outputs" / ".panels").glob("*/manifest.json"))) == 1
