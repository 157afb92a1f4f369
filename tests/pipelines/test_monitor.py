"""`patronage monitor` as its user sees it: exit codes, messages, page and numbers."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from patronage.pipelines.demo import cdnow
from patronage.pipelines.past_runs import one_a_day, past_runs
from patronage.pipelines.run_folder import read_manifest


def newest(config, name="monitor.json"):
    (*_, file) = sorted((config.parent / "outputs").glob(f"[!.]*/{name}"))
    return file


def numbers_of(config):
    return json.loads(newest(config).read_text())


def quieted(config):
    """Limits so wide that nothing of this small, ageing cohort raises an alarm."""
    wide = "[monitor]\nmin_customers = 1000000\nmax_volume_change = 50\n"
    config.write_text(re.sub(r"\[monitor\].*\n", wide, config.read_text()))


def test_no_scores_yet_names_the_next_command(
    tmp_path, every_tenth, new_project, patronage, capsys
):
    config = new_project(tmp_path, every_tenth)
    assert patronage("monitor", "--config", config) == 3
    said = capsys.readouterr().err
    assert "there is no champion model yet, and there are no scores in" in said
    assert "Make them: patronage run" in said
    assert not list((tmp_path / "outputs").glob("2*"))


def test_no_scores_by_that_day(project, patronage, capsys):
    assert patronage("monitor", "--config", project, "--as-of", "1998-03-01") == 3
    said = capsys.readouterr().err
    assert "there are no scores as of 1998-03-01 or earlier in" in said
    assert "patronage score" in said


def test_nothing_has_matured_yet(project, patronage, capsys):
    quieted(project)
    before = (project.parent / "outputs" / "latest").resolve()
    assert patronage("monitor", "--config", project) == 0
    told = capsys.readouterr().out
    assert "no label is known yet; the first will be on 1998-09-29" in told
    assert "no alarm" in told
    assert (project.parent / "outputs" / "latest").resolve() == before
    manifest = read_manifest(newest(project).parent)
    assert (manifest["command"], manifest["alarms"]) == ("monitor", [])
    assert not list(project.parent.glob("outputs/.partial-*"))


def test_a_broken_source_is_named_and_ends_with_5(project, patronage, capsys):
    latest = (project.parent / "outputs" / "latest").resolve()
    features = pd.read_parquet(latest / "features.parquet")
    features.assign(T=np.nan).to_parquet(latest / "features.parquet", index=False)
    assert patronage("monitor", "--config", project) == 5
    assert "T (0% then, 100% now)" in capsys.readouterr().err
    alarms = {alarm["kind"]: alarm["names"] for alarm in numbers_of(project)["alarms"]}
    assert "T" in alarms["nulls"]
    page = newest(project, "monitor.html").read_text()
    assert "T (0% then, 100% now)" in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")


def test_a_model_of_a_later_day_is_judged_with_a_remark(project, patronage):
    quieted(project)
    assert patronage("score", "--config", project, "--as-of", "1998-03-01") == 0
    assert patronage("monitor", "--config", project) == 0
    (judged,) = numbers_of(project)["realised"]
    assert judged["as_of"] == "1998-03-01"
    assert judged["hindsight"]
    assert "the model had seen later days" in newest(project, "monitor.html").read_text()


def test_of_several_runs_of_a_day_the_latest_counts(project):
    outputs = project.parent / "outputs"
    (run,) = past_runs(outputs)
    again = outputs / f"{run.scored.run_id}-2"
    shutil.copytree(run.folder, again)
    manifest = read_manifest(again) | {"run_id": again.name}
    (again / "manifest.json").write_text(json.dumps(manifest))
    runs = past_runs(outputs)
    assert len(runs) == 2
    assert [one.scored.run_id for one in one_a_day(runs)] == [again.name]


def test_a_folder_without_a_manifest_is_passed_over(project, patronage, capsys):
    quieted(project)
    broken = project.parent / "outputs" / "20200101T000000Z"
    broken.mkdir()
    (broken / "customers.parquet").write_bytes(b"nothing")
    assert patronage("monitor", "--config", project) == 0
    assert "20200101T000000Z is passed over: its manifest cannot be used" in capsys.readouterr().err


def test_scores_that_cannot_be_read_are_refused(project, patronage, capsys):
    (project.parent / "outputs" / "latest" / "features.parquet").write_bytes(b"nothing")
    assert patronage("monitor", "--config", project) == 3
    assert "features.parquet cannot be read" in capsys.readouterr().err


def test_hostile_texts_are_escaped(project, patronage):
    quieted(project)
    hostile = "<script>alert(1)</script>"
    rows = pd.DataFrame({"customer_id": ["00010"], "list_id": [hostile], "action": ["call"]})
    rows.assign(arm="treat", outcome=hostile).to_csv(project.parent / "outcomes.csv", index=False)
    project.write_text(project.read_text() + '\n[outcomes]\nsource = "outcomes.csv"\n')
    assert patronage("monitor", "--config", project) == 0
    page = newest(project, "monitor.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "they are no causal effect" in page


@pytest.mark.slow
def test_two_days_of_cdnow_end_to_end(tmp_path, new_project, patronage, capsys):
    table = cdnow()
    table = table[table["customer_id"].astype(int) % 4 == 0]
    config = new_project(tmp_path, table)
    quieted(config)
    assert patronage("run", "--config", config, "--as-of", "1998-02-01") == 0
    assert patronage("score", "--config", config, "--as-of", "1998-03-01") == 0
    runs = [path.parent for path in sorted((tmp_path / "outputs").glob("2*/at_risk.csv"))]
    listed = pd.read_csv(runs[0] / "at_risk.csv", dtype=str)["customer_id"].head(400)
    arms = np.where(np.arange(len(listed)) % 2 == 0, "treat", "control")
    outcomes = pd.DataFrame({"customer_id": listed, "list_id": runs[0].name, "arm": arms})
    outcomes.assign(action="call", outcome="").to_csv(tmp_path / "outcomes.csv", index=False)
    config.write_text(config.read_text() + '\n[outcomes]\nsource = "outcomes.csv"\n')
    assert patronage("monitor", "--config", config) == 0
    found = numbers_of(config)
    assert [one["as_of"] for one in found["realised"]] == ["1998-02-01", "1998-03-01"]
    # By hand, from the log: eligible customers without a purchase in the ninety days from the day.
    day = pd.to_datetime(table["date"].astype(str))
    for one in found["realised"]:
        as_of = pd.Timestamp(one["as_of"])
        seen = table[(day < as_of) & (day >= as_of - pd.Timedelta(days=365))]
        later = table[(day >= as_of) & (day < as_of + pd.Timedelta(days=90))]
        bought = seen["customer_id"].drop_duplicates().isin(later["customer_id"])
        assert one["n"] == len(bought)
        assert one["actual"] == pytest.approx(1 - bought.mean())
        assert abs(one["gap"]) < 0.05
        assert one["auc"] > 0.7
        assert not one["hindsight"]
        assert one["n_treated"] == (200 if one["as_of"] == "1998-02-01" else 0)
    (saved,) = found["lists"]
    assert (saved["treated"], saved["control"]) == (200, 200)
    assert saved["low"] < 0 < saved["high"]
    # A day before the label is known, nothing is judged.
    assert patronage("monitor", "--config", config, "--as-of", "1998-05-01") == 0
    assert "the first will be on 1998-05-02" in capsys.readouterr().out


def test_a_model_of_an_earlier_release_has_no_drift(project, patronage, monkeypatch, capsys):
    quieted(project)
    monkeypatch.setattr("patronage.pipelines.monitor.reference_or_none", lambda store, run: None)
    assert patronage("monitor", "--config", project) == 0
    assert "model version 1 has no record of what it was trained on" in capsys.readouterr().out
    assert numbers_of(project)["scores"] is None
    assert "There is nothing to compare with." in newest(project, "monitor.html").read_text()
