import json
import re
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from scipy.special import expit

from patronage.pipelines.snapshot_train import split_snapshot
from patronage.snapshot_settings import load_snapshot_settings
from patronage.tracking.champion import version_of
from patronage.tracking.store import open_store

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "snapshots.md").read_text()
FIRST, MONEY = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def customers(n=1500, seed=0):
    """Who left, what is known of all, and what is known of those who left only."""
    rng = np.random.default_rng(seed)
    plan, months = rng.choice(["basic", "gold", "trial"], n), rng.integers(1, 60, n)
    # Trials are left early, all else late: what no sum of effects can say.
    odd = (plan == "trial") == (months < 25)
    left = rng.random(n) < expit(-2.5 + 3.5 * odd)
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
    assert compared == ["base_rate", "logistic_regression"]
    assert training["gate"]["calibration"]["passed"]


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


def test_the_same_again_is_no_worse_than_the_champion(trained, patronage, run_patronage):
    assert patronage("train", "-c", trained) == 0
    training = json.loads((outputs(trained) / "manifest.json").read_text())["training"]
    champion = training["gate"]["comparisons"][-1]
    assert champion["other"] == "champion"
    assert champion["difference"] == 0
    assert patronage("rollback", "-c", trained) == 0


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


def latest(config):
    return (config.parent / "outputs" / "latest").resolve()


def page_of(folder, name="report.html"):
    return (folder / name).read_text()


def test_the_report_says_in_words_who_may_leave_and_why(trained):
    page = page_of(latest(trained))
    listed = pd.read_csv(latest(trained) / "at_risk.csv")
    stayed = customers()[customers()["left"] == "no"]
    assert set(listed["customer_id"]) == set(stayed["id"])
    assert f"Of {len(stayed):,} customers, about {listed['p_churn'].sum():,.0f} will leave." in page
    assert f"{1500 - len(stayed):,} customers who have left are not listed" in page
    for text in (
        "Measured on",
        "customers kept aside",
        "as the column &#34;left&#34; has it",
        "nine times in ten the model would have had AUC",
        "Share of all who left",
        "Most hangs on",
        "The mean chance to leave if all customers had the value on the axis",
        "Left out, since they know too well who left",
        "why alone tells who churned",
        'href="model_card.html"',
        "an action promised more than it costs",
    ):
        assert text in page, text
    words = re.sub(r"<(style|script).*?</\1>|data:[^\"]*", "", page, flags=re.DOTALL)
    for text in ("purchase", "None", "nan", "still a customer", "Not known"):
        assert text not in words, text


def test_every_listed_customer_has_a_reason_that_fits_the_chance(trained):
    listed = pd.read_csv(latest(trained) / "at_risk.csv", keep_default_na=False)
    share = (customers()["left"] == "yes").mean()
    stays = listed["reason_1"].str.startswith("likely to stay")
    assert listed["reason_1"].ne("").all()
    assert stays[listed["p_churn"] < share - 0.05].all()
    assert not stays[listed["p_churn"] > share + 0.05].any()
    assert listed["reason_1"].str.contains(r"Months|months: \d+").any()


def test_the_workbook_has_the_columns_that_a_snapshot_knows(trained):
    book = openpyxl.load_workbook(latest(trained) / "at_risk.xlsx")
    act = [cell.value for cell in book["Act now"][1]]
    assert {"Customer", "What to do", "Main reason", "Chance to leave", "Value if kept"} <= set(act)
    assert not {"Chance still a customer", "Lifetime value", "Purchases expected"} & set(act)
    guide = "\n".join(str(cell.value) for row in book["How to read"] for cell in row)
    assert 'a customer leaves, as the column "left" has it' in guide
    assert "purchase" not in guide.replace("win-back", "")


def test_the_model_card_is_that_of_the_version_and_in_the_registry(trained):
    card = page_of(outputs(trained), "model_card.md")
    for text in (
        'The probability that a customer leaves, as the column "left" has it.',
        "beside 0.",
        "Quality out of fold",
        "It passed the gate.",
        "3 columns: plan, months, yearly_margin.",
        "margin, yearly | empty",
        "It was judged by other customers of the same table",
        "plan: trial",
        "months: ",
    ):
        assert text in card, text
    assert "purchase" not in card


def test_report_alone_is_made_anew_from_the_latest_scores(trained, tmp_path, patronage):
    shutil.copytree(trained.parent / "outputs", tmp_path / "outputs", symlinks=True)
    text = trained.read_text().replace("accept_rate = 0.3", "accept_rate = 0.001")
    tracking = f'\n[tracking]\nfolder = "{trained.parent / "mlruns"}"\n'
    config = write(tmp_path, text + tracking)
    assert patronage("report", "-c", config) == 0
    assert pd.read_csv(outputs(config) / "at_risk.csv")["selected"].sum() == 0
    assert "Nobody is to be contacted: no action pays." in page_of(outputs(config))


def test_without_costs_there_is_a_list_by_chance_and_no_workbook(tmp_path, patronage):
    config = write(tmp_path, FIRST)
    assert patronage("run", "-c", config) == 0
    folder = outputs(config)
    listed = pd.read_csv(folder / "at_risk.csv")
    assert listed["p_churn"].is_monotonic_decreasing
    assert "action" not in listed
    assert not (folder / "at_risk.xlsx").exists()
    page = page_of(folder)
    assert "Who is most likely to leave" in page
    assert "Value at risk" not in page


def test_a_model_that_a_regression_beats_is_refused_and_the_champion_goes_on(
    trained, tmp_path, patronage
):
    """Additive effects are what a regression is made for; few trees of few trials are behind."""
    rng = np.random.default_rng(3)
    table = customers(1500, seed=3)
    odds = 0.06 * (table["months"] - 30) + 0.012 * (table["yearly_margin"] - 200)
    table["left"] = np.where(rng.random(1500) < expit(odds), "yes", "no")
    table["why"] = np.where(table["left"] == "yes", rng.choice(["price", "moved"], 1500), "")
    tracking = f'\n[tracking]\nfolder = "{trained.parent / "mlruns"}"\n'
    config = write(tmp_path, with_money(FIRST) + tracking, table)
    before = champion_of(trained)
    assert patronage("run", "-c", config) == 4
    manifest = json.loads((outputs(config) / "manifest.json").read_text())
    failed = [
        one["other"] for one in manifest["training"]["gate"]["comparisons"] if not one["passed"]
    ]
    assert failed == ["logistic_regression"]
    assert manifest["model_version"] == before == champion_of(trained)
    assert "but did not beat a plain logistic regression" in page_of(outputs(config))
    tags = version_tags(trained, manifest["training"]["version"])
    assert tags["gate"] == "failed"
    assert float(tags["gate.logistic_regression.log_loss.difference"]) > 0
    assert {"gate.base_rate.net_value.low", "gate.champion.log_loss.high"} <= set(tags)
    assert "gate.calibration.slope" in tags
    assert patronage("promote", "-c", config) == 4
    assert patronage("promote", "-c", config, "--force") == 0
    assert champion_of(trained) == manifest["training"]["version"]
    assert patronage("rollback", "-c", config) == 0
    assert champion_of(trained) == before


def store_of(config):
    return open_store(config.parent / "mlruns", experiment="patronage")


def champion_of(config):
    return str(version_of(store_of(config), "champion").version)


def version_tags(config, version):
    return store_of(config).client.get_model_version("patronage", version).tags


def test_a_folder_of_a_snapshot_takes_no_log_and_the_other_way_round(
    trained, finished, tmp_path, patronage, capsys
):
    of_snapshot, of_log = (config.parent / "mlruns" for config in (trained, finished))
    text = finished.read_text().replace('# folder = "mlruns"', f'folder = "{of_snapshot}"')
    shutil.copytree(finished.parent / "data", tmp_path / "data")
    (tmp_path / "patronage.toml").write_text(text)
    before = len(store_of(trained).client.search_model_versions("name = 'patronage'"))
    for command in ("train", "score", "monitor", "rollback"):
        assert patronage(command, "-c", tmp_path / "patronage.toml") == 2, command
        told = capsys.readouterr().err
        assert f"the models in {of_snapshot} were trained on a snapshot" in told
        assert "this project is of transactions" in told
    config = write(tmp_path, FIRST + f'\n[tracking]\nfolder = "{of_log}"\n')
    for command in ("train", "run", "promote"):
        assert patronage(command, "-c", config) == 2, command
        assert f"the models in {of_log} were trained on transactions" in capsys.readouterr().err
    assert len(store_of(trained).client.search_model_versions("name = 'patronage'")) == before


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
