"""Features of one's own, from the settings to the report: catalogue, check, training, scoring."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from patronage.config import load_settings
from patronage.pipelines.demo import write_demo
from patronage.pipelines.features import features_listed
from patronage.tracking.champion import load_champion
from patronage.tracking.store import open_store

MODULE = """
import narwhals as nw
import numpy as np

from patronage.features import feature, ratio

BIG = 50


@feature(meaning="Share of big days.", unit="share", window=90, null="without a purchase in them")
def big_basket_share(grid):
    big = (grid.table.measures["spend"] > BIG).astype(float)
    return ratio(grid.total_of(big, 90), grid.total("purchase_days", 90))


@feature(table="transactions", window=60, unit="money", meaning="Largest amount.", empty=0)
def largest_amount():
    return nw.col("amount").max()


@feature(table="events", window=60, unit="count", meaning="Visits.", empty=0)
def visits():
    return nw.len()
"""
PLANTED = """

@feature(meaning="Spend of the next 90 days.", unit="money")
def planted(grid):
    ahead = grid.total_before("spend", grid.as_of + np.int32(90))
    return ahead - grid.total("spend")
"""


def with_modules(config, folder, text):
    """A copy of a project's settings, with features of its own and a tracking folder of its own."""
    shutil.copytree(config.parent / "data", folder / "data")
    (folder / "my_features.py").write_text(text)
    lines = config.read_text().splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("# modules ="))
    lines[place] = 'modules = ["my_features.py"]'
    (folder / "patronage.toml").write_text("\n".join(lines))
    return folder / "patronage.toml"


@pytest.fixture
def own_project(tmp_path, finished):
    return with_modules(finished, tmp_path, MODULE)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, finished, run_patronage):
    """A project after `patronage run` with a leak among its features; not to be changed."""
    config = with_modules(finished, tmp_path_factory.mktemp("own"), MODULE + PLANTED)
    with pytest.MonkeyPatch.context() as patch:
        assert run_patronage(patch, "run", "--config", config) == 0
    return config


def test_the_catalogue_lists_own_features_and_what_is_left_out(patronage, own_project, capsys):
    assert patronage("features", "--list", "--config", own_project) == 0
    told = capsys.readouterr().out
    assert "Share of big days. Null without a purchase in them. [my_features.py]" in told
    assert "left out: survey, since there is no table [surveys]" in told
    assert "left out: visits, since there is no table [events]" in told
    assert "left out: breadth, since transactions have no column category" in told


def test_the_catalogue_of_a_family_as_json(patronage, own_project, capsys):
    assert patronage("features", "--family", "own", "--json", "--config", own_project) == 0
    rows = json.loads(capsys.readouterr().out)["features"]
    assert [row["name"] for row in rows] == ["big_basket_share", "largest_amount", "visits"]
    assert rows[0]["window"] == 90
    assert len(rows[0]["digest"]) == 64


def test_the_catalogue_needs_no_settings(patronage, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert patronage("features", "--family", "season") == 0
    assert "left out" not in capsys.readouterr().out


def test_a_feature_whose_column_is_not_mapped_is_left_out(tmp_path):
    config = write_demo(tmp_path)
    table = '[subscriptions]\nsource = "terms.csv"\ncolumns = { plan = "tier" }\n'
    config.write_text(f"{config.read_text()}\n{table}")
    told = features_listed(load_settings(config))
    assert "left out: auto_renew, since subscriptions have no column auto_renew" in told
    assert "since subscriptions have no column plan" not in told


def test_a_family_that_is_none_is_refused_with_those_there_are(patronage, own_project, capsys):
    assert patronage("features", "--family", "seson", "--config", own_project) == 2
    assert "no family seson; there are attributes, basket," in capsys.readouterr().err


def test_the_check_passes_what_keeps_to_the_past(patronage, own_project, capsys):
    assert patronage("features", "--check", "--config", own_project) == 0
    told = capsys.readouterr().out
    assert "in order, as of 1997-09-" in told
    assert "2 features of your own" in told
    assert "not checked: visits: there is no table [events]" in told


def test_the_check_names_what_looks_ahead(patronage, own_project, capsys):
    (own_project.parent / "my_features.py").write_text(MODULE + PLANTED)
    assert patronage("features", "--check", "--config", own_project) == 3
    told = capsys.readouterr().err
    assert "1 fault in features of your own" in told
    assert "feature planted of my_features.py looks ahead" in told


def test_nothing_to_check_is_told(patronage, finished, capsys):
    assert patronage("features", "--check", "--config", finished) == 2
    assert '[features] modules = ["my_features.py"]' in capsys.readouterr().err


def test_a_leak_is_named_in_manifest_metrics_and_report(trained):
    latest = trained.parent / "outputs" / "latest"
    manifest = json.loads((latest / "manifest.json").read_text())
    assert {one["feature"] for one in manifest["training"]["leakage"]} == {"planted"}
    assert manifest["families"]["built"]["own"] == 3
    assert manifest["families"]["features"] == sum(manifest["families"]["built"].values())
    assert manifest["families"]["left_out"]["visits"] == "there is no table [events]"
    page = (latest / "report.html").read_text()
    assert "May know the future" in page
    assert "planted alone tells who churns" in page
    assert "there is no table [surveys]" in page


def test_own_features_are_scored_and_in_the_registered_catalogue(trained):
    seen = pd.read_parquet(trained.parent / "outputs" / "latest" / "features.parquet")
    assert seen["largest_amount"].notna().all()
    settings = load_settings(trained)
    store = open_store(settings.path(settings.tracking.folder), experiment="patronage")
    model = load_champion(store)
    assert sorted(model.scorer.own_features) == ["big_basket_share", "largest_amount", "planted"]
    logged = store.client.download_artifacts(model.run_id, "features.json")
    rows = {row["name"]: row for row in json.loads(Path(logged).read_text())["features"]}
    assert rows["largest_amount"]["digest"] == model.scorer.own_features["largest_amount"]["digest"]
    assert rows["frequency"]["family"] == "rfm"


CHANGES = {
    "changed": (MODULE.replace("BIG = 50", "BIG = 60") + PLANTED, "big_basket_share of .*changed"),
    "gone": (MODULE, "planted of my_features.py is not there"),
}


@pytest.mark.parametrize(("text", "message"), CHANGES.values(), ids=CHANGES.keys())
def test_scoring_refuses_other_features_than_were_trained(
    patronage, trained, capsys, text, message
):
    module = trained.parent / "my_features.py"
    before = module.read_text()
    module.write_text(text)
    try:
        assert patronage("score", "--config", trained) == 2
    finally:
        module.write_text(before)
    told = capsys.readouterr().err
    assert re.search(message, told), told
    assert "was trained with other features of your own" in told
