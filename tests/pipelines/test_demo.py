import os
from pathlib import Path

import pandas as pd

from patronage.config import load_settings
from patronage.pipelines.demo import SETTINGS, write_demo
from patronage.pipelines.settings_file import settings_text

ROOT = Path(__file__).parent.parent.parent


def test_the_whole_of_cdnow_is_written(tmp_path):
    settings = load_settings(write_demo(tmp_path))
    table = pd.read_csv(settings.path(str(settings.transactions.source)), dtype=str)
    assert len(table) == 69_659
    assert table["customer_id"].nunique() == 23_570
    assert table.loc[0, "customer_id"] == "00001"


def test_the_search_ends_by_trials_and_not_by_the_clock(tmp_path):
    churn = load_settings(write_demo(tmp_path)).churn
    assert churn.trials <= 5
    assert churn.seconds >= 100 * churn.trials


def test_the_settings_in_the_repository_are_the_demos():
    assert (ROOT / "patronage.toml").read_text() == settings_text(SETTINGS)


def test_edited_settings_are_kept_and_the_data_written(tmp_path, caplog):
    edited = settings_text(SETTINGS).replace("budget = 500.0", "budget = 900.0")
    (tmp_path / "patronage.toml").write_text(edited)
    with caplog.at_level("INFO", "patronage"):
        settings = load_settings(write_demo(tmp_path))
    assert settings.retention.budget == 900
    assert settings.path(str(settings.transactions.source)).exists()
    assert f"kept your {tmp_path / 'patronage.toml'}" in caplog.text


def test_what_is_there_already_is_left(tmp_path, caplog):
    files = [write_demo(tmp_path), tmp_path / "data" / "cdnow.csv"]
    for file in files:
        os.utime(file, (1, 1))
    with caplog.at_level("INFO", "patronage"):
        write_demo(tmp_path)
    assert files[1].stat().st_mtime == 1
    assert caplog.text == ""


def test_data_cut_short_are_written_anew(tmp_path):
    write_demo(tmp_path)
    data = tmp_path / "data" / "cdnow.csv"
    whole = data.read_bytes()
    data.write_bytes(whole[:1000])
    write_demo(tmp_path)
    assert data.read_bytes() == whole
    assert [file.name for file in data.parent.iterdir()] == ["cdnow.csv"]
