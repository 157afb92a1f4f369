"""`patronage backtest churn`, end to end on every twentieth customer of CDNOW."""

import json
from datetime import date

import pandas as pd
import pytest

from patronage.pipelines.backtest_churn import Asked
from patronage.pipelines.cli import main
from patronage.pipelines.demo import SETTINGS, cdnow
from patronage.pipelines.settings_file import write_settings_file


def command(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["patronage", "backtest", "churn", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code or 0


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backtest_churn")
    table = cdnow()
    (folder / "data").mkdir()
    few = table[table["customer_id"].astype(int) % 20 == 0]
    few.to_csv(folder / "data" / "cdnow.csv", index=False)
    return write_settings_file(folder / "patronage.toml", SETTINGS)


@pytest.mark.slow
def test_the_command_tells_first_and_leaves_all(config, monkeypatch, capsys):
    assert command(monkeypatch, "-c", config, "--cutoffs", "2", "--trials", "1") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Over 2 cutoffs, 1998-03-02 to 1998-04-02, the model's log loss was ")
    (folder,) = (path for path in (config.parent / "outputs").iterdir() if path.name[0] != ".")
    content = json.loads((folder / "backtest_churn.json").read_text())
    assert list(content["by_cutoff"]) == ["1998-03-02", "1998-04-02"]
    ours = content["mean"]["patronage"]["log_loss"]
    assert f"log loss was {ours:.3f}, " in printed
    table = pd.read_csv(folder / "backtest_churn.csv").query("model == 'patronage'")
    assert table["log_loss"].mean() == pytest.approx(ours)
    scores = pd.read_parquet(folder / "backtest_churn_scores.parquet")
    assert (scores["p_churn_low"] < scores["p_churn_high"]).all()
    page = (folder / "backtest_churn.html").read_text()
    assert "Would the model have foreseen who left?" in page
    assert f"{ours:.4f}" in page
    assert "http" not in page.replace("http-equiv", "")
    assert (folder / "backtest_churn.svg").read_bytes().startswith(b"<?xml")
    assert not (folder / ".panels").exists()
    assert not (folder.parent / "latest").exists()


@pytest.mark.slow
def test_an_immature_day_is_refused_by_name(config, monkeypatch, capsys):
    assert command(monkeypatch, "-c", config, "--cutoffs", "1998-01-02,1998-05-01") == 3
    assert "is not known yet: 1998-05-01 (known from 1998-07-30)" in capsys.readouterr().err


def test_cutoffs_are_read():
    assert Asked.of("7") == Asked(count=7)
    assert Asked.of("weekly") == Asked(rule="weekly")
    days = (date(2026, 1, 31), date(2026, 2, 28))
    assert Asked.of("2026-02-28,2026-01-31") == Asked(days=days)
    with pytest.raises(ValueError, match="has 'yearly', which is no day"):
        Asked.of("yearly")


def test_what_cannot_be_read_is_an_error_of_usage(monkeypatch, tmp_path, capsys):
    assert command(monkeypatch, "-c", tmp_path / "none.toml", "--cutoffs", "yearly") == 2
    assert "--cutoffs yearly: has 'yearly', which is no day" in capsys.readouterr().err
