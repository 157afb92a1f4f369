import json
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from patronage.config import load_settings
from patronage.errors import DataError
from patronage.models.backtest import Backtest
from patronage.models.forecast import Forecast
from patronage.pipelines.backtest import backtest_value
from patronage.pipelines.backtest_words import (
    in_plain_words,
    level_with_best,
    without_repeats,
)
from patronage.pipelines.cli import main
from patronage.pipelines.demo import SETTINGS, cdnow
from patronage.pipelines.settings_file import write_settings_file

NOW = datetime(2026, 1, 31, 18, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Every fortieth customer of CDNOW."""
    folder = tmp_path_factory.mktemp("backtest")
    table = cdnow()
    (folder / "data").mkdir()
    few = table[table["customer_id"].astype(int) % 40 == 0]
    few.to_csv(folder / "data" / "cdnow.csv", index=False)
    return write_settings_file(folder / "patronage.toml", SETTINGS)


@pytest.fixture(scope="module")
def printed(config):
    settings = load_settings(config)
    return backtest_value(settings, cutoff=None, horizon_days=180, run_at=NOW)


@pytest.fixture
def left(config, printed):
    return config.parent / "outputs" / "20260131T180500Z"


def test_the_table_is_printed_and_left_behind(printed, left):
    table = pd.read_csv(left / "backtest.csv")
    assert set(table["target"]) == {"purchases", "spend"}
    for name in table["model"]:
        assert name in printed
    assert "\nhold-out of 180 days from 1998-01-02\n" in printed


def test_the_first_line_tells_the_best_in_plain_words(printed, left):
    table = pd.read_csv(left / "backtest.csv").query("target == 'purchases'")
    best, second, last = table.iloc[0], table.iloc[1], table.iloc[-1]
    told = printed.splitlines()[0]
    assert told.startswith(
        f"In the 180 days from 1998-01-02 589 customers made {best['actual']:.0f} purchases. "
        f"By root mean squared error {best['model']} came nearest, with {best['rmse']:.2f}: "
        f"it foresaw {best['predicted']:.0f} in all, "
    )
    assert f"typically off by {best['mae']:.2f} purchases (mean absolute error)." in told
    level = json.loads((left / "backtest.json").read_text())["level_with_best"]
    assert level[0] == second["model"]
    assert f"{', '.join(level)} tie with it: the difference is within chance" in told
    assert f"The last, {last['model']}, has {last['rmse']:.2f}." in told


def test_a_model_that_repeats_another_has_no_row(printed, left):
    table = pd.read_csv(left / "backtest.csv").query("target == 'purchases'")
    assert "BetaGeoCNBDModel" not in set(table["model"])
    row = table.set_index("model").loc["BetaGeoModel"]
    assert "BetaGeoCNBDModel foresees the same for every customer" in row["note"]


ROWS = {
    "target": "purchases",
    "model": ["A", "B"],
    "actual": 10.0,
    "predicted": [12.4, 8.0],
    "mae": [0.25, 0.31],
    "rmse": [0.501, 0.504],
}
FIRST = (
    "In the 90 days from 2026-01-01 5 customers made 10 purchases. By root mean squared error A "
    "came nearest, with 0.50: it foresaw 12 in all, 2 too many, and for one customer it is "
    "typically off by 0.25 purchases (mean absolute error)."
)


def test_models_that_tie_are_said_to():
    told = in_plain_words(pd.DataFrame(ROWS), 5, 90, date(2026, 1, 1), ["B"])
    assert told.startswith(f"{FIRST} B ties with it: the difference is within chance (90 %")
    assert told.endswith(
        "`patronage run` chooses its model of purchases itself, by how likely "
        "the model found what came."
    )


def test_one_beyond_chance_is_no_tie():
    told = in_plain_words(pd.DataFrame(ROWS), 5, 90, date(2026, 1, 1))
    assert told.startswith(f"{FIRST} The next, B, has 0.50, which is beyond chance. Nothing is")


def test_one_model_is_compared_with_none():
    told = in_plain_words(pd.DataFrame(ROWS).head(1), 5, 90, date(2026, 1, 1))
    assert told == FIRST
    nothing = pd.DataFrame(ROWS).assign(rmse=float("nan"))
    said = in_plain_words(nothing, 5, 90, date(2026, 1, 1))
    assert said == "No model had a forecast of purchases."


def judged(**forecasts):
    """Of customers who bought 0 to 99 times."""
    came = np.arange(100.0)
    known = [Forecast(name, came + off, log_likelihood=-1.0) for name, off in forecasts.items()]
    return Backtest(pd.DataFrame({"holdout_purchases": came}), tuple(known))


def test_a_tie_is_within_chance_of_the_best():
    noise = np.random.default_rng(2).normal(size=(2, 100))
    found = judged(a=noise[0], b=noise[1], worse=noise[0] + 3)
    assert level_with_best(found) in (["a"], ["b"])
    assert level_with_best(judged(a=noise[0])) == []


def test_only_the_same_forecast_is_a_repeat():
    found = without_repeats(judged(a=0.5, b=0.5, c=0.6))
    assert [one.name for one in found.forecasts] == ["a", "c"]
    said = "b foresees the same for every customer and has no row of its own."
    assert [one.note for one in found.forecasts] == [said, ""]


def test_json_holds_the_same_numbers(left):
    content = json.loads((left / "backtest.json").read_text())
    table = pd.read_csv(left / "backtest.csv")
    assert content["cutoff"] == "1998-01-02"
    assert [row["rmse"] for row in content["table"]] == pytest.approx(table["rmse"].tolist())
    assert content["customers"] == 589
    assert {row["log_likelihood"] for row in content["table"] if row["target"] == "spend"} == {None}


def test_deciles_are_of_every_model(left):
    deciles = pd.read_csv(left / "backtest_deciles.csv")
    assert set(deciles.groupby(["target", "model"]).size()) == {10}


def test_latest_is_left_alone(left):
    assert not (left.parent / "latest").exists()


def test_the_command_takes_day_and_horizon(config, monkeypatch, capsys):
    arguments = ["backtest", "value", "--config", str(config), "--cutoff", "1997-10-01"]
    monkeypatch.setattr("sys.argv", ["patronage", *arguments, "--horizon-days", "90"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    assert "hold-out of 90 days from 1997-10-01" in capsys.readouterr().out


def test_a_holdout_longer_than_the_data_is_refused(config):
    settings = load_settings(config)
    with pytest.raises(
        DataError, match="600 days begins on 1996-11-08, but the data begin on 1997"
    ):
        backtest_value(settings, cutoff=None, horizon_days=600, run_at=NOW)
    with pytest.raises(DataError, match="90 days from 1998-05-01 ends on 1998-07-30, but the data"):
        backtest_value(settings, cutoff=date(1998, 5, 1), horizon_days=90, run_at=NOW)
