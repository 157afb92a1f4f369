"""What the documents say is what the code does."""

import json
import re
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command

from patronage.data import CONTRACTS
from patronage.data.flag_words import FALSE_WORDS, TRUE_WORDS
from patronage.features import FEATURES, catalogue_markdown, value_model
from patronage.models.scorer import SCORES
from patronage.pipelines.cli import app
from patronage.pipelines.demo import write_demo
from patronage.pipelines.settings_file import SECTIONS, settings_markdown
from patronage.retention.at_risk import AT_RISK_COLUMNS
from patronage.snapshot_settings import load_any_settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_code_in_the_readme_runs(tmp_path, monkeypatch):
    write_demo(tmp_path)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names = {}
    exec(code, names)
    assert names["model"].converged_
    assert len(names["rfm"]) == 23_570


def test_the_code_of_own_features_runs(tmp_path, monkeypatch):
    write_demo(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "own_features.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    names = {}
    exec("".join(code), names)
    assert {"big_basket_share", "evening_spend"} <= set(names["panel"])
    assert (names["panel"]["evening_spend"] == 0).all()  # the log has days, no hours


def test_every_command_is_in_the_readme():
    for name in get_command(app).commands:
        assert re.search(rf"`(patronage )?{name}\b", README), name


def test_the_feature_catalogue_is_the_printed_one():
    text = (ROOT / "docs" / "features.md").read_text()
    named = {feature.name for feature in (*FEATURES, *value_model.FEATURES)}
    assert catalogue_markdown() in text
    assert f"\n{len(named)} features as of any day" in text
    assert len(named) >= 90


def test_the_settings_are_the_printed_ones():
    assert (ROOT / "docs" / "settings.md").read_text() == settings_markdown()


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS.keys())
def test_every_setting_has_a_meaning(section):
    assert all(field.description for field in section.model_fields.values())


def test_the_figures_of_further_horizons_are_the_benchmarks():
    text = (ROOT / "docs" / "churn.md").read_text()
    result = json.loads((ROOT / "benchmarks" / "results" / "churn_horizons.json").read_text())
    for days, mean in result["mean"].items():
        shown = [f"{mean[key]:.3f}" for key in ("churn_rate", "predicted")]
        for key in ("auc", "log_loss"):
            shown += [f"{mean[key]:.4f}", f"{mean[f'{key}_p_no_purchase']:.4f}"]
        shown += [f"{mean['ahead_at']} of {mean['of']}", f"{mean['moved']:.1%}"]
        assert f"\n| {days} | {' | '.join(shown)} |\n" in text
    known = "log_loss_level_known"
    for one in result["by_cutoff"].values():
        assert all(
            one[days][known] < one[days][f"{known}_p_no_purchase"] for days in result["mean"]
        )


def test_every_column_of_the_outputs_is_explained():
    text = (ROOT / "docs" / "outputs.md").read_text()
    named = set(re.findall(r"\w+", text)) | {"reason_2"}
    assert [name for name in (*SCORES, *AT_RISK_COLUMNS) if name not in named] == []


def test_the_figures_of_the_readme_are_the_benchmarks():
    result = json.loads((ROOT / "benchmarks" / "results" / "online_retail_churn.json").read_text())
    rows = re.findall(r"^\| (.+?) \| (0\.\d{4}) \| (\S+) \| (\S+) \|$", README, flags=re.MULTILINE)
    printed = pd.DataFrame(rows, columns=["name", "auc", "log_loss", "brier"])
    measured = pd.DataFrame(result["mean"]).T.sort_values("auc", ascending=False)
    for key in ("auc", "log_loss", "brier"):
        shown = measured[key].map(lambda value: "–" if pd.isna(value) else f"{value:.4f}")
        assert printed[key].tolist() == shown.tolist()


def test_the_page_on_scale_is_written_from_the_figures(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    scale = import_module("scale")
    results = json.loads(scale.RESULT.read_text())
    assert scale.DOCUMENT.read_text() == scale.scale_markdown(results)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())
def test_every_column_of_the_contracts_is_explained_with_its_kind(contract):
    text = (ROOT / "docs" / "tables.md").read_text()
    section = text.split(f"\n## {contract.table}\n")[1].split("\n## ")[0]
    explained = {
        name.strip(): (cells[1].strip(), cells[2].strip())
        for line in section.splitlines()
        if line.startswith("| ") and len(cells := line.strip("| ").split("|")) >= 3
        for name in cells[0].split(",")
    }
    for column in contract.columns:
        presence = "required" if column.required else "optional"
        assert explained[column.name] == (column.kind, presence), column.name


def test_the_tables_of_the_examples_are_settings():
    for example in (ROOT / "examples").glob("*.toml"):
        assert load_any_settings(example).folder == example.parent


def test_every_word_for_a_flag_is_in_the_tables_page():
    text = (ROOT / "docs" / "tables.md").read_text()
    assert f"1: {', '.join(TRUE_WORDS)}; 0: {', '.join(FALSE_WORDS)};" in text


def test_the_figures_of_the_page_on_snapshots_are_the_benchmarks():
    found = json.loads((ROOT / "benchmarks" / "results" / "snapshot_churn.json").read_text())
    text = (ROOT / "docs" / "snapshots.md").read_text()
    for name, ways in found.items():
        for how, one in ways.items() if name != "machine" else ():
            ours = one["models"]["patronage"]
            shown = f"| {one['rows']:,} | {ours['auc']:.4f} | {ours['log_loss']:.4f} |"
            assert f"| {name}, {how} {shown}" in text
    assert found["telco_ibm_v11"]["equal rows together"]["models"]["patronage"]["auc"] >= 0.845
    assert (
        found["telecom_churn_iranian"]["equal rows together"]["models"]["patronage"]["auc"] > 0.985
    )
