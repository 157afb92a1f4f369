"""What the main job leaves, and that its parts agree."""

import json
import re

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from patronage.config import load_settings
from patronage.features.catalogue import FAMILIES
from patronage.models.scorer import SCORES
from patronage.pipelines.run_folder import run_folder
from patronage.tracking.champion import load_champion
from patronage.tracking.store import MODEL, open_store


@pytest.fixture(scope="module")
def latest(finished):
    return finished.parent / "outputs" / "latest"


@pytest.fixture(scope="module")
def customers(latest):
    return pd.read_parquet(latest / "customers.parquet")


@pytest.fixture(scope="module")
def at_risk(latest):
    return pd.read_csv(latest / "at_risk.csv", dtype={"customer_id": str, "run_id": str})


@pytest.fixture(scope="module")
def manifest(latest):
    return json.loads((latest / "manifest.json").read_text())


@pytest.fixture(scope="module")
def metrics(latest):
    return json.loads((latest / "metrics.json").read_text())


@pytest.fixture(scope="module")
def store(finished):
    return open_store(finished.parent / "mlruns", experiment="patronage")


def test_everything_is_there_and_nothing_else(latest):
    assert sorted(path.name for path in latest.iterdir()) == [
        "at_risk.csv",
        "at_risk.xlsx",
        "customers.parquet",
        "features.parquet",
        "manifest.json",
        "metrics.json",
        "model_card.html",
        "model_card.md",
        "report.html",
    ]


def test_the_workbook_says_what_leaving_means(latest, customers, metrics):
    book = pd.read_excel(latest / "at_risk.xlsx", sheet_name="How to read", header=None)
    told = dict(zip(book[0], book[1], strict=True))
    chances = customers.loc[customers["eligible"], "p_churn"]
    test = metrics["test"]
    assert told["Expected not to buy in 90 days"] == (
        f"{chances.sum():,.0f} customers of {len(chances):,} "
        f"({chances.mean():.0%}; after {test['as_of']} it was {test['churn_rate']:.0%})"
    )
    assert "the customer buys nothing in 90 days" in told["Leaving"]


def test_the_card_of_the_version_that_scored_is_kept_with_run_and_version(latest, store, manifest):
    version = store.client.get_model_version(MODEL, manifest["model_version"])
    kept = {one.path for one in store.client.list_artifacts(version.run_id)}
    assert {"model_card.html", "model_card.md"} <= kept
    plots = {one.path for one in store.client.list_artifacts(version.run_id, "plots")}
    assert {"plots/importance.png", "plots/dependence.png"} <= plots
    text = (latest / "model_card.md").read_text()
    assert text.startswith(f"# patronage, version {version.version}\n")
    assert text.splitlines()[2] in version.description
    assert 'href="model_card.html"' in (latest / "report.html").read_text()
    assert "What the model goes by" in (latest / "report.html").read_text()


def test_the_model_is_explained_on_its_test_rows(metrics):
    importance = metrics["explained"]["importance"]
    ours = metrics["test"]["models"]["patronage"]
    assert importance["rows"] == metrics["test"]["n"]
    assert importance["log_loss"] == pytest.approx(ours["log_loss"], abs=1e-6)
    low, high = metrics["intervals"]["patronage"]["log_loss"]
    assert low < ours["log_loss"] < high
    purchases = [one for one in metrics["segments"] if one["by"] == "purchases so far"]
    assert sum(one["n"] for one in purchases) <= metrics["test"]["n"]
    assert [one["as_of"] for one in metrics["cutoffs"] if one["test"]] == (
        [metrics["test"]["as_of"]]
    )


def test_no_reason_contradicts_its_chance(at_risk):
    stays = at_risk["reason_1"].str.startswith("likely to stay").fillna(False)
    assert (at_risk["p_churn"][stays] < 0.5).all()
    but = (
        at_risk[["reason_2", "reason_3"]].apply(lambda one: one.str.startswith("but ")).any(axis=1)
    )
    assert not (but & ~stays).any()


def test_a_report_of_a_version_without_a_card_has_none(project, patronage, monkeypatch):
    monkeypatch.setattr("patronage.pipelines.carding.card_of", lambda *_: {})
    assert patronage("report", "--config", project) == 0
    latest = project.parent / "outputs" / "latest"
    assert not list(latest.glob("model_card.*"))
    assert 'href="model_card.html"' not in (latest / "report.html").read_text()


def test_every_customer_is_scored_once(customers, every_tenth):
    assert sorted(customers["customer_id"]) == sorted(every_tenth["customer_id"].unique())


def test_who_bought_within_the_active_days_is_eligible(customers, every_tenth):
    last = pd.to_datetime(every_tenth["date"]).groupby(every_tenth["customer_id"]).max()
    active = last[last >= pd.Timestamp("1998-07-01") - pd.Timedelta(days=365)]
    assert set(customers.loc[customers["eligible"], "customer_id"]) == set(active.index)


def test_scores_lie_in_their_ranges(customers):
    eligible = customers[customers["eligible"]]
    assert eligible[list(SCORES)].notna().all(axis=None)
    assert customers.loc[~customers["eligible"], "p_churn"].isna().all()
    for name in ("p_churn", "p_alive", "p_no_purchase"):
        assert eligible[name].between(0, 1).all()
    assert (customers["value_if_kept"] >= customers["clv"]).all()
    assert eligible["value_at_risk"].to_numpy() == pytest.approx(
        (eligible["p_churn"] * eligible["value_if_kept"]).to_numpy()
    )


def test_what_is_undefined_is_null_in_parquet_and_never_nan(latest):
    for name in ("customers.parquet", "features.parquet"):
        table = pq.read_table(latest / name)
        for column in table.select(
            [field.name for field in table.schema if field.type == "double"]
        ).columns:
            assert not np.isnan(column.drop_null().to_numpy()).any()


def test_the_list_holds_each_eligible_customer_sorted_and_within_the_budget(at_risk, customers):
    assert set(at_risk["customer_id"]) == set(customers.loc[customers["eligible"], "customer_id"])
    assert at_risk["customer_id"].is_unique
    there = at_risk[at_risk["p_alive"] >= 0.05]
    assert there["expected_net_value"].is_monotonic_decreasing
    assert at_risk["p_alive"].head(len(there)).min() >= 0.05
    selected = at_risk[at_risk["selected"]]
    assert len(selected) > 0
    assert selected["action_cost"].sum() <= 100
    assert (selected["expected_net_value"] > 0).all()
    assert selected["reason_1"].notna().all()


def test_rows_in_are_kept_or_quarantined(manifest, every_tenth):
    counts = manifest["counts"]["transactions"]
    assert counts["rows_in"] == counts["rows_kept"] + counts["rows_quarantined"]
    assert counts["rows_read"] == len(every_tenth)
    assert manifest["counts"]["listed"]["at_risk"] == manifest["counts"]["scored"]["eligible"]


def test_the_manifest_tells_what_was_run(manifest):
    assert manifest["as_of"] == "1998-07-01"
    assert manifest["model_version"] == "1"
    assert manifest["training"]["gate"]["passed"] is True
    assert manifest["settings"]["churn"]["trials"] == 2
    assert {"read and check", "panel", "tune and train", "score", "report"} <= set(
        manifest["seconds"]
    )
    assert len(manifest["data"]["digest"]) == 64


def test_training_ends_before_judging_begins(metrics):
    train, test = metrics["train"], pd.Timestamp(metrics["test"]["as_of"])
    assert pd.Timestamp(train["cutoffs"][-1]) + pd.Timedelta(days=90) <= test
    for fold in train["folds"]:
        assert pd.Timestamp(fold["train"][-1]) + pd.Timedelta(days=90) <= pd.Timestamp(
            fold["judge"]
        )


def test_every_baseline_is_judged_on_the_same_rows(metrics):
    models = metrics["test"]["models"]
    assert set(models) == {
        "patronage",
        "p_no_purchase",
        "logistic_regression",
        "inactivity_rule",
        "one_minus_p_alive",
        "recency",
    }
    assert models["patronage"]["log_loss"] < models["p_no_purchase"]["log_loss"]
    assert models["recency"]["log_loss"] is None


def test_the_model_is_registered_without_a_pickle(store, finished):
    version = store.client.get_model_version_by_alias(MODEL, "champion")
    assert version.tags["gate"] == "passed"
    assert float(version.tags["gate.p_no_purchase"]) < 0
    names = {path.name for path in (finished.parent / "mlruns").rglob("*") if path.is_file()}
    assert {"booster.txt", "patronage.json", "pyfunc_model.py"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".skops", ".joblib"))]


def test_metrics_are_linked_to_model_and_data(store):
    version = store.client.get_model_version_by_alias(MODEL, "champion")
    run = store.client.get_run(version.run_id)
    contexts = [entry.tags[0].value for entry in run.inputs.dataset_inputs]
    assert contexts.count("test") == 1
    assert contexts.count("training") == 10
    logged = store.client.get_logged_model(run.outputs.model_outputs[0].model_id)
    linked = {metric.key: metric for metric in logged.metrics}
    assert linked["patronage.auc"].dataset_name == "panel 1998-04-02"
    assert run.data.params["churn.horizon_days"] == "90"
    assert run.data.tags["data_digest"]


def test_the_registered_model_gives_the_scores_of_the_run(store, latest, customers):
    features = pd.read_parquet(latest / "features.parquet").assign(eligible=True)
    again = load_champion(store).score(features)
    first = customers.set_index("customer_id").loc[features["customer_id"]]
    for name in SCORES:
        assert again[name].to_numpy() == pytest.approx(first[name].to_numpy(), rel=1e-12)


def test_a_missing_feature_is_named(store, latest):
    features = pd.read_parquet(latest / "features.parquet").assign(eligible=True)
    with pytest.raises(
        ValueError, match=r"needs features that are not there \(1\): days_since_last"
    ):
        load_champion(store).score(features.drop(columns="days_since_last"))
    texts = features.assign(days_since_last="n/a")
    with pytest.raises(ValueError, match=r"of another kind now: days_since_last \(numbers then"):
        load_champion(store).score(texts)


def test_features_are_those_of_the_catalogue(latest):
    names = pq.read_schema(latest / "features.parquet").names
    of_days = [f.name for family in FAMILIES if family.needs is None for f in family.features]
    assert names == ["customer_id", "as_of", *of_days]


@pytest.mark.parametrize("size", [1, 97, 5000])
def test_the_batch_size_changes_nothing(project, patronage, customers, size):
    if size == 1:
        table = pd.read_csv(project.parent / "data" / "cdnow.csv", dtype=str)
        some = table[table["customer_id"].isin(table["customer_id"].unique()[:40])]
        some.to_csv(project.parent / "data" / "cdnow.csv", index=False)
    with project.open("a") as text:
        text.write(f"\n[run]\nbatch_customers = {size}\n")
    project.write_text(project.read_text().replace("[run]\n# as_of", "# as_of", 1))
    assert patronage("score", "--config", project, "--as-of", "1998-07-01") == 0
    scored = pd.read_parquet(project.parent / "outputs" / "latest" / "customers.parquet")
    expected = customers.set_index("customer_id").loc[scored["customer_id"]].reset_index()
    for name in SCORES:
        assert scored[name].equals(expected[name])


def test_training_again_on_the_same_data_gives_the_same_model(project, patronage, customers):
    assert patronage("run", "--config", project) == 0
    again = pd.read_parquet(project.parent / "outputs" / "latest" / "customers.parquet")
    assert again["p_churn"].equals(customers["p_churn"])
    assert set(again["model_version"]) != {"1"}


def test_a_day_in_the_past_sees_only_its_past(project, patronage, every_tenth):
    """Scores as of a day equal those from a log that ends on it."""
    assert patronage("score", "--config", project, "--as-of", "1998-03-01") == 0
    from_all = pd.read_parquet(project.parent / "outputs" / "latest" / "customers.parquet")
    past = every_tenth[every_tenth["date"] < "19980301"]
    past.to_csv(project.parent / "data" / "cdnow.csv", index=False)
    assert patronage("score", "--config", project, "--as-of", "1998-03-01") == 0
    from_past = pd.read_parquet(project.parent / "outputs" / "latest" / "customers.parquet")
    pd.testing.assert_frame_equal(from_all[list(SCORES)], from_past[list(SCORES)])


OTHER_TERMS = {
    "horizon": ("horizon_days = 90", "horizon_days = 60", r"\[churn\] horizon_days = 60, not 90"),
    "further horizons": (
        "# more_horizons_days = []",
        "more_horizons_days = [30]",
        r"\[churn\] more_horizons_days = \[30\], not \[\]",
    ),
    "margin": ("margin = 0.3 ", "margin = 0.5 ", r"\[value\] margin = 0.5, not 0.3"),
    "currency": ('"USD"', '"EUR"', r"\[ledger\] currency = EUR, not USD"),
}


@pytest.mark.parametrize("command", ["score", "report"])
@pytest.mark.parametrize(("old", "new", "said"), OTHER_TERMS.values(), ids=OTHER_TERMS.keys())
def test_scores_never_carry_settings_they_were_not_made_with(
    project, patronage, capsys, command, old, new, said
):
    project.write_text(project.read_text().replace(old, new, 1))
    assert patronage(command, "--config", project) == 2
    assert re.search(said, capsys.readouterr().err)


def test_a_model_of_the_past_never_replaces_a_newer_one(project, patronage, capsys):
    assert patronage("run", "--config", project, "--as-of", "1998-05-01") == 2
    assert "lies before the day of the champion" in capsys.readouterr().err
    assert patronage("score", "--config", project, "--as-of", "1998-05-01") == 0
    assert "these scores know more than was known then" in capsys.readouterr().err


def test_training_alone_leaves_latest_where_people_look(project, patronage):
    latest = project.parent / "outputs" / "latest"
    before = latest.resolve()
    assert patronage("train", "--config", project) == 0
    assert latest.resolve() == before
    assert (latest / "report.html").exists()


def test_report_works_from_the_latest_scores_with_new_costs(project, patronage):
    project.write_text(project.read_text().replace("budget = 100.0", "budget = 7.5"))
    assert patronage("report", "--config", project) == 0
    latest = project.parent / "outputs" / "latest"
    selected = pd.read_csv(latest / "at_risk.csv").query("selected")
    assert 0 < selected["action_cost"].sum() <= 7.5
    manifest = json.loads((latest / "manifest.json").read_text())
    assert manifest["command"] == "report"
    assert set(pd.read_csv(latest / "at_risk.csv")["run_id"]) == {manifest["run_id"]}
    assert manifest["scores_of"] != manifest["run_id"]


def test_a_challenger_that_fails_leaves_the_champion_at_work(
    project, patronage, monkeypatch, capsys
):
    settings = load_settings(project)
    store = open_store(settings.path(settings.tracking.folder), experiment="patronage")
    before = load_champion(store).version
    monkeypatch.setattr("patronage.tracking.gate.Verdict.passed", property(lambda self: False))
    assert patronage("run", "--config", project) == 4
    assert "the challenger did not pass the gate and is not used" in capsys.readouterr().err
    assert load_champion(store).version == before
    latest = json.loads((project.parent / "outputs" / "latest" / "manifest.json").read_text())
    assert latest["model_version"] == before
    assert latest["training"]["gate"]["passed"] is False
    said = f"list was made by version {before}, trained as of 1998-07-01."
    assert said in (project.parent / "outputs" / "latest" / "report.html").read_text()
    assert patronage("report", "--config", project) == 0
    assert said in (project.parent / "outputs" / "latest" / "report.html").read_text()


def test_a_first_model_that_fails_stops_the_run(project, patronage, monkeypatch, capsys, tmp_path):
    text = project.read_text()
    place = text.index('folder = "', text.index("[tracking]"))
    project.write_text(text[:place] + f'folder = "{tmp_path / "new"}"\n')
    monkeypatch.setattr("patronage.tracking.gate.Verdict.passed", property(lambda self: False))
    outputs = sorted((project.parent / "outputs").iterdir())
    assert patronage("run", "--config", project) == 4
    assert "there is no champion to use" in capsys.readouterr().err
    assert sorted((project.parent / "outputs").iterdir()) == outputs


def test_another_run_holds_the_lock(project, patronage, capsys):
    settings = load_settings(project)
    outputs = settings.path(settings.run.outputs)
    with run_folder(outputs, command="run", started_at=pd.Timestamp("2026-01-01", tz="UTC")):
        assert patronage("run", "--config", project) == 6
    assert "another run is writing to" in capsys.readouterr().err
