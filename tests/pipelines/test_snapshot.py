import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from patronage.pipelines.snapshot_train import split_snapshot
from patronage.snapshot_settings import load_snapshot_settings

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "snapshots.md").read_text()
FIRST, MONEY = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def customers(n=1500, seed=0):
    """Who left, what is known of all, and what is known of those who left only."""
    rng = np.random.default_rng(seed)
    plan, months = rng.choice(["basic", "gold", "trial"], n), rng.integers(1, 60, n)
    left = rng.random(n) < expit(-1.0 + 1.8 * (plan == "trial") - 0.04 * (months - 20))
    reason = np.where(left, rng.choice(["price", "moved"], n), "")
    return pd.DataFrame(
        {
            "id": [f"c{number}" for number in range(n)],
            "plan": plan,
            "months": months,
            "margin, yearly": "",
            "yearly_margin": rng.integers(10, 400, n),
            "why": reason,
            "left": np.where(left, "yes", "no"),
        }
    )


def write(folder, text, table=None):
    (folder / "snapshot.toml").write_text(text)
    (customers() if table is None else table).to_csv(folder / "customers.csv", index=False)
    return folder / "snapshot.toml"


def with_money(text):
    """The page's first settings with those of money, as one file."""
    head, rest = MONEY.split("\n\n", 1)
    return text.replace("[churn]", head.removeprefix("[snapshot]\n") + "\n\n[churn]") + "\n" + rest


@pytest.fixture(scope="module")
def trained(tmp_path_factory, run_patronage):
    config = write(tmp_path_factory.mktemp("snapshot"), with_money(FIRST))
    with pytest.MonkeyPatch.context() as patch:
        assert run_patronage(patch, "run", "-c", config) == 0
    return config


def outputs(config):
    return sorted((config.parent / "outputs").glob("2*"))[-1]


def test_the_settings_of_the_page_train_judge_and_register(trained):
    manifest = json.loads((outputs(trained) / "manifest.json").read_text())
    training = manifest["training"]
    assert training["gate"]["passed"]
    assert [one["feature"] for one in training["leakage"]] == ["why"]
    assert training["features"] == ["plan", "months", "yearly_margin"]
    assert training["left_out"] == {"margin, yearly": "empty"}
    left = (customers()["left"] == "yes").mean()
    assert manifest["churned"] == {"rows": 1500, "share": pytest.approx(left)}
    compared = [one["other"] for one in training["gate"]["comparisons"]]
    assert compared == ["base_rate"]


def test_it_leaves_scores_metrics_and_a_list(trained):
    folder = outputs(trained)
    scores = pd.read_parquet(folder / "customers.parquet")
    assert len(scores) == 1500
    assert ((scores["p_churn_low"] <= scores["p_churn"]) & (scores["p_churn"] < 1)).all()
    assert scores["value_at_risk"].equals(scores["p_churn"] * scores["value"])
    models = json.loads((folder / "metrics.json").read_text())["test"]["models"]
    assert set(models) == {"patronage", "base_rate", "logistic_regression", "plain_lightgbm"}
    assert models["patronage"]["auc"] > 0.7
    at_risk = pd.read_csv(folder / "at_risk.csv")
    assert at_risk["expected_net_value"].is_monotonic_decreasing
    assert 0 < at_risk["selected"].sum() < 1500


def test_customers_without_a_label_are_those_it_scores(trained, tmp_path, patronage):
    table = customers(1600, seed=0)
    table.loc[1500:, "left"] = ""
    text = with_money(FIRST) + f'\n[tracking]\nfolder = "{trained.parent / "mlruns"}"\n'
    config = write(tmp_path, text, table)
    assert patronage("score", "-c", config) == 0
    scores = pd.read_parquet(outputs(config) / "customers.parquet")
    assert scores["customer_id"].tolist() == [f"c{number}" for number in range(1500, 1600)]


def test_a_new_file_is_scored_and_a_missing_column_is_named(trained, tmp_path, patronage, capsys):
    tracking = f'\n[tracking]\nfolder = "{trained.parent / "mlruns"}"\n'
    text = FIRST.replace("[churn]", 'to_score = "new.csv"\n\n[churn]') + tracking
    config = write(tmp_path, text)
    fresh = customers(20, seed=9).drop(columns=["left", "why"])
    fresh.assign(plan="unheard of").to_csv(tmp_path / "new.csv", index=False)
    assert patronage("score", "-c", config) == 0
    assert len(pd.read_parquet(outputs(config) / "customers.parquet")) == 20
    fresh.drop(columns=["months"]).to_csv(tmp_path / "new.csv", index=False)
    assert patronage("score", "-c", config) == 3
    assert "needs 1 columns that the snapshot lacks: months" in capsys.readouterr().err
    fresh.assign(months=["n/a", *fresh["months"][1:]]).to_csv(tmp_path / "new.csv", index=False)
    assert patronage("score", "-c", config) == 3
    assert "months (numbers then, texts now, such as 'n/a')" in capsys.readouterr().err


def test_a_champion_that_learnt_numbers_is_not_compared_on_texts(trained, patronage, capsys):
    table = customers()
    mended = table.assign(months=["n/a", *table["months"].astype(str)[1:]])
    mended.to_csv(trained.parent / "customers.csv", index=False)
    try:
        assert patronage("train", "-c", trained) == 0
        assert patronage("rollback", "-c", trained) == 0
    finally:
        table.to_csv(trained.parent / "customers.csv", index=False)
    said = "is not compared: of another kind now: months (numbers then, texts now, such as "
    assert said in capsys.readouterr().err
    gate = json.loads((outputs(trained) / "manifest.json").read_text())["training"]["gate"]
    assert [one["other"] for one in gate["comparisons"]] == ["base_rate"]


def test_the_same_again_is_no_worse_than_the_champion(trained, patronage, run_patronage):
    assert patronage("train", "-c", trained) == 0
    training = json.loads((outputs(trained) / "manifest.json").read_text())["training"]
    champion = training["gate"]["comparisons"][-1]
    assert champion["other"] == "champion"
    assert champion["difference"] == 0
    assert patronage("rollback", "-c", trained) == 0


def test_promotion_by_hand_waits_for_the_command(tmp_path, patronage, capsys):
    config = write(tmp_path, FIRST + '\n[tracking]\npromote = "manual"\n')
    assert patronage("run", "-c", config) == 4
    assert "passed the gate and waits" in capsys.readouterr().err
    assert patronage("train", "-c", config) == 0
    assert "version 2 passed the gate and waits: patronage promote" in capsys.readouterr().out


def test_leaks_can_be_refused(tmp_path, patronage, capsys):
    config = write(tmp_path, FIRST.replace('"leave_out"', '"refuse"'))
    assert patronage("train", "-c", config) == 3
    assert "why look as if they knew the label" in capsys.readouterr().err


def test_fifty_customers_are_too_few_to_judge_by(tmp_path, patronage, capsys):
    config = write(tmp_path, FIRST, customers(50))
    assert patronage("train", "-c", config) == 3
    assert re.search(
        r"cannot be judged: of \d+ rows kept to judge by, \d+ churned", capsys.readouterr().err
    )


def test_nobody_churned_is_told(tmp_path, patronage, capsys):
    config = write(tmp_path, FIRST, customers(200).assign(left="no"))
    assert patronage("train", "-c", config) == 3
    assert "nobody churned" in capsys.readouterr().err


def test_the_other_commands_name_those_that_go_with_a_snapshot(tmp_path, patronage, capsys):
    config = write(tmp_path, FIRST)
    assert patronage("check", "-c", config) == 2
    assert "With it go patronage train, score and run" in capsys.readouterr().err


def dated_settings(tmp_path, horizon=30):
    text = FIRST.replace('churned = "left"', 'churned = "left"\nas_of = "day"')
    text = text.replace('label = "snapshot"', f'label = "snapshot"\nhorizon_days = {horizon}')
    table = pd.concat(
        [customers(300, seed).assign(day=f"2024-0{seed + 1}-01") for seed in range(6)]
    )
    return write(tmp_path, text, table)


def test_with_days_the_newest_judges_and_nothing_is_learnt_that_was_not_known(tmp_path, patronage):
    config = dated_settings(tmp_path)
    assert patronage("train", "-c", config) == 0
    manifest = json.loads((outputs(config) / "manifest.json").read_text())
    assert list(manifest["churned"]["by_day"])[-1] == "2024-06-01"
    metrics = json.loads((outputs(config) / "metrics.json").read_text())
    assert metrics["test"]["as_of"] == "2024-06-01"
    assert metrics["test"]["n"] == 300
    assert metrics["train"]["rows"] == 1500


def test_many_days_are_taken_together_by_month(tmp_path):
    settings = load_snapshot_settings(dated_settings(tmp_path))
    days = pd.date_range("2024-01-01", "2024-05-31").as_unit("s")
    rows = pd.DataFrame({"as_of": days, "churned": 0, "plan": "a"})
    split = split_snapshot(rows, ["plan"], settings)
    assert str(split.day) == "2024-05-01"
    assert len(split.test) == 31
    assert split.label_days == 61
    assert split.learn["as_of"].max() == pd.Timestamp("2024-03-01")


def test_days_too_near_to_each_other_are_refused(tmp_path, patronage, capsys):
    assert patronage("train", "-c", dated_settings(tmp_path, horizon=400)) == 3
    assert "the newest day is 2024-06-01, the oldest 2024-01-01" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["telco_ibm_v11", "telecom_churn_iranian"])
def test_the_examples_name_the_columns_that_leak(name):
    from patronage.data.snapshot import read_snapshot
    from patronage.models.snapshot_probes import snapshot_suspicions

    settings = load_snapshot_settings(ROOT / "examples" / f"{name}.toml")
    if not settings.path(settings.snapshot.source).exists():
        pytest.skip("the data of the example are not there")
    snapshot = read_snapshot(settings.snapshot, folder=settings.folder)
    found = {one.feature for one in snapshot_suspicions(snapshot.labelled, snapshot.features)}
    leaking = {
        *("Churn Reason", "Churn Category", "Customer Status", "Churn Score", "Churn Value"),
        "Satisfaction Score",
    }
    assert found == (leaking if name == "telco_ibm_v11" else set())
