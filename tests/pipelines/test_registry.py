"""The champion changed by hand, and by two trainings at the same time."""

import json
import subprocess
import sys

import pytest

from patronage.config import load_settings
from patronage.errors import GateError
from patronage.pipelines.run import refuse_without_champion
from patronage.tracking.gate import Verdict
from patronage.tracking.store import MODEL, open_store

TRAIN = "from patronage.pipelines.cli import main; main()"


def store_of(config):
    return open_store(load_settings(config).path("mlruns"), experiment="patronage")


def aliases(config):
    known = store_of(config).client.get_registered_model(MODEL).aliases
    return {alias: str(version) for alias, version in known.items()}


def in_force(config, version):
    return store_of(config).client.get_model_version(MODEL, version).tags["gate.champion_in_force"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, every_tenth, new_project):
    """A project after two processes trained at once, each with its own outputs, on a new store."""
    config = new_project(tmp_path_factory.mktemp("two"), every_tenth)
    other = config.with_name("other.toml")
    other.write_text(config.read_text().replace('# outputs = "outputs"', 'outputs = "others"'))
    assert load_settings(other).run.outputs.name == "others"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN, "train", "--config", str(path)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for path in (config, other)
    ]
    said = [process.communicate(timeout=600)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    return config


@pytest.mark.slow
def test_two_trainings_at_once_are_judged_one_after_the_other(trained):
    found = aliases(trained)
    champion, previous = found["champion"], found["previous_champion"]
    assert {champion, previous} == {"1", "2"}
    assert in_force(trained, previous) == "none"
    assert in_force(trained, champion) == previous
    tags = store_of(trained).client.get_model_version(MODEL, champion).tags
    assert float(tags["gate.champion.log_loss.difference"]) == 0  # the same data, the same model
    assert float(tags["gate.p_no_purchase.net_value.challenger_net_value"]) > 0
    manifests = [
        json.loads(path.read_text()) for path in trained.parent.glob("o*/2*/manifest.json")
    ]
    assert sorted(one["training"]["version"] for one in manifests) == ["1", "2"]


@pytest.mark.slow
def test_rollback_is_one_command_there_and_back(trained, patronage, capsys):
    before = aliases(trained)
    assert patronage("rollback", "--config", trained) == 0
    assert f"champion: version {before['previous_champion']} (was " in capsys.readouterr().out
    assert aliases(trained)["champion"] == before["previous_champion"]
    assert patronage("rollback", "--config", trained) == 0
    assert aliases(trained) == before
    assert patronage("promote", "--version", before["champion"], "--config", trained) == 0
    assert "it is champion already; nothing moved" in capsys.readouterr().out


@pytest.mark.slow
def test_promotion_by_hand_waits_for_the_command(trained, patronage, capsys):
    text = trained.read_text()
    trained.write_text(text.replace('# promote = "gate"', 'promote = "manual"'))
    before = aliases(trained)["champion"]
    assert patronage("train", "--config", trained) == 0
    assert "version 3 passed the gate and waits: patronage promote" in capsys.readouterr().out
    assert aliases(trained)["champion"] == before
    assert aliases(trained)["challenger"] == "3"
    assert patronage("promote", "--config", trained) == 0
    assert capsys.readouterr().out.startswith(f"champion: version 3 (was {before})")
    assert aliases(trained) == {"champion": "3", "previous_champion": before}
    assert patronage("promote", "--version", "9", "--config", trained) == 2
    assert "--version 9: there is no such version. There are: 1, 2, 3." in capsys.readouterr().err
    assert patronage("promote", "--config", trained) == 3
    assert "no version waits as challenger" in capsys.readouterr().err


def test_without_a_champion_the_next_step_is_told(
    tmp_path, every_tenth, new_project, patronage, capsys
):
    config = new_project(tmp_path, every_tenth.head(20))
    assert patronage("rollback", "--config", config) == 3
    assert "there is no previous champion to go back to: no version" in capsys.readouterr().err
    store = store_of(config)
    with pytest.raises(GateError, match=r'waits, as \[tracking\] promote = "manual" asks'):
        refuse_without_champion(store, Verdict(()), "manual")
    refuse_without_champion(store, Verdict(()), "gate")
