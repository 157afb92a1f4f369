from datetime import date

import pytest

from patronage.config import load_settings
from patronage.errors import SettingsError
from patronage.models import PurchaseSeason, SeasonalModel
from patronage.pipelines.backtest import _models
from patronage.pipelines.demo import SETTINGS
from patronage.pipelines.season_settings import season_of
from patronage.pipelines.settings_file import settings_text

LINE = "annual_discount_rate = 0.15"


def settings_with(tmp_path, line):
    text = settings_text(SETTINGS)
    assert LINE in text
    path = tmp_path / "patronage.toml"
    path.write_text(text.replace(LINE, f"{line}\n{LINE}"))
    return load_settings(path)


def test_a_season_is_tried_unless_it_is_not_wanted(tmp_path):
    assert repr(season_of(settings_with(tmp_path, ""))) == repr(PurchaseSeason())
    without = settings_with(tmp_path, 'season = "none"')
    assert season_of(without) is None
    assert not [model for model in _models(without) if isinstance(model, SeasonalModel)]


def test_events_are_named_with_their_days(tmp_path):
    settings = settings_with(tmp_path, "events = { sale = [1997-11-28, 1998-11-27] }")
    days = (date(1997, 11, 28), date(1998, 11, 27))
    assert season_of(settings).events == {"sale": days}
    seasons = [model.season for model in _models(settings) if isinstance(model, SeasonalModel)]
    assert [season.events for season in seasons] == [{"sale": days}] * 3


def test_an_event_without_days_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="names sale without days"):
        settings_with(tmp_path, "events = { sale = [] }")
