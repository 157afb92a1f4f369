"""The main job where churn is the end of a subscription."""

import json
import re
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from patronage.features import read_panel

FIRST, DAYS, TERM = pd.Timestamp("2024-01-01"), 720, 30
LEAVES = {"student": 0.35, "family": 0.03}


def contracts(customers=900, seed=0):
    """Terms of 30 days; after each a student leaves with 35 %, a family with 3 %."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        plan, start = rng.choice(list(LEAVES)), int(rng.integers(0, DAYS - 60))
        while start < DAYS:
            rows.append((f"c{number}", start, start + TERM, plan))
            if rng.random() < LEAVES[plan]:
                break
            start += TERM + int(rng.integers(0, 3))
    table = pd.DataFrame(rows, columns=["customer_id", "start", "end", "plan"])
    days = {name: FIRST + pd.to_timedelta(table[name], unit="D") for name in ("start", "end")}
    return table.assign(**days)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, run_patronage):
    from patronage.pipelines.demo import SETTINGS
    from patronage.pipelines.settings_file import write_settings_file

    folder = tmp_path_factory.mktemp("contracts")
    (folder / "data").mkdir()
    terms = contracts()
    terms.to_csv(folder / "data" / "terms.csv", index=False)
    paid = terms.rename(columns={"start": "date"}).assign(dollar_value=10.0, number_of_cds=1)
    paid["date"] = paid["date"].dt.strftime("%Y%m%d")
    paid.drop(columns=["end", "plan"]).to_csv(folder / "data" / "cdnow.csv", index=False)
    few = {"churn.trials": 2, "churn.seconds": 600, "churn.horizon_days": 30}
    config = write_settings_file(folder / "patronage.toml", {**SETTINGS, **few})
    text = config.read_text().replace(
        "[churn]\n", '[churn]\nlabel = "subscriptions"\ngrace_days = 5\nmax_cutoffs = 9\n'
    )
    table = '\n[subscriptions]\nsource = "data/terms.csv"\nend_known = "at_start"\n'
    config.write_text(text + table + '[subscriptions.columns]\nend = "end"\nplan = "plan"\n')
    with pytest.MonkeyPatch.context() as patch:
        assert run_patronage(patch, "run", "--config", config) == 0
    return config


def outputs(config):
    return (config.parent / "outputs" / "latest").resolve()


def test_the_model_tells_contracts_apart_and_knows_their_level(finished):
    metrics = json.loads((outputs(finished) / "metrics.json").read_text())
    ours = metrics["test"]["models"]["patronage"]
    assert ours["auc"] > 0.6
    assert ours["mean_predicted"] == pytest.approx(metrics["test"]["churn_rate"], abs=0.08)
    assert ours["log_loss"] < metrics["test"]["models"]["p_no_purchase"]["log_loss"]


def test_the_share_that_churned_is_shown_for_each_cutoff(finished):
    manifest = json.loads((outputs(finished) / "manifest.json").read_text())
    assert len(manifest["churned"]) == 9
    assert all(0.03 < one["share"] < 0.3 for one in manifest["churned"].values())
    last = max(manifest["churned"])
    assert pd.Timestamp(last) + pd.Timedelta(days=30 + 5) <= pd.Timestamp(manifest["as_of"])


def test_a_backtest_judges_at_days_whose_grace_is_over(finished):
    from patronage.config import load_settings
    from patronage.pipelines.backtest_churn import Asked, _cutoffs

    first, end = FIRST.date(), (FIRST + pd.Timedelta(days=DAYS)).date()
    prepared = SimpleNamespace(
        days=SimpleNamespace(first_day=np.datetime64(first, "D").astype(int)), data_end=end
    )
    _, tests = _cutoffs(load_settings(finished), prepared, Asked(count=2))
    assert len(tests) == 2
    assert end - tests[-1] == timedelta(days=30 + 5)


def test_eligible_is_who_has_a_subscription_in_force(finished):
    folder = outputs(finished)
    scores = pd.read_parquet(folder / "customers.parquet")
    as_of = pd.Timestamp(scores["as_of"].iloc[0])
    terms = contracts()
    in_force = terms[(terms["start"] < as_of) & (terms["end"] >= as_of)]["customer_id"].unique()
    assert sorted(scores.loc[scores["eligible"], "customer_id"]) == sorted(in_force)
    assert scores["p_churn"].notna().equals(scores["eligible"])


def words_of(folder, name="report.html"):
    page = (folder / name).read_text()
    return re.sub(r"<(style|script).*?</\1>|data:[^\"]*", "", page, flags=re.DOTALL)


def test_the_report_speaks_of_subscriptions(finished):
    page = words_of(outputs(finished))
    for text in (
        "customers with a subscription, about",
        "will let their subscription end and not renew it within 30 days",
        "Expected to end and not renew in 30 days",
        "that is, let their subscription end in the horizon and did not renew it in time",
        "Share of all who left",
    ):
        assert text in page, text
    for text in (
        "not buy again",
        "buys nothing",
        "bought nothing in the horizon",
        "active customer",
    ):
        assert text not in page, text


def test_the_plan_that_is_left_most_is_the_reason_and_nobody_in_force_is_gone(finished):
    listed = pd.read_csv(outputs(finished) / "at_risk.csv", keep_default_na=False)
    first = listed.sort_values("p_churn", ascending=False).head(10)
    assert (first["reason_1"] == "plan: student; the most common is family").all()
    assert not listed["do_not_contact_reason"].str.contains("gone for good").any()


def test_the_workbook_and_the_card_speak_of_subscriptions(finished):
    book = openpyxl.load_workbook(outputs(finished) / "at_risk.xlsx")
    guide = "\n".join(str(cell.value) for row in book["How to read"] for cell in row)
    asked = (
        "a customer's subscription ends in the 30 days that begin with the day of the run and is "
        "not renewed within 5 days"
    )
    assert asked in guide
    assert "buys nothing" not in guide
    card = (outputs(finished) / "model_card.md").read_text()
    assert f"The probability that {asked}." in card
    assert "who has a subscription in force on the day of the run" in card
    assert "× the share that left" in card or "Shape | none" in card
    assert "makes no purchase" not in card


def test_the_gate_asks_for_more_than_the_share_that_leaves(finished):
    manifest = json.loads((outputs(finished) / "manifest.json").read_text())
    compared = [one["other"] for one in manifest["training"]["gate"]["comparisons"]]
    assert compared == ["p_no_purchase", "inactivity_rule", "base_rate"]


def test_the_panel_holds_the_contracts_label(finished, tmp_path, patronage, capsys):
    asked = ("--cutoffs", "2025-06-01", "--horizons", "30,60", "--everyone")
    assert patronage("panel", "--config", finished, "--to", tmp_path / "panel", *asked) == 0
    written = read_panel(tmp_path / "panel").set_index("customer_id")
    as_of = pd.Timestamp("2025-06-01")
    terms = contracts()
    last = terms.groupby("customer_id")["end"].transform("max")
    in_force = terms[(terms["start"] < as_of) & (terms["end"] >= as_of)]["customer_id"].unique()
    assert set(written.index[written["churned_30"].notna()]) == set(in_force)
    ends = last[terms["customer_id"].isin(in_force)].groupby(terms["customer_id"]).first()
    expected = (ends < as_of + pd.Timedelta(days=30)).astype(int)
    assert written.loc[expected.index, "churned_30"].astype(int).to_dict() == expected.to_dict()
    assert (written["churned_60"].dropna() >= written["churned_30"].dropna()).all()
    (file,) = (tmp_path / "panel").glob("as_of=2025-06-01/*.parquet")
    said = pq.read_schema(file).field("churned_30").metadata[b"meaning"].decode()
    assert said.startswith(
        "1: the subscription ends in the 30 days from as_of on and is not renewed"
    )


def test_the_backtest_judges_contracts_by_what_makes_sense(finished, patronage, capsys):
    assert patronage("backtest", "churn", "-c", finished, "--cutoffs", "1", "--trials", "1") == 0
    told = capsys.readouterr().out
    assert "Share of all who left" in told
    for name in ("Best inactivity rule", "Days since last purchase", "1 - P(alive)"):
        assert name not in told
    (folder,) = finished.parent.glob("outputs/*/backtest_churn.csv")
    judged = pd.read_csv(folder).set_index("model")
    assert "base_rate" in judged.index
    assert judged.loc["patronage", "log_loss"] < judged.loc["base_rate", "log_loss"]


def test_monitor_judges_what_came_of_subscriptions(finished, patronage):
    """Scored as of an earlier day, the label is in today's table."""
    folder = finished.parent
    assert patronage("score", "--config", finished, "--as-of", "2025-09-01") == 0
    assert patronage("monitor", "--config", finished) in (0, 5)
    (file,) = folder.glob("outputs/*/monitor.json")
    (judged,) = json.loads(file.read_text())["realised"]
    terms, as_of = contracts(), pd.Timestamp("2025-09-01")
    in_force = terms[(terms["start"] < as_of) & (terms["end"] >= as_of)]["customer_id"].unique()
    last = terms[terms["customer_id"].isin(in_force)].groupby("customer_id")["end"].max()
    assert judged["as_of"] == "2025-09-01"
    assert judged["n"] == len(in_force)
    assert judged["actual"] == pytest.approx((last < as_of + pd.Timedelta(days=30)).mean())


def test_a_model_of_another_label_is_not_asked(finished, patronage, capsys):
    text = finished.read_text()
    finished.write_text(text.replace('label = "subscriptions"\ngrace_days = 5', ""))
    assert patronage("score", "--config", finished) == 2
    assert "[churn] label = purchases, not subscriptions" in capsys.readouterr().err
    finished.write_text(text)
