import json
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from patronage.config import load_settings
from patronage.errors import DataError
from patronage.pipelines.backtest import backtest_value, in_plain_words
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
        f"{best['model']} foresaw best: {best['predicted']:.0f} in all, "
    )
    assert f"for one customer it is typically off by {best['rmse']:.2f} purchases" in told
    assert f"the next, {second['model']}, by {second['rmse']:.2f}" in told
    assert told.endswith(f"the last, {last['model']}, by {last['rmse']:.2f}.")


ROWS = {
    "target": "purchases",
    "model": ["A", "B"],
    "actual": 10.0,
    "predicted": [12.4, 8.0],
    "rmse": [0.501, 0.504],
}


def test_models_that_tie_are_said_to():
    assert in_plain_words(pd.DataFrame(ROWS), 5, 90, date(2026, 1, 1)) == (
        "In the 90 days from 2026-01-01 5 customers made 10 purchases. A foresaw best: 12 in all, "
        "2 too many, and for one customer it is typically off by 0.50 purchases; the next, B, by "
        "0.50 (as good as equal)."
    )


def test_one_model_is_compared_with_none():
    told = in_plain_words(pd.DataFrame(ROWS).head(1), 5, 90, date(2026, 1, 1))
    assert told.endswith("typically off by 0.50 purchases.")
    nothing = pd.DataFrame(ROWS).assign(rmse=float("nan"))
    said = in_plain_words(nothing, 5, 90, date(2026, 1, 1))
    assert said == "No model had a forecast of purchases."


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
