"""The main job with further horizons beside the main one, on every tenth customer of CDNOW."""

import json

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from patronage.features import read_panel
from patronage.models.scorer import SCORES
from patronage.tracking.champion import load_champion
from patronage.tracking.store import MODEL, open_store

HORIZONS = (30, 120)
COLUMNS = [f"p_churn_{days}{end}" for days in HORIZONS for end in ("", "_low", "_high")]
ASKED = "more_horizons_days = [120, 30]"


@pytest.fixture(scope="module")
def several(tmp_path_factory, every_tenth, new_project, run_patronage):
    """Settings file of a project with further horizons after `patronage run`."""
    config = new_project(tmp_path_factory.mktemp("several"), every_tenth)
    config.write_text(config.read_text().replace("# more_horizons_days = []", ASKED))
    with pytest.MonkeyPatch.context() as patch:
        assert run_patronage(patch, "run", "--config", config) == 0
    return config


@pytest.fixture(scope="module")
def latest(several):
    return (several.parent / "outputs" / "latest").resolve()


@pytest.fixture(scope="module")
def customers(latest):
    return pd.read_parquet(latest / "customers.parquet")


@pytest.fixture(scope="module")
def metrics(latest):
    return json.loads((latest / "metrics.json").read_text())


def test_nothing_else_changes_to_the_bit(finished, customers):
    alone = pd.read_parquet(finished.parent / "outputs" / "latest" / "customers.parquet")
    assert set(alone) == set(customers) - set(COLUMNS)
    pd.testing.assert_frame_equal(customers[list(SCORES)], alone[list(SCORES)], check_exact=True)


def test_chances_fall_with_the_horizon_and_lie_in_their_ranges(customers):
    assert list(customers)[8:14] == COLUMNS
    assert customers.loc[~customers["eligible"], COLUMNS].isna().all(axis=None)
    eligible = customers[customers["eligible"]]
    for end in ("", "_low", "_high"):
        ordered = eligible[[f"p_churn_30{end}", f"p_churn{end}", f"p_churn_120{end}"]].to_numpy()
        assert (np.diff(ordered, axis=1) <= 0).all()
    for days in HORIZONS:
        low, p, high = (eligible[f"p_churn_{days}{end}"] for end in ("_low", "", "_high"))
        assert ((low >= 0) & (low <= p) & (p <= high) & (high <= 1)).all()
    assert eligible["p_churn_30"].mean() > eligible["p_churn"].mean() + 0.05
    assert eligible["p_churn_120"].mean() < eligible["p_churn"].mean() - 0.01


def test_each_horizon_learns_and_is_judged_where_its_label_is_known(metrics):
    found, main = metrics["further_horizons"], metrics["test"]
    assert list(found) == ["30", "120"]
    assert found["30"]["as_of"] == main["as_of"] == "1998-04-02"
    assert found["120"]["as_of"] == "1998-03-02"
    assert found["30"]["churn_rate"] > main["churn_rate"]
    for days, one in found.items():
        newest, judge = pd.Timestamp(one["cutoffs"][-1]), pd.Timestamp(one["as_of"])
        assert newest + pd.Timedelta(days=int(days)) <= judge
        ours = one["models"]["patronage"]
        assert ours["auc"] > 0.6
        assert ours["mean_predicted"] == pytest.approx(one["churn_rate"], abs=0.08)
    assert len(found["30"]["cutoffs"]) > len(metrics["train"]["cutoffs"])


def test_mlflow_has_the_figures_and_the_model_its_boosters_as_text(several, metrics):
    store = open_store(several.parent / "mlruns", experiment="patronage")
    version = store.client.get_model_version_by_alias(MODEL, "champion")
    logged = store.client.get_run(version.run_id).data.metrics
    for days, one in metrics["further_horizons"].items():
        for name, figures in one["models"].items():
            assert logged[f"{name}.log_loss_{days}d"] == pytest.approx(figures["log_loss"])
            assert logged[f"{name}.auc_{days}d"] == pytest.approx(figures["auc"])
    names = {path.name for path in (several.parent / "mlruns").rglob("*") if path.is_file()}
    assert {"booster.txt", "booster_30.txt", "booster_120.txt"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".skops", ".joblib"))]


def test_the_registered_model_gives_the_columns_of_the_run(several, latest, customers):
    champion = load_champion(open_store(several.parent / "mlruns", experiment="patronage"))
    features = pd.read_parquet(latest / "features.parquet").assign(eligible=True)
    again = champion.score(features)
    first = customers.set_index("customer_id").loc[features["customer_id"]]
    assert set(COLUMNS) < set(again)
    for name in again:
        assert again[name].to_numpy() == pytest.approx(first[name].to_numpy(), rel=1e-12)
    outputs = champion.pyfunc.metadata.get_output_schema().input_names()
    assert outputs == list(again)


def test_list_workbook_report_and_card_show_them(latest):
    listed = pd.read_csv(latest / "at_risk.csv")
    place = list(listed).index("p_churn")
    assert list(listed)[place + 1 : place + 3] == ["p_churn_30", "p_churn_120"]
    book = load_workbook(latest / "at_risk.xlsx")
    for sheet in ("Act now", "Watch"):
        heads = [cell.value for cell in book[sheet][1]]
        assert {"Chance to leave, 30 days", "Chance to leave, 120 days"} < set(heads)
    assert any("goes by Chance to leave" in str(row[1]) for row in book["How to read"].values)
    page = (latest / "report.html").read_text()
    assert "Each horizon by itself" in page
    assert '<th scope="row">120 days</th><td>1998-03-02</td>' in page
    assert "## Each horizon by itself" in (latest / "model_card.md").read_text()


def test_scoring_alone_gives_them_too(several, run_patronage, monkeypatch, customers):
    assert run_patronage(monkeypatch, "score", "--config", several) == 0
    scored = pd.read_parquet(several.parent / "outputs" / "latest" / "customers.parquet")
    pd.testing.assert_frame_equal(scored[COLUMNS], customers[COLUMNS], check_exact=True)


@pytest.mark.parametrize("command", ["score", "report"])
def test_a_champion_with_other_horizons_is_refused(several, patronage, capsys, tmp_path, command):
    config = tmp_path / "patronage.toml"
    text = several.read_text().replace(ASKED, "more_horizons_days = [30]")
    for folder in ("outputs", "mlruns"):
        text = text.replace(f'"{folder}"', f'"{several.parent / folder}"')
    text = text.replace("# outputs =", "outputs =").replace("# folder =", "folder =")
    config.write_text(text.replace("data/cdnow.csv", str(several.parent / "data" / "cdnow.csv")))
    assert patronage(command, "--config", config) == 2
    said = capsys.readouterr().err
    assert "[churn] more_horizons_days = [30], not [30, 120]" in said
    assert "Train anew: patronage train, or set them back." in said


def test_a_panel_is_labelled_for_all_of_them(several, patronage, tmp_path):
    assert patronage("panel", "--config", several, "--to", tmp_path / "panel") == 0
    panel = read_panel(tmp_path / "panel")
    assert {"churned_30", "churned_90", "churned_120"} < set(panel)


def test_a_horizon_too_long_for_the_history_is_refused_before_training(project, patronage, capsys):
    text = project.read_text().replace("# more_horizons_days = []", "more_horizons_days = [240]")
    project.write_text(text)
    assert patronage("train", "--config", project) == 3
    assert "more_horizons_days has 240" in capsys.readouterr().err
