"""One run of the main job, on every tenth customer of CDNOW, for all tests that look at it."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from snapshot_tables import FIRST, with_money, write

from patronage.pipelines.cli import main
from patronage.pipelines.demo import SETTINGS, cdnow
from patronage.pipelines.settings_file import write_settings_file

FEW_TRIALS = {"churn.trials": 2, "churn.seconds": 600, "retention.budget": 100.0}


def run_command(monkeypatch, *arguments):
    """Run `patronage ARGUMENTS`; gives the exit code."""
    monkeypatch.setattr("sys.argv", ["patronage", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code or 0


@pytest.fixture(scope="session")
def run_patronage():
    return run_command


@pytest.fixture
def patronage(monkeypatch):
    return lambda *arguments: run_command(monkeypatch, *arguments)


def write_project(folder: Path, table: pd.DataFrame, **settings):
    """A project folder with a transaction file and its settings."""
    write_settings_file(folder / "patronage.toml", {**SETTINGS, **FEW_TRIALS, **settings})
    (folder / "data").mkdir(exist_ok=True)
    table.to_csv(folder / "data" / "cdnow.csv", index=False)
    return folder / "patronage.toml"


@pytest.fixture(scope="session")
def new_project():
    return write_project


@pytest.fixture(scope="session")
def every_tenth():
    table = cdnow()
    return table[table["customer_id"].astype(int) % 10 == 0]


@pytest.fixture(scope="session")
def finished(tmp_path_factory, every_tenth):
    """Settings file of a project after `patronage run`; not to be changed."""
    config = write_project(tmp_path_factory.mktemp("project"), every_tenth)
    with pytest.MonkeyPatch.context() as patch:
        assert run_command(patch, "run", "--config", config) == 0
    return config


@pytest.fixture
def project(tmp_path, finished):
    """A copy of the finished project that a test may change; MLflow stays where it was."""
    shutil.copytree(finished.parent / "data", tmp_path / "data")
    shutil.copytree(finished.parent / "outputs", tmp_path / "outputs", symlinks=True)
    text = finished.read_text().replace(
        '# folder = "mlruns"', f'folder = "{finished.parent / "mlruns"}"'
    )
    (tmp_path / "patronage.toml").write_text(text)
    return tmp_path / "patronage.toml"


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Settings file of a snapshot after `patronage run`; not to be changed."""
    config = write(tmp_path_factory.mktemp("snapshot"), with_money(FIRST))
    with pytest.MonkeyPatch.context() as patch:
        assert run_command(patch, "run", "-c", config) == 0
    return config
