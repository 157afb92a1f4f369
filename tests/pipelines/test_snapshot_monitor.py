import json
import re
import shutil

import pandas as pd
import pytest
from snapshot_tables import (
    FIRST,
    customers,
    outputs,
    page_of,
    with_money,
    write,
)


@pytest.fixture(scope="module")
def forecast(trained, tmp_path_factory, run_patronage):
    """New customers scored by the champion, whose label is not known yet."""
    folder = tmp_path_factory.mktemp("forecast")
    tracking = f'\n[tracking]\nfolder = "{trained.parent / "mlruns"}"\n'
    text = with_money(FIRST).replace("[churn]", 'to_score = "new.csv"\n\n[churn]', 1)
    config = write(folder, text + tracking)
    new = customers(1200, seed=5).assign(id=lambda rows: "n" + rows["id"])
    new.drop(columns=["left", "why"]).to_csv(folder / "new.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        assert run_patronage(patch, "score", "-c", config) == 0
    return config


def monitored(config):
    return json.loads((outputs(config) / "monitor.json").read_text())


def test_monitor_compares_new_customers_with_those_of_training(forecast, patronage, capsys):
    assert patronage("monitor", "-c", forecast) == 0
    told = capsys.readouterr().out
    assert "3 features compared" in told
    assert "no alarm" in told
    assert "of 1,200 scored customers 0 have a label by now, and 90% are the least" in told
    page = page_of(outputs(forecast), "monitor.html")
    assert "The scores are compared with those of the customers kept aside to judge." in page
    for text in ("purchase", "transactions", "None"):
        assert text not in re.sub(r"<style.*?</style>|data:[^\"]*", "", page, flags=re.DOTALL), text


def copied(forecast, tmp_path, table):
    shutil.copytree(forecast.parent / "outputs", tmp_path / "outputs", symlinks=True)
    shutil.copy(forecast.parent / "new.csv", tmp_path)
    return write(tmp_path, forecast.read_text(), table)


def test_monitor_judges_once_labels_have_come(forecast, tmp_path, patronage, capsys):
    came = customers(1200, seed=5).assign(id=lambda rows: "n" + rows["id"])
    config = copied(forecast, tmp_path, pd.concat([customers(), came]))
    assert patronage("monitor", "-c", config) == 0
    (judged,) = monitored(config)["realised"]
    assert judged["n"] == 1200
    assert judged["actual"] == pytest.approx((came["left"] == "yes").mean())
    assert judged["predicted"] == pytest.approx(judged["actual"], abs=0.05)
    assert judged["auc"] > 0.7
    turned = came.assign(left=came["left"].map({"yes": "no", "no": "yes"}))
    write(tmp_path, config.read_text(), pd.concat([customers(), turned]))
    assert patronage("monitor", "-c", config) == 5
    assert "were said to leave" in capsys.readouterr().err


def test_monitor_tells_of_drift(forecast, tmp_path, patronage, capsys):
    config = copied(forecast, tmp_path, None)
    new = pd.read_csv(config.parent / "new.csv")
    new.assign(months=new["months"] + 60, plan="corporate").to_csv(
        tmp_path / "new.csv", index=False
    )
    assert patronage("score", "-c", config) == 0
    assert patronage("monitor", "-c", config) == 5
    told = capsys.readouterr().err
    assert "months (PSI" in told
    assert "plan" in told
    assert "categories that training did not hold" in told


def test_monitor_refuses_scores_of_rows_that_were_learnt_from(trained, patronage, capsys):
    assert patronage("monitor", "-c", trained) == 3
    assert "scored rows whose label was known" in capsys.readouterr().err


def test_monitor_without_scores_names_the_next_command(tmp_path, patronage, capsys):
    assert patronage("monitor", "-c", write(tmp_path, FIRST)) == 3
    assert "there is no champion model yet, and there are no scores" in capsys.readouterr().err
