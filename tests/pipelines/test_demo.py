from pathlib import Path

import pandas as pd
import pytest

from patronage.config import load_settings
from patronage.errors import SettingsError
from patronage.pipelines.demo import SETTINGS, write_demo
from patronage.pipelines.settings_file import settings_text

ROOT = Path(__file__).parent.parent.parent


def test_the_whole_of_cdnow_is_written(tmp_path):
    settings = load_settings(write_demo(tmp_path))
    table = pd.read_csv(settings.path(str(settings.transactions.source)), dtype=str)
    assert len(table) == 69_659
    assert table["customer_id"].nunique() == 23_570
    assert table.loc[0, "customer_id"] == "00001"


def test_the_settings_in_the_repository_are_the_demos():
    assert (ROOT / "patronage.toml").read_text() == settings_text(SETTINGS)


def test_own_settings_are_never_overwritten(tmp_path):
    (tmp_path / "patronage.toml").write_text("mine")
    with pytest.raises(SettingsError, match="exists and differs from what would be written"):
        write_demo(tmp_path)
    assert (tmp_path / "patronage.toml").read_text() == "mine"
    assert not (tmp_path / "data").exists()
