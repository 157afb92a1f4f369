"""The main job where churn is the end of a subscription."""

import json
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

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


def test_a_model_of_another_label_is_not_asked(finished, patronage, capsys):
    text = finished.read_text()
    finished.write_text(text.replace('label = "subscriptions"\ngrace_days = 5', ""))
    assert patronage("score", "--config", finished) == 2
    assert "[churn] label = purchases, not subscriptions" in capsys.readouterr().err
    finished.write_text(text)
