import json
import shutil

import numpy as np
from scipy.special import expit
from snapshot_tables import (
    FIRST,
    customers,
    outputs,
    page_of,
    with_money,
    write,
)

from patronage.tracking.champion import version_of
from patronage.tracking.store import open_store


def test_the_same_again_is_no_worse_than_the_champion(trained, patronage, run_patronage):
    assert patronage("train", "-c", trained) == 0
    training = json.loads((outputs(trained) / "manifest.json").read_text())["training"]
    champion = training["gate"]["comparisons"][-1]
    assert champion["other"] == "champion"
    assert champion["difference"] == 0
    assert patronage("rollback", "-c", trained) == 0


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
