"""One run of the main job on a log with a strong season."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from patronage.models import BetaGeoParams, ModifiedBetaGeoModel, SeasonalModel, simulate_log
from patronage.models.scorer import SCORES
from patronage.models.season_calendar import SeasonCurve, Terms
from patronage.pipelines.cli import main
from patronage.pipelines.demo import SETTINGS
from patronage.pipelines.settings_file import write_settings_file
from patronage.tracking.champion import load_champion
from patronage.tracking.store import open_store

pytestmark = pytest.mark.slow
FEW_TRIALS = {"churn.trials": 2, "churn.seconds": 600, "retention.budget": 100.0}


def run_command(monkeypatch, *arguments):
    """Run `patronage ARGUMENTS`; gives the exit code."""
    monkeypatch.setattr("sys.argv", ["patronage", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code or 0


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    plain = ModifiedBetaGeoModel()
    plain.params_, plain.covariates_ = BetaGeoParams(1.5, 40.0, 0.6, 4.0), None
    truth = SeasonalModel(ModifiedBetaGeoModel())
    truth.purchases_, truth.params_ = plain, plain.params_
    truth.season_ = SeasonCurve(Terms(1), (0.2, -0.7))
    span = {"start": date(2023, 1, 1), "end": date(2025, 10, 1), "seed": 4}
    log = simulate_log(truth, customers=250, **span)
    spent = np.random.default_rng(1).gamma(5, 4, len(log)).round(2)
    table = pd.DataFrame(
        {
            "customer_id": log["customer_id"],
            "date": log["timestamp"].dt.strftime("%Y%m%d"),
            "number_of_cds": 1,
            "dollar_value": spent,
        }
    )
    folder = tmp_path_factory.mktemp("seasonal")
    (folder / "data").mkdir()
    table.to_csv(folder / "data" / "cdnow.csv", index=False)
    config = write_settings_file(folder / "patronage.toml", {**SETTINGS, **FEW_TRIALS})
    with pytest.MonkeyPatch.context() as patch:
        assert run_command(patch, "run", "--config", config) == 0
    return config


def test_the_registered_model_has_the_season_and_scores_with_it(project):
    champion = load_champion(open_store(project.parent / "mlruns", experiment="patronage"))
    model = champion.scorer.value.purchases_
    assert isinstance(model, SeasonalModel)
    latest = project.parent / "outputs" / "latest"
    features = pd.read_parquet(latest / "features.parquet").assign(eligible=True)
    customers = pd.read_parquet(latest / "customers.parquet").set_index("customer_id")
    again, first = champion.score(features), customers.loc[features["customer_id"]]
    for name in SCORES:
        assert again[name].to_numpy() == pytest.approx(first[name].to_numpy(), rel=1e-12)
    plain = model.without_season.probability_no_purchase(features, 90)
    assert first["p_no_purchase"].mean() < plain.mean() - 0.01


def test_the_report_tells_the_season(project):
    page = (project.parent / "outputs" / "latest" / "report.html").read_text()
    assert "It is used." in page
    assert "How much is bought in each month" in page
    assert '<th scope="row">Counted</th>' in page
    assert "short peaks, such as the weeks before Christmas, are flattened" in page


def test_a_day_of_scoring_alone_knows_its_season(project, monkeypatch):
    assert run_command(monkeypatch, "score", "--config", project) == 0
    latest = project.parent / "outputs" / "latest"
    assert json.loads((latest / "manifest.json").read_text())["model_version"]
